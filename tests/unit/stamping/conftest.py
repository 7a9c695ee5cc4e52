"""A ledger on each database."""

from collections.abc import Iterator

import pytest

from tests.support.books import Books, open_books


@pytest.fixture
def books(migrated_url: str) -> Iterator[Books]:
    """An empty ledger."""
    with open_books(migrated_url) as opened:
        yield opened
