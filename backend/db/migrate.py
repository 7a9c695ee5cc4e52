"""Bringing a database to this program's schema.

Each room has its own branch of revisions, with no parent in another room's:
``backend/db/migrations/versions/<branch>_0001_….py`` with ``down_revision = None`` and
``branch_labels = ("<branch>",)``; the next one names the one before. ``upgrade`` runs all heads.
A room whose migration needs another's tables first says ``depends_on = "<that revision>"``.
A room with tables is named in ``TABLE_MODULES``: the schema test looks at the tables
that are declared there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, Table, text

from backend.db.engine import open_engine
from backend.db.tables import BackendTable

TABLE_MODULES = (
    "backend.audit.tables",
    "backend.clearing.evening_tables",
    "backend.clearing.recall_tables",
    "backend.clearing.tables",
    "backend.console.tables",
    "backend.coupons.stocks.tables",
    "backend.coupons.tables",
    "backend.destinations.tables",
    "backend.devices.tables",
    "backend.disputes.tables",
    "backend.firmware.tables",
    "backend.identity.tables",
    "backend.instruments.tables",
    "backend.ledger.derived_tables",
    "backend.ledger.tables",
    "backend.mandates.tables",
    "backend.merchant_api.combine.tables",
    "backend.merchant_api.funds.tables",
    "backend.merchant_api.keys.tables",
    "backend.merchant_api.orders.tables",
    "backend.merchant_api.papay.tables",
    "backend.merchant_api.partners.tables",
    "backend.merchant_api.payers.tables",
    "backend.merchant_api.payscore.tables",
    "backend.merchant_api.refunds.tables",
    "backend.merchant_api.transfers.tables",
    "backend.merchant_api.v2.red_packets.tables",
    "backend.merchant_api.wire.tables",
    "backend.merchant_transfers.tables",
    "backend.merchants.tables",
    "backend.notify.tables",
    "backend.observability.tables",
    "backend.offline.tables",
    "backend.passkeys.tables",
    "backend.pay_page.tables",
    "backend.payments.tables",
    "backend.reconciliation.tables",
    "backend.red_packets.tables",
    "backend.refunds.tables",
    "backend.risk.aml.reports.tables",
    "backend.risk.cases.tables",
    "backend.risk.labels.tables",
    "backend.risk.lists.tables",
    "backend.risk.judging.tables",
    "backend.risk.models.tables",
    "backend.risk.devices.tables",
    "backend.risk.rules.tables",
    "backend.risk.tables",
    "backend.rollouts.tables",
    "backend.routing.tables",
    "backend.sagas.tables",
    "backend.shards.tables",
    "backend.sharing.tables",
    "backend.stamping.tables",
    "backend.switches.tables",
    "backend.topups.tables",
    "backend.unionpay_trace.tables",
    "backend.twins.tables",
    "backend.wallet.tables",
    "backend.withdrawals.tables",
)

_SCRIPTS = Path(__file__).parent / "migrations"
POSTGRES_LOCK = 0x7469_6C6C_7761_79  # "tillway": backends that start together take turns


def upgrade(url: str) -> None:
    """Run every revision that the database has not seen. Safe to call at every start."""
    engine = open_engine(url)
    try:
        upgrade_engine(engine)
    finally:
        engine.dispose()


def upgrade_engine(engine: Engine) -> None:
    """As ``upgrade``, on an engine that is open already."""
    with _exclusive(engine) as connection:
        if is_upgraded(connection):
            return
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")


def is_upgraded(connection: Connection) -> bool:
    """Whether the database has seen every revision that this program knows, and no other."""
    current = MigrationContext.configure(connection).get_current_heads()
    try:
        return not list(_scripts().iterate_revisions("heads", current, implicit_base=True))
    except (CommandError, RevisionError):
        return False


def own_tables() -> list[Table]:
    """The tables of this program, by their names; not what else a process has declared."""
    classes = {
        found
        for module in TABLE_MODULES
        for found in vars(import_module(module)).values()
        if isinstance(found, type) and issubclass(found, BackendTable) and found != BackendTable
    }
    names = {str(found.__tablename__) for found in classes}
    return [BackendTable.metadata.tables[name] for name in sorted(names)]


def differences(engine: Engine) -> list[object]:
    """What the migrated database and the tables of this program disagree on; empty if nothing."""
    ours = {table.name for table in own_tables()}

    def counts(_item: object, name: str | None, kind: str, reflected: bool, _other: object) -> bool:
        return kind != "table" or reflected or name in ours

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": counts})
        return list(compare_metadata(context, BackendTable.metadata))


@cache
def _scripts() -> ScriptDirectory:
    """Every revision of this program: compiled once in a process, which costs more than asking a
    database what it has seen."""
    scripts = ScriptDirectory.from_config(_config())
    scripts.get_heads()
    return scripts


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


@contextmanager
def _exclusive(engine: Engine) -> Iterator[Connection]:
    """One transaction that no other migration shares."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": POSTGRES_LOCK})
            yield connection
        else:
            driver = connection.connection.driver_connection
            assert driver is not None
            before, driver.isolation_level = driver.isolation_level, None
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            driver.isolation_level = before
        connection.commit()
