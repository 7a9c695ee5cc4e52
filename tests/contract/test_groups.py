"""What the suite asks of pytest and xdist together: a group's tests share one worker."""

import subprocess
import sys
from pathlib import Path

TESTS = """
import os, pathlib, pytest

GROUPED = [pytest.param(number, marks=pytest.mark.xdist_group("one")) for number in range(8)]

@pytest.mark.parametrize("number", GROUPED)
def test_it(number):
    pathlib.Path(__file__).with_name(f"{number}.ran").write_text(os.environ["PYTEST_XDIST_WORKER"])
"""
ROOT = Path(__file__).parents[2]


def test_a_group_s_tests_run_on_one_worker(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
    (tmp_path / "test_it.py").write_text(TESTS)
    options = ("-n", "2", "--dist", "loadgroup", "-p", "tests.support.groups")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    workers = [path.read_text() for path in tmp_path.glob("*.ran")]
    assert len(workers) == 8
    assert len(set(workers)) == 1
