"""A shop of two merchants with a console, on a fresh database of each kind."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.support.console_world import ConsoleWorld, console_world
from tests.support.shop import OTHER_MERCHANT, Shop, bugs_in


@pytest.fixture
def world(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsoleWorld]:
    monkeypatch.setattr("backend.console.model.SCRYPT_LOG2_N", 4)  # slow enough for no test's sake
    shop = Shop(migrated_url)
    shop.add_merchant()
    shop.add_merchant(OTHER_MERCHANT)
    with capture_logs() as logs, console_world(shop) as world:
        yield world
    shop.close()
    assert not bugs_in(logs)
