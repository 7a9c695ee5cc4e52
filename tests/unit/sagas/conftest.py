"""A shop whose payers pay by card or fund. A bug that the writer swallows fails the test."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.support.channel_world import ChannelWorld
from tests.support.shop import Shop, bugs_in


@pytest.fixture
def world(migrated_url: str) -> Iterator[ChannelWorld]:
    shop = Shop(migrated_url)
    shop.add_merchant()
    world = ChannelWorld(shop)
    with capture_logs() as logs:
        yield world
    world.close()
    shop.close()
    assert not bugs_in(logs)
