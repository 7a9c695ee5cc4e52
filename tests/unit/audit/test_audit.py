"""The audit log: what is kept, that it only grows, and that a change is found."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import DBAPIError

from backend.audit.export import acts_csv
from backend.audit.model import Act, ActKind
from backend.audit.repository import ActFilter, AuditRepository
from backend.audit.service import Audited, KeepAct
from backend.db.engine import open_engine
from backend.merchants.service import ChangeMerchant
from protocol.errors import CallerError
from tests.support.shop import MERCHANT, Shop, shop_of_two


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    with shop_of_two(migrated_url) as shop:
        yield shop


def act(what: str, **changes: str) -> Act:
    fields = {"actor": "console:li.na", "origin": "192.0.2.7", "subject": "payment pay_1"}
    return Act(kind=ActKind.REQUEST, what=what, **(fields | changes))


def test_acts_are_numbered_found_again_and_hold_together(shop: Shop) -> None:
    for number in range(5):
        shop.do(KeepAct(act(f"step {number}", merchant_id=MERCHANT if number % 2 else "")))
    audit = AuditRepository(shop.reader)
    assert [row["number"] for row in audit.acts(ActFilter(), before=4, limit=2)] == [3, 2]
    assert len(audit.acts(ActFilter(merchant_id=MERCHANT), limit=10)) == 2
    assert len(audit.acts(ActFilter(actor="li.na", subject="pay_"), limit=10)) == 5
    assert audit.acts(ActFilter(actor="li%na"), limit=10) == []
    assert audit.first_broken() is None


def test_a_refused_command_leaves_no_line(shop: Shop) -> None:
    command = ChangeMerchant(merchant_id="mch_9", biometric_above_minor=1)
    with pytest.raises(CallerError, match="merchant_unknown"):
        shop.do(Audited(command=command, act=act("limit")))
    assert AuditRepository(shop.reader).acts(ActFilter(), limit=1) == []


@pytest.mark.parametrize(
    "change", ["UPDATE audit_act SET actor = 'nobody'", "DELETE FROM audit_act"]
)
def test_the_database_refuses_to_change_an_act(shop: Shop, change: str) -> None:
    shop.do(KeepAct(act("step")))
    engine = open_engine(shop.url)
    try:
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.exec_driver_sql(change)
    finally:
        engine.dispose()


def test_an_act_that_was_changed_behind_the_guards_is_named(shop: Shop) -> None:
    for number in range(3):
        shop.do(KeepAct(act(f"step {number}")))
    engine = open_engine(shop.url)
    is_sqlite = engine.dialect.name == "sqlite"
    off = (
        "DROP TRIGGER audit_act_no_update"
        if is_sqlite
        else "ALTER TABLE audit_act DISABLE TRIGGER audit_act_append_only"
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(off)
        connection.exec_driver_sql("UPDATE audit_act SET reason = 'other' WHERE number = 2")
    engine.dispose()
    assert AuditRepository(shop.reader).first_broken() == 2


def test_the_file_has_every_act_and_no_formula(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.audit.export.ACTS_PER_READ", 2)
    for number in range(5):
        shop.do(KeepAct(act(f"=step {number}")))
    audit = AuditRepository(shop.reader)

    async def whole() -> bytes:
        async def read(before: int | None, limit: int) -> list[dict[str, object]]:
            return audit.acts(ActFilter(), before=before, limit=limit)

        return b"".join([piece async for piece in acts_csv(read)])

    lines = asyncio.run(whole()).decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["number", "5", "4", "3", "2", "1"]
    assert "'=step 4" in lines[1]
