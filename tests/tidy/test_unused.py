"""Nothing lies about that nothing uses: no module, limit, name or macro of a template."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.tidy.test_tidy import ROOMS, ROOT, functions, imported, sources, tracked

pytestmark = pytest.mark.xdist_group("tidy")
CALLED_BY_OTHERS = {
    "can_write_eof", "get_protocol",  # asyncio
    "find_edhoc_by_id_cred_peer", "find_oscore", "needs_blockwise_assembly", "render_post",
    "_process_edhoc_msg12", "post_seqnoincrease", "to_message",  # aiocoap
    "makefile", "readinto",  # http.client, gzip
    "pytest_addoption",
    "reset_output_buffer",  # pyserial
    "dump_bytecode", "load_bytecode", "preprocess",  # Jinja
    "mark_test_complete", "pytest_runtest_logreport", "teardown",  # pytest, xdist, hypothesis
}  # fmt: skip
"""Functions that a library calls by their names."""


def test_every_module_of_a_room_is_reached_by_another_or_by_the_launcher() -> None:
    names = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in sources()
        if not name.startswith("bench/")
    }
    wanted: set[str] = set()
    for tree in _trees().values():
        wanted |= imported(tree)
    text = "\n".join((ROOT / n).read_text() for n in (*sources(), "pyproject.toml"))
    unreached = {
        name
        for name in names
        if name not in wanted
        and f'"{name}' not in text
        and not any(other.startswith(f"{name}.") for other in names)
        and ".migrations" not in name
        and not name.endswith(".__main__")  # reached by ``python -m``
    }
    assert not unreached


def test_every_limit_that_is_named_is_kept_somewhere() -> None:
    """A bound that nothing reads is a false claim."""
    trees = {name: tree for name, tree in _trees().items() if name.split("/")[0] in ROOMS}
    read = {full for tree in trees.values() for full in _read_of_other_modules(tree)}
    unread = []
    for name, tree in trees.items():
        if not name.endswith("limits.py"):
            continue
        module = name.removesuffix(".py").replace("/", ".")
        inside = Counter(re.findall(r"\w+", (ROOT / name).read_text()))
        unread += [
            f"{name}: {limit}"
            for limit in _named_at_the_top(tree)
            if f"{module}.{limit}" not in read and inside[limit] == 1
        ]
    assert not unread


def _read_of_other_modules(tree: ast.AST) -> Iterator[str]:
    """``room.module.NAME`` for what is imported by name, or read of a module that is."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{modules.get(node.value.id)}.{node.attr}"


def _named_at_the_top(tree: ast.Module) -> Iterator[str]:
    """A module's constants."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        yield from (one.id for one in targets if isinstance(one, ast.Name))


def test_nothing_is_defined_that_nobody_uses() -> None:
    said = _words_of_the_sources()
    dead = []
    for name, tree in _trees().items():
        if name.startswith("protocol/framing/"):  # it tells whole registers, used or not
            continue
        named = [one.name for one in functions(tree) if not one.decorator_list]
        named += _named_at_the_top(tree)
        dead += [f"{name}: {word}" for word in named if said[word] == 1 and not _is_called(word)]
    assert not dead


def test_no_test_names_what_it_does_not_use() -> None:
    """A name at the top of a module of tests is used there, whoever else imports it."""
    idle = []
    for name, tree in _trees().items():
        if not Path(name).name.startswith("test_"):
            continue
        inside = Counter(re.findall(r"\w+", (ROOT / name).read_text()))
        named = set(_named_at_the_top(tree)) - {"pytestmark", "__all__"}
        idle += [f"{name}: {word}" for word in named if inside[word] == 1]
    assert not idle


def test_no_template_holds_a_macro_that_nothing_calls() -> None:
    said = _words_of_the_sources()
    macros = {
        macro: name
        for name in tracked()
        if name.endswith(".html")
        for macro in re.findall(r"{%-? *macro +(\w+)", (ROOT / name).read_text())
    }
    assert not {macro: name for macro, name in macros.items() if said[macro] == 1}


def _words_of_the_sources() -> Counter[str]:
    kinds = (".py", ".html", ".js", ".toml")
    texts = ((ROOT / name).read_text() for name in tracked() if name.endswith(kinds))
    return Counter(word for text in texts for word in re.findall(r"\w+", text))


@cache
def _trees() -> dict[str, ast.Module]:
    return {n: ast.parse((ROOT / n).read_text()) for n in tracked() if n.endswith(".py")}


def _is_called(name: str) -> bool:
    """Whether Python or a library calls a function, as nothing in the sources shows."""
    return name.startswith(("__", "test_")) or name in CALLED_BY_OTHERS
