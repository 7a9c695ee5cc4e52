"""The lists' and the device's rows are read in the payment's own transaction: without them nobody
pays, and where they only come late the payment is judged by all of them."""

import threading
import time
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from backend.db import postgres_store
from backend.db.sqlite_store import SqliteStore
from backend.db.store import StoreError
from backend.db.tables import Key, TableRef, Values
from backend.risk.cases.model import CaseClock
from backend.risk.devices.tables import DEVICE_TRUST
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from backend.risk.judging.repository import DecisionRepository
from backend.risk.lists.service import SetBlock
from backend.risk.lists.tables import LIST_ENTRY
from protocol.errors import OperatingError
from tests.support.postgres import Cluster
from tests.support.shop import Shop, bugs_in

PAID_MINOR = 500
only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
only_postgres = pytest.mark.parametrize(
    "database_kind", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
each_table = pytest.mark.parametrize("table", [LIST_ENTRY, DEVICE_TRUST], ids=lambda ref: ref.name)


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    clock = CaseClock(lambda day: day.weekday() < 5, 8 * 3600 * 1000)
    shop = Shop(migrated_url, engine=Engine(RiskDesk(), clock))
    shop.add_merchant()
    yield shop
    shop.close()


class Rows:
    """SQLite, of which one table cannot be read, or only after a while."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, table: TableRef) -> None:
        self.is_dead, self.waits_s, self.reads = False, 0.0, 0
        fetch = SqliteStore.fetch

        def watched(store: SqliteStore, ref: TableRef, keys: Sequence[Key]) -> list[Values]:
            if ref is table:
                self.reads += 1
                time.sleep(self.waits_s)
                if self.is_dead:
                    raise StoreError("failed", "disk I/O error")
            return fetch(store, ref, keys)

        monkeypatch.setattr(SqliteStore, "fetch", watched)


def decisions(shop: Shop) -> int:
    return len(list(DecisionRepository(shop.reader).since(0)))


def refuses_until(shop: Shop, code: str) -> None:
    """An attempt is answered so, and nothing of it is kept."""
    payer = shop.add_payer(balance_minor=10_000)
    body = shop.create_body("pay_code", PAID_MINOR, pay_code=shop.code(payer))
    before, moved = decisions(shop), shop.rows("SELECT count(*) AS n FROM ledger_transfer")
    with capture_logs() as logs, pytest.raises(OperatingError) as refused:
        shop.ask("payment.create", body, request_id="req_1")
    assert refused.value.code == code
    assert [log["event"] for log in bugs_in(logs)] == ["group_failed"]
    assert decisions(shop) == before
    assert shop.rows("SELECT count(*) AS n FROM ledger_transfer") == moved


@only_sqlite
@each_table
def test_a_row_that_cannot_be_read_is_never_taken_for_a_good_one(
    shop: Shop, table: TableRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Rows(monkeypatch, table)
    payer = shop.add_payer(balance_minor=10_000)
    body = shop.create_body("pay_code", PAID_MINOR, pay_code=shop.code(payer))
    rows.is_dead = True
    refuses_until(shop, "internal")
    with pytest.raises(OperatingError):
        shop.ask("payment.create", body, request_id="req_2")
    rows.is_dead = False
    assert shop.ask("payment.create", body, request_id="req_2")["state"] == "captured"
    assert decisions(shop) == 1


@only_sqlite
@each_table
def test_a_row_that_comes_late_is_waited_for_and_counts(
    shop: Shop, table: TableRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    shop.do(SetBlock(payer_id=payer, is_on=True, reason="盗刷"))
    rows = Rows(monkeypatch, table)
    rows.waits_s = 0.1
    answer = shop.pay(payer, PAID_MINOR)
    assert rows.reads
    assert answer["state"] == "declined"
    [row] = DecisionRepository(shop.reader).since(0)
    assert not row["trouble"]


@only_postgres
@each_table
def test_a_table_that_somebody_holds_keeps_payments_waiting_for_a_bounded_time_and_closed(
    shop: Shop, table: TableRef, postgres_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "POSTGRES_LOCK_TIMEOUT_MS", 100)
    shop.close()
    shop.__post_init__()  # a writer with this patience
    payer = shop.add_payer(balance_minor=10_000)
    shop.do(SetBlock(payer_id=payer, is_on=True, reason="盗刷"))
    name = str(make_url(shop.url).database)
    with psycopg.connect(postgres_cluster.dsn(name)) as stranger:
        lock = f"LOCK TABLE {table.name} IN ACCESS EXCLUSIVE MODE".encode()
        stranger.execute(lock)
        refuses_until(shop, "busy")
        stranger.rollback()
        stranger.execute(lock)
        later = threading.Timer(0.15, stranger.rollback)
        later.start()
        assert shop.pay(payer, PAID_MINOR)["state"] == "declined"
        later.join()
    assert shop.pay(shop.add_payer(balance_minor=10_000), PAID_MINOR)["state"] == "captured"
