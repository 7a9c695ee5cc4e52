"""Setting up takes the Python that everything runs fastest on, unless somebody names another."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path("deploy/setup/python.sh")
SYSTEM, TOLD, PLAIN = ("/usr", ""), ("/opt", "--enable-optimizations"), ("/opt", "--enable-shared")
HEADERS, TOOLS = "Python.h", "ensurepip.py"

_FAKE = """#!/bin/sh
# A Python whose base, options, headers and tools are those given here.
shift
exec {real} -S -c "
import sys, sysconfig
sys.base_prefix, sys.version_info = '{base}', {version}
sys.modules['ensurepip'] = {tools}
sysconfig.get_config_var = dict(CONFIG_ARGS='{options}').get
sysconfig.get_path = dict(include='{include}').get
exec(sys.argv[1])" "$1"
"""


def python_in(
    directory: Path,
    kind: tuple[str, str],
    *,
    version: tuple[int, int] = (3, 11),
    lacks: str = "",
) -> Path:
    directory.mkdir()
    if lacks != HEADERS:
        (directory / HEADERS).touch()
    base, options = kind
    file = directory / "python3"
    file.write_text(
        _FAKE.format(
            real=sys.executable, base=base, options=options, version=version,
            include=directory, tools="None" if lacks == TOOLS else "sys",
        )
    )  # fmt: skip
    file.chmod(0o755)
    return file


def chosen(*pythons: Path) -> str:
    path = ":".join(str(python.parent) for python in pythons)
    done = subprocess.run(
        ["/bin/sh", SCRIPT], env={"PATH": path}, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("fast", [SYSTEM, TOLD])
def test_the_first_that_was_compiled_to_be_fast_is_taken(
    tmp_path: Path, fast: tuple[str, str]
) -> None:
    plain, first, second = (
        python_in(tmp_path / name, kind)
        for name, kind in zip("abc", (PLAIN, fast, TOLD), strict=True)
    )
    assert chosen(plain, first, second) == str(first)


@pytest.mark.parametrize("unfit", [{"version": (3, 10)}, {"lacks": HEADERS}, {"lacks": TOOLS}])
def test_one_that_cannot_be_set_up_with_is_passed_over(
    tmp_path: Path, unfit: dict[str, object]
) -> None:
    plain = python_in(tmp_path / "a", PLAIN)
    fast = python_in(tmp_path / "b", SYSTEM, **unfit)  # type: ignore[arg-type]
    assert chosen(plain, fast) == "python3"
