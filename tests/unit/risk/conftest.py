"""A shop of two merchants, on both databases or on the embedded one alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop, shop_of_two


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    """On SQLite and on PostgreSQL: for what SQL itself answers."""
    with shop_of_two(migrated_url) as shop:
        yield shop


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Shop]:
    """On SQLite: for what the commands decide."""
    with shop_of_two(migrated_sqlite(tmp_path / "backend.db")) as shop:
        yield shop
