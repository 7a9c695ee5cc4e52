"""A shop of two merchants on a fresh database. A bug that the writer swallows fails the test."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from backend.wallet.model import WalletRules
from tests.support.shop import OTHER_MERCHANT, Shop, bugs_in
from tests.support.wallet_http import client_of


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    shop = Shop(migrated_url, wallet=WalletRules())
    shop.add_merchant()
    shop.add_merchant(OTHER_MERCHANT)
    with capture_logs() as logs:
        yield shop
    shop.close()
    assert not bugs_in(logs)


@pytest.fixture
def http(shop: Shop) -> Iterator[TestClient]:
    """The shop's wallets over HTTP."""
    with client_of(shop) as client:
        yield client
