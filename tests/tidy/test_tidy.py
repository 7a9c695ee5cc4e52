"""Rules of the house that a program can check, so that no reviewer has to."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("tidy")
ROOMS = (
    "protocol",
    "transport",
    "faces",
    "terminal",
    "hub",
    "backend",
    "firmware_sim",
    "tillway",
    "bench",
)
LINES_PER_FILE_MAX = 400
LINES_PER_FUNCTION_MAX = 70
FILE_BYTES_MAX = 500_000
BIG_FILES_ALLOWED = {"requirements.lock", "requirements-dev.lock"}
BANNED_MODULES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
MONEY = (
    "protocol/",
    *(f"backend/{room}/" for room in ("ledger", "payments", "refunds", "mandates", "merchants",
                                      "wallet", "topups", "clearing", "reconciliation",
                                      "channels", "notify", "shards", "disputes", "coupons")),
)  # fmt: skip
PURE = ("protocol/", "terminal/domain/", "hub/domain/", "firmware_sim/devices/")
CLOCKS = re.compile(r"\b(datetime\.now|datetime\.utcnow|time\.time|time\.monotonic|date\.today)\(")


def tracked() -> list[str]:
    return _listed_by_git() if (ROOT / ".git").exists() and shutil.which("git") else walked(ROOT)


def _listed_by_git() -> list[str]:
    # A checkout that belongs to somebody else is listed, too.
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "--cached", "--others",
         "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def walked(root: Path) -> list[str]:
    """What an unpacked archive holds, without what .gitignore says is made here."""
    ignored = [line.strip("/") for line in (root / ".gitignore").read_text().split()] + [".git"]

    def is_made(name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in ignored)

    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not is_made(name)]
        found += [Path(folder, name) for name in files if not is_made(name)]
    return sorted(str(path.relative_to(root)) for path in found)


def sources() -> list[str]:
    return [n for n in tracked() if n.endswith(".py") and n.split("/")[0] in ROOMS]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return {name: ast.parse((ROOT / name).read_text()) for name in sources()}


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = {
        name: count
        for name in sources()
        if (count := len((ROOT / name).read_text().splitlines())) > LINES_PER_FILE_MAX
    }
    assert not long


def test_no_function_is_longer_than_a_screen(trees: dict[str, ast.Module]) -> None:
    long = {
        f"{name}:{function.name}": length
        for name, tree in trees.items()
        for function in functions(tree)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > LINES_PER_FUNCTION_MAX
    }
    assert not long


def test_every_module_says_what_it_is_for(trees: dict[str, ast.Module]) -> None:
    silent = [name for name, tree in trees.items() if tree.body and not ast.get_docstring(tree)]
    assert not silent


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [name for name in sources() if BANNED_MODULES & set(Path(name).with_suffix("").parts)]
    assert not named


def test_no_float_stands_in_money_code(trees: dict[str, ast.Module]) -> None:
    found = [
        f"{name}:{line}"
        for name, tree in trees.items()
        if name.startswith(MONEY) and "limits" not in name
        for line in inexact(tree)
    ]
    assert not found


def inexact(tree: ast.AST) -> Iterator[int]:
    """Where a float could come in: the types' names, a literal, true division, rounding."""
    for node in ast.walk(tree):
        is_inexact = (
            (isinstance(node, ast.Name) and node.id in {"float", "Decimal", "round"})
            or (isinstance(node, ast.Constant) and type(node.value) is float)
            or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _divides(node))
        )
        if is_inexact:
            yield node.lineno  # type: ignore[attr-defined]


def _divides(node: ast.BinOp) -> bool:
    """Whether ``/`` is arithmetic: not a path below a directory, not a limit turned to seconds."""
    name = node.left.id if isinstance(node.left, ast.Name) else ""
    return not (name == "directory" or name.endswith("_MS"))


def test_the_float_check_sees_every_way_in() -> None:
    for bad in ("int(amount * 0.006)", "amount / 2", "round(amount)", "float(amount)"):
        assert list(inexact(ast.parse(bad))), bad


def test_only_repositories_tables_and_the_database_room_see_sql(
    trees: dict[str, ast.Module],
) -> None:
    found = [
        name
        for name, tree in trees.items()
        if name.startswith("backend/")
        and not name.startswith("backend/db/")
        and not name.endswith(("repository.py", "tables.py", "backend/ledger/cli.py"))
        and {"sqlalchemy", "sqlmodel"} & {word.split(".")[0] for word in imported(tree)}
    ]
    assert not found


def test_the_pure_rooms_ask_nobody_for_the_time_or_for_luck() -> None:
    found = []
    for name in sources():
        if not name.startswith(PURE):
            continue
        text = (ROOT / name).read_text()
        if CLOCKS.search(text) or re.search(
            r"^\s*(import|from) (random|socket|asyncio)\b", text, re.MULTILINE
        ):
            found.append(name)
    assert not found


def test_an_application_gets_its_routes_without_analysing_them_twice(
    trees: dict[str, ast.Module],
) -> None:
    """See ``faces/routes.py``."""
    bad = [
        name
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "include_router"
    ]
    assert not bad


def test_an_exception_is_caught_broadly_only_where_it_is_logged(
    trees: dict[str, ast.Module],
) -> None:
    found = []
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or (
                isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}
            )
            if not broad:
                continue
            body = "\n".join(ast.unparse(step) for step in node.body)
            if not re.search(r"\blog\w*\.|_log\.|raise\b", body):
                found.append(f"{name}:{node.lineno}")
    assert not found


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    words = ["py" + "pi.org", "python" + "hosted", "registry.npm" + "js", "npm" + "js.org",
             "deb.deb" + "ian", "static" + ".crates"]  # fmt: skip
    paths = ["/wo" + "rk/", "/fa" + "rm/", "/tmp/bash_" + "jobs", "/ro" + "ot/"]
    pattern = re.compile("|".join(re.escape(word) for word in words + paths))
    found = [
        name
        for name in tracked()
        if (ROOT / name).stat().st_size < 5_000_000
        and pattern.search((ROOT / name).read_text(errors="replace"))
    ]
    assert not found


def test_no_tracked_file_is_a_big_blob_or_a_lock_with_addresses() -> None:
    big = [
        name
        for name in tracked()
        if (ROOT / name).stat().st_size > FILE_BYTES_MAX and name not in BIG_FILES_ALLOWED
    ]
    assert not big
    assert not {"uv.lock", "pylock.toml", "package-lock.json"} & {Path(n).name for n in tracked()}


def test_an_unpacked_archive_is_listed_as_git_lists_it() -> None:
    assert not set(tracked()) - set(walked(ROOT))
    assert not {name.split("/")[0] for name in walked(ROOT)} & {".git", ".venv", "var"}


def test_every_lock_names_versions_with_hashes_and_the_build_s_tools_are_locked() -> None:
    locks = [name for name in tracked() if name.endswith(".lock")]
    assert "deploy/setup/tools.lock" in locks
    for name in locks:
        text = (ROOT / name).read_text()
        for entry in re.split(r"\n(?=\S)", text.strip()):
            assert re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==\S+", entry), f"{name}: {entry[:60]}"
            assert "--hash=sha256:" in entry, f"{name}: {entry[:60]}"
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    tools = (ROOT / "deploy/setup/tools.lock").read_text()
    missing = [need for need in ("uv", *wanted) if f"{need}==" not in tools]
    assert not missing


def test_every_setting_stands_in_the_documents(trees: dict[str, ast.Module]) -> None:
    """Its own name, or the variable that sets it."""
    said = "\n".join((ROOT / name).read_text() for name in tracked() if name.endswith(".md"))
    words = set(re.findall(r"[a-z]\w+", said))
    words |= {name.lower() for name in re.findall(r"TILLWAY_[A-Z]+_(?:[A-Z_]+__)?([A-Z_]+)", said)}
    unsaid = [
        f"{name}: {field.target.id}"
        for name, tree in trees.items()
        if re.search(r"(/config|/settings|_settings)\.py$", name) and "/messages/" not in name
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Settings", "Section"))
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if not field.target.id.startswith("_") and field.target.id not in words
    ]
    assert not unsaid


def test_every_room_stands_in_the_architecture() -> None:
    said = set(re.findall(r"\w+", (ROOT / "docs/architecture.md").read_text()))
    inside = {name.split("/")[1] for name in sources() if re.match(r"backend/\w+/", name)}
    assert not {*ROOMS, *inside} - said


def test_the_diagrams_in_the_docs_are_drawn_from_the_tables() -> None:
    checked = subprocess.run(
        [sys.executable, "docs/draw_states.py", "--check"], cwd=ROOT, check=False
    )
    assert checked.returncode == 0, "run: python docs/draw_states.py"


def test_every_link_in_the_documents_leads_to_a_file() -> None:
    broken = []
    for name in tracked():
        if not name.endswith(".md"):
            continue
        for target in re.findall(r"\]\(([^)#\s]+)", (ROOT / name).read_text()):
            if "://" not in target and not ((ROOT / name).parent / target).exists():
                broken.append(f"{name}: {target}")
    assert not broken
