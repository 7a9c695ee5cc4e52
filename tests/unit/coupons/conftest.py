"""A shop of two merchants on a fresh database. A bug that the writer swallows fails the test."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.support.channels import ChannelWorld
from tests.support.shop import OTHER_MERCHANT, Shop, bugs_in


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    shop = Shop(migrated_url)
    shop.add_merchant()
    shop.add_merchant(OTHER_MERCHANT)
    with capture_logs() as logs:
        yield shop
    shop.close()
    assert not bugs_in(logs)


@pytest.fixture
def world(shop: Shop) -> Iterator[ChannelWorld]:
    """The shop with a card and a fund channel beside it."""
    world = ChannelWorld(shop)
    yield world
    world.close()
