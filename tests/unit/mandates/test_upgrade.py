"""A database of before: its mandates keep what they took, and their payments can be undone."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from backend.db import migrate
from backend.db.engine import open_engine
from tests.support.shop import START_MS

BEFORE = "payments_0002"
_SCRIPTS = "backend/db/migrations"


def insert(connection: Connection, table: str, **columns: object) -> None:
    names = ", ".join(columns)
    values = ", ".join(f":{name}" for name in columns)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), columns)


def old_mandate(connection: Connection, mandate_id: str, status: str) -> None:
    insert(
        connection, "mandate", mandate_id=mandate_id, payer_id="p", merchant_id="m",
        device="d", currency="CNY", limit_payment_minor=9, limit_day_minor=9,
        valid_from_ms=0, valid_until_ms=1, status=status, signed=b"s", spent_day="2026-11-23",
        spent_minor=5, created_at_ms=START_MS, updated_at_ms=START_MS,
    )  # fmt: skip


def old_payment(connection: Connection, payment_id: str, state: str, day: str, minor: int) -> None:
    insert(
        connection, "payment", payment_id=payment_id, merchant_id="m", store="s", device="d",
        till="", cashier="", method="mandate", state=state, amount_minor=minor, currency="CNY",
        description="", mandate_id="mdt_1", refunded_minor=0, refund_count=0, fee_minor=0,
        fee_returned_minor=0, fee_plan_version=1, verification="none", created_at_ms=START_MS,
        updated_at_ms=START_MS, business_date=day, body_hash=b"", trace_id="", event_count=1,
    )  # fmt: skip


def test_an_upgrade_counts_the_month_and_knows_each_use(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", _SCRIPTS)
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    with engine.begin() as connection:
        old_mandate(connection, "mdt_1", "active")
        old_mandate(connection, "mdt_2", "suspended")
        for payment_id, state, day, minor in (
            ("pay_1", "captured", "2026-11-23", 2),
            ("pay_2", "refunded", "2026-11-23", 3),
            ("pay_3", "captured", "2026-11-01", 4),
            ("pay_4", "captured", "2026-10-31", 5),
            ("pay_5", "reversed", "2026-11-23", 6),
            ("pay_6", "declined", "2026-11-23", 7),
        ):
            old_payment(connection, payment_id, state, day, minor)
    migrate.upgrade(database_url)
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT mandate_id, status, spent_month_minor FROM mandate ORDER BY 1")
        )
        assert [tuple(row) for row in rows] == [
            ("mdt_1", "active", 9),
            ("mdt_2", "suspended_by_payer", 0),
        ]
        uses = connection.execute(text("SELECT payment_id FROM mandate_use ORDER BY 1"))
        assert [row[0] for row in uses] == ["pay_1", "pay_2", "pay_3", "pay_4"]
    engine.dispose()
