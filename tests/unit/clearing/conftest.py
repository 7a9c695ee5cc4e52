"""A database for tests whose subject is not the database: they run on SQLite only."""

from pathlib import Path

import pytest

from backend.db.migrate import upgrade


@pytest.fixture
def lite_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'backend.db'}"
    upgrade(url)
    return url
