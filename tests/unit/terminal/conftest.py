"""What tests of the till share."""

import pytest

from tests.support.counter_room import Room


@pytest.fixture
def room() -> Room:
    return Room()
