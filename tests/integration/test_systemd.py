"""The units that are shipped, read by systemd's own programs."""

import os
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

UNITS = Path("deploy/systemd")
SHIPPED = "/opt/tillway/bin/tillway"
PROGRAMS = ("backend", "hub", "terminal")
EXPOSURE_MAX = 20
"""In tenths, of 100: systemd calls up to 2.0 *OK*, as of its own services few are."""

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="Debian's systemd is not installed"
)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with this environment's program, so that systemd finds it."""
    folder = tmp_path / "system"
    shutil.copytree(UNITS, folder)
    here = f"{Path(sys.executable).parent / 'tillway'}"
    for file in folder.glob("*.service"):
        file.write_text(file.read_text().replace(SHIPPED, here))
    return folder


def analyze(units: Path, *words: str) -> str:
    """What ``systemd-analyze`` says; it must be content."""
    found = subprocess.run(
        ["systemd-analyze", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:/usr/lib/systemd/system"},
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout + found.stderr


def test_every_unit_is_what_systemd_understands(units: Path) -> None:
    names = [file.name.replace("@", "@hub") for file in sorted(units.glob("*.*")) if file.is_file()]
    names.remove("tillway.sysusers")
    assert analyze(units, "verify", "--man=no", *names) == ""
    for timer in units.glob("*.timer"):
        [when] = [
            line.removeprefix("OnCalendar=")
            for line in timer.read_text().splitlines()
            if line.startswith("OnCalendar=")
        ]
        assert "Next elapse" in analyze(units, "calendar", when)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_may_do_nothing_but_serve(name: str, units: Path) -> None:
    found = analyze(
        units, "security", "--offline=true", f"--threshold={EXPOSURE_MAX}",
        f"{units / f'tillway-{name}.service'}",
    )  # fmt: skip
    assert "Overall exposure level" in found


def test_every_line_of_a_unit_is_a_command_of_ours(units: Path) -> None:
    seen = 0
    for file in sorted(units.glob("*.service")):
        for line in file.read_text().splitlines():
            if not line.startswith("ExecStart=/"):
                continue
            words = line.removeprefix("ExecStart=").replace("%i", "hub").split()
            options = [word for word in words if word.startswith("--")]
            command = list(takewhile(lambda word: not word.startswith("--"), words))
            said = subprocess.run(
                [*command, "--help"], capture_output=True, text=True, check=True
            ).stdout
            assert all(option in said for option in options), (file.name, said)
            seen += 1
    assert seen == len(PROGRAMS) + 2
