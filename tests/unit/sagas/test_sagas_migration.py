"""A database of before shows its refused give-backs, knows whose each token is, and still asks
about its open top-ups."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from backend.db import migrate
from backend.db.engine import open_engine
from backend.db.migrate import upgrade
from backend.db.reading import Reader
from backend.sagas.repository import SagaRepository

SAGA = """INSERT INTO saga (saga_id, kind, payment_id, channel_id, token, currency, state,
    planned_date, reference, settlement_date, error, trace_id, amount_minor, tries, deadline_ms,
    created_at_ms, updated_at_ms, event_count) VALUES ('{0}', '{1}', 'pay_1', 'CARD', '', 'CNY',
    'refused', '2026-11-23', '', '', '', '', 5, 1, 1, 1, 1, 3)"""
TOPUP = """INSERT INTO topup (topup_id, payer_id, bank_account, amount_minor, currency, state,
    reason, settlement_date, created_at_ms, updated_at_ms) VALUES ('top_{0}', 'ann', '6222', 5,
    'CNY', '{0}', '', '', 3, 4)"""
INSTRUMENT = """INSERT INTO instrument (instrument_id, payer_id, kind, bank, last4, token, status,
    created_at_ms, updated_at_ms) VALUES ('{0}', '{1}', 'card', 'b', '1234', '{2}', 'active', {3},
    9)"""


def test_the_rows_of_before_are_carried_over(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        config = Config()
        scripts = Path(migrate.__file__).parent / "migrations"
        config.set_main_option("script_location", str(scripts))
        config.attributes["connection"] = connection
        command.upgrade(config, "sagas_0001")
        command.upgrade(config, "instruments_0001")
        command.upgrade(config, "clearing_0001")
        for state in ("unknown", "processing", "succeeded"):
            connection.exec_driver_sql(TOPUP.format(state))
        for saga_id, kind in (("pay_1", "pay"), ("rfd_1", "refund"), ("pay_1.back", "give_back")):
            connection.exec_driver_sql(SAGA.format(saga_id, kind))
        for number, (payer, token) in enumerate((("ann", "t1"), ("bob", "t1"), ("bob", "t2"))):
            connection.exec_driver_sql(INSTRUMENT.format(f"ins_{number}", payer, token, number))
    upgrade(database_url)
    with engine.connect() as connection:
        owners = connection.exec_driver_sql("SELECT * FROM channel_token ORDER BY token")
        assert [tuple(row) for row in owners] == [("NUCC", "t1", "ann"), ("NUCC", "t2", "bob")]
        tokens = connection.exec_driver_sql("SELECT * FROM instrument_channel ORDER BY 1")
        assert [tuple(row) for row in tokens] == [
            ("ins_0", "NUCC", "t1"),
            ("ins_1", "NUCC", "t1"),
            ("ins_2", "NUCC", "t2"),
        ]
        held = connection.exec_driver_sql("SELECT DISTINCT planned_channel_id FROM saga ORDER BY 1")
        assert [tuple(row) for row in held] == [("BANK",), ("CARD",)]
    engine.dispose()
    with Reader.opened(database_url) as reader:
        found = SagaRepository(reader).unfinished()
        stranded = next(saga for saga in found if saga["state"] == "stranded")
        assert stranded["saga_id"] == "pay_1.back"
        asked = {saga["saga_id"]: saga for saga in found if saga["kind"] == "top_up"}
        assert set(asked) == {"top_unknown", "top_processing"}
        assert {(one["channel_id"], one["state"]) for one in asked.values()} == {
            ("BANK", "unknown")
        }
        assert len(SagaRepository(reader).timeline("top_unknown")) == 1
