"""A shop of two merchants on a fresh database. A bug that the writer swallows fails the test."""

from collections.abc import Iterator

import pytest

from tests.support.channel_world import ChannelWorld
from tests.support.shop import Shop, shop_of_two


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    with shop_of_two(migrated_url) as shop:
        yield shop


@pytest.fixture
def world(shop: Shop) -> Iterator[ChannelWorld]:
    """The shop with a card and a fund channel beside it."""
    world = ChannelWorld(shop)
    yield world
    world.close()
