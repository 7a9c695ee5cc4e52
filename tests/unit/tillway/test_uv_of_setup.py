"""Setting up goes through whatever pip was told to go through: a mirror, a company's proxy."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path("deploy/setup/uv.sh").resolve()
MIRROR, OTHER = "https://mirror.example/simple", "https://other.example/simple"
FILES = f"global.cert='/etc/proxy.pem'\nglobal.index-url='{MIRROR}'\ninstall.cert='/no.pem'"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A set-up directory whose uv says what it was told."""
    write(tmp_path / ".venv/bin/uv", 'echo "$UV_DEFAULT_INDEX $SSL_CERT_FILE $*"')
    return tmp_path


def write(program: Path, line: str) -> Path:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{line}\n")
    program.chmod(0o755)
    return program


def pip_that_was_told(program: Path, config: str) -> Path:
    return write(program, f'[ "$3" != config ] || cat <<EOF\n{config}\nEOF')


def ran(place: Path, **environment: str) -> str:
    done = subprocess.run(
        ["/bin/sh", SCRIPT, "pip", "sync"],
        cwd=place, env={"PATH": "/usr/bin:/bin", **environment},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.removesuffix(" pip sync\n")


def test_uv_uses_the_mirror_and_the_certificate_that_pip_uses(place: Path) -> None:
    pip_that_was_told(place / ".venv/bin/python", FILES)
    assert ran(place) == f"{MIRROR} /etc/proxy.pem"


def test_what_the_environment_says_goes_before_pip_s_files(place: Path) -> None:
    pip_that_was_told(place / ".venv/bin/python", f":env:.index-url='{OTHER}'\n{FILES}")
    assert ran(place) == f"{OTHER} /etc/proxy.pem"
    said = {"UV_DEFAULT_INDEX": "https://uv.example", "SSL_CERT_FILE": "/uv.pem"}
    assert ran(place, **said) == "https://uv.example /uv.pem"


def test_where_pip_was_told_nothing_uv_is_left_alone(place: Path) -> None:
    pip_that_was_told(place / ".venv/bin/python", "global.timeout='60'")
    assert ran(place) == " "


def test_the_pip_that_made_the_environment_is_asked_where_it_has_none(place: Path) -> None:
    write(place / ".venv/bin/python", "exit 1")
    maker = pip_that_was_told(place / "python3.11", FILES)
    assert ran(place, PYTHON=str(maker)) == f"{MIRROR} /etc/proxy.pem"
