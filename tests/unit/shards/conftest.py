"""Three founded shards on SQLite: migrated once, copied for every test."""

import shutil
from pathlib import Path

import pytest

from tests.support.shards import founded

COUNT = 3


def addresses(folder: Path) -> list[str]:
    return [f"sqlite:///{folder / f'shard{number}.db'}" for number in range(COUNT)]


@pytest.fixture(scope="session")
def founded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("founded")
    founded(addresses(folder))
    return folder


@pytest.fixture
def urls(founded_once: Path, tmp_path: Path) -> list[str]:
    folder = tmp_path / "shards"
    shutil.copytree(founded_once, folder)
    return addresses(folder)
