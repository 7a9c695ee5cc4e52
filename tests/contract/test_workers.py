"""What the suite asks of pytest and xdist together: a group's tests share one worker, workers begin
to collect in different folders, what has run is not counted again, and garbage is looked for
seldom."""

import subprocess
import sys
from pathlib import Path

import pytest

GROUPED = """
import os, pathlib, pytest

GROUPED = [pytest.param(number, marks=pytest.mark.xdist_group("one")) for number in range(8)]

@pytest.mark.parametrize("number", GROUPED)
def test_it(number):
    pathlib.Path(__file__).with_name(f"{number}.ran").write_text(os.environ["PYTEST_XDIST_WORKER"])
"""
DIES = """
import os, pathlib, pytest, time

HERE = pathlib.Path(__file__).parent

@pytest.mark.parametrize("number", range(9))
def test_it(number):
    if number == 3 and not (HERE / "died").exists():
        (HERE / "died").touch()
        while len(list(HERE.glob("*.ran"))) < {others}:
            time.sleep(0.01)
        time.sleep({others} / 10)
        os._exit(1)
    (HERE / f"{{number}}.ran").touch()
"""
NOTED = """
import os, pathlib

with (pathlib.Path(__file__).parents[1] / os.environ["PYTEST_XDIST_WORKER"]).open("a") as noted:
    print(pathlib.Path(__file__).parent.name, file=noted)

def test_it():
    pass
"""
SELDOM = """
import gc

def test_it():
    assert gc.isenabled()
    assert gc.get_threshold() == (10_000, 20, 20)
"""
ROOT = Path(__file__).parents[2]


def suite_of(folder: Path, tests: dict[str, str]) -> None:
    (folder / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {ROOT}\naddopts = --import-mode=importlib -p no:schemathesis\n"
    )
    for name, text in tests.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def run_in(folder: Path, *words: str, ends_with: int = 0) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == ends_with, ran.stdout + ran.stderr
    return ran.stdout


def test_a_group_s_tests_run_on_one_worker(tmp_path: Path) -> None:
    suite_of(tmp_path, {"test_it.py": GROUPED})
    run_in(tmp_path, "-n", "2", "--dist", "loadgroup", "-p", "tests.support.groups")
    workers = [path.read_text() for path in tmp_path.glob("*.ran")]
    assert len(workers) == 8
    assert len(set(workers)) == 1


@pytest.mark.parametrize("others", [0, 6], ids=["early", "when the other worker ends"])
def test_a_test_at_which_its_worker_dies_is_named_and_the_others_run(
    tmp_path: Path, others: int
) -> None:
    suite_of(tmp_path, {"test_it.py": DIES.format(others=others)})
    told = run_in(
        tmp_path, "-n", "2", "--dist", "loadgroup", "-p", "tests.support.groups", ends_with=1
    )
    assert "worker 'gw" in told
    assert "crashed while running 'test_it.py::test_it[3]" in told
    assert {path.stem for path in tmp_path.glob("*.ran")} >= set("01245678")


def test_each_worker_begins_to_collect_in_another_folder(tmp_path: Path) -> None:
    conftest = "from tests.support.collecting import share_out as pytest_configure\n"
    places = "abc"
    suite_of(
        tmp_path,
        {"conftest.py": conftest} | {f"{place}/test_it.py": NOTED for place in places},
    )
    told = run_in(tmp_path, "-n", "3")
    assert "3 passed" in told
    orders = [path.read_text().split() for path in sorted(tmp_path.glob("gw*"))]
    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]]


def test_garbage_is_looked_for_seldom_while_tests_run(tmp_path: Path) -> None:
    conftest = "from tests.conftest import pytest_collection, pytest_configure\n"
    suite_of(tmp_path, {"conftest.py": conftest, "test_it.py": SELDOM})
    assert "1 passed" in run_in(tmp_path)
