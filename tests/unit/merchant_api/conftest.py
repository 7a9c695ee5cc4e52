"""A merchant's program on a shop's database. SQLite: the engine below is tested on both."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from backend.merchant_api.config import MerchantApiSettings
from backend.passkeys.model import Site
from backend.wallet.model import WalletRules
from tests.support.merchant_caller import AT_ONCE, Caller, caller_of
from tests.support.merchant_sm2 import Sm2Caller
from tests.support.migrated import migrated_sqlite
from tests.support.passkeys import ORIGIN
from tests.support.shop import UNLIMITED, Shop, bugs_in


@contextmanager
def _caller(
    directory: Path, kind: type[Caller] = Caller, settings: MerchantApiSettings = AT_ONCE
) -> Iterator[Caller]:
    rules: dict[str, Any] = {**UNLIMITED, "site": Site((ORIGIN,))}
    shop = Shop(migrated_sqlite(directory / "shop.db"), wallet=WalletRules(**rules))
    shop.add_merchant()
    with pytest.MonkeyPatch.context() as patch, caller_of(shop, patch, kind, settings) as found:
        yield found
    shop.close()


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    """One of its own: what it does stays with it."""
    with capture_logs() as logs, _caller(tmp_path) as found:
        yield found
    assert not bugs_in(logs)
    assert not [log for log in logs if log["event"] == "merchant_call_bug"]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Caller]:
    """One of a sandbox; its refunds keep their distance."""
    settings = MerchantApiSettings(sandbox=True)
    with capture_logs() as logs, _caller(tmp_path, settings=settings) as found:
        yield found
    assert not bugs_in(logs)


@pytest.fixture
def sm2_caller(tmp_path: Path) -> Iterator[Caller]:
    """One whose keys are of the Chinese suite."""
    with _caller(tmp_path, Sm2Caller) as found:
        yield found


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """One for all calls that are refused: they leave nothing behind."""
    with _caller(tmp_path_factory.mktemp("stranger")) as found:
        yield found
