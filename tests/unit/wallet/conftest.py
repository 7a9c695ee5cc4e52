"""A shop of two merchants on a fresh database."""

from collections.abc import Iterator

import pytest

from tests.support.shop import OTHER_MERCHANT, Shop


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    shop = Shop(migrated_url)
    shop.add_merchant()
    shop.add_merchant(OTHER_MERCHANT)
    yield shop
    shop.close()
