"""A shop whose payers pay by card or fund. A bug that the writer swallows fails the test."""

from collections.abc import Iterator

import pytest

from tests.support.channel_world import ChannelWorld, quiet_channel_world


@pytest.fixture
def world(migrated_url: str) -> Iterator[ChannelWorld]:
    with quiet_channel_world(migrated_url) as world:
        yield world
