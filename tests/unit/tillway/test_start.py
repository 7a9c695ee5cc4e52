"""What each program does before its room is imported."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tillway import cli


@pytest.fixture(autouse=True)
def collector_as_before() -> Iterator[None]:
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)


def test_a_room_is_imported_with_few_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int, int]] = []
    gc.set_threshold(700, 10, 10)
    monkeypatch.setattr("sys.argv", ["tillway", "sim", "kinds"])
    monkeypatch.setattr(cli, "_run", lambda name, words: seen.append(gc.get_threshold()))
    cli.main()
    assert seen == [cli.COLLECTIONS_THAT_ARE_FEW]


def test_a_command_of_the_backend_s_waits_for_no_web_server_no_model_and_no_migration() -> None:
    code = "import sys, backend.cli; print(*{'fastapi', 'onnxruntime', 'alembic'} & {*sys.modules})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []
