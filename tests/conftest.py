"""Fixtures of the whole suite."""

from pathlib import Path

import pytest


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """A fresh, empty database."""
    return f"sqlite:///{tmp_path / 'backend.db'}"
