"""The database's own guards: that they stand as the migrations made them.

SQLite: every table, trigger and view of the ledger is compared, word for word, with those of a
fresh database in memory. PostgreSQL: triggers with their functions, constraints and columns.
"""

from collections.abc import Iterator
from functools import cache

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import StaticPool

from backend.db.migrate import upgrade_engine
from backend.db.tables import TableRef
from backend.ledger.derived_tables import BALANCE, CHECKPOINT, FOLLOWER, LOG_NODE
from backend.ledger.tables import ACCOUNT, CHAIN, GROUP, HOLD, TRANSFER

Finding = tuple[str, str]
"""Where, and why."""

_TABLES = (ACCOUNT, TRANSFER, HOLD, GROUP, CHAIN, BALANCE, LOG_NODE, FOLLOWER, CHECKPOINT)
_APPEND_ONLY = (TRANSFER, GROUP, CHECKPOINT)
_SQLITE_OBJECTS = text(
    "SELECT name, sql FROM sqlite_master WHERE substr(tbl_name, 1, 7) = 'ledger_'"
    " AND (sql IS NOT NULL OR type <> 'index') ORDER BY name"
)
_POSTGRES_TRIGGERS = text(
    "SELECT c.relname, t.tgname, t.tgtype, t.tgenabled, p.prosrc FROM pg_trigger t"
    " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
    " WHERE NOT t.tgisinternal AND left(c.relname, 7) = 'ledger_'"
    " AND c.relnamespace = current_schema()::regnamespace"
)
_POSTGRES_CONSTRAINTS = text(
    "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k"
    " JOIN pg_class c ON c.oid = k.conrelid WHERE left(c.relname, 7) = 'ledger_'"
    " AND k.contype IN ('c', 'p') AND k.convalidated"
    " AND c.relnamespace = current_schema()::regnamespace"
)
_POSTGRES_COLUMNS = text(
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull"
    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " WHERE left(c.relname, 7) = 'ledger_' AND c.relkind IN ('r', 'p') AND a.attnum > 0"
    " AND NOT a.attisdropped AND c.relnamespace = current_schema()::regnamespace"
)
# BEFORE, DELETE, UPDATE and TRUNCATE, once per statement (pg_trigger.h).
_REFUSING = 2 | 8 | 16 | 32


class GuardRepository:
    """Reads the schema of one snapshot."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"

    def missing(self) -> list[Finding]:
        """Guards that are gone or changed, and triggers that nobody of us made."""
        found, wanted = (
            (_sqlite_objects(self._connection), _sqlite_as_made())
            if self._is_sqlite
            else (self._postgres(), _postgres_as_made())
        )
        return [
            (name, _why(found.get(name), wanted.get(name)))
            for name in sorted(found.keys() | wanted.keys())
            if found.get(name) != wanted.get(name)
        ]

    def damage(self) -> Iterator[Finding]:
        """What SQLite itself finds wrong in the ledger's tables: order, types, CHECKs."""
        for table in _TABLES if self._is_sqlite else ():
            query = text(f"PRAGMA integrity_check({table.name})")
            for row in self._connection.execute(query):
                if row[0] != "ok":
                    yield table.name, f"{row[0]}".partition("\n")[0]

    def _postgres(self) -> dict[str, str]:
        """Every guard as a line of text."""
        rows = self._connection.execute
        found = {
            f"{table}: trigger {name}": f"{kind} {state} {source.strip()}"
            for table, name, kind, state, source in rows(_POSTGRES_TRIGGERS)
        }
        for table, name, rule in rows(_POSTGRES_CONSTRAINTS):
            found[f"{table}: {name}"] = " ".join(rule.split())
        for table, name, kind, is_filled in rows(_POSTGRES_COLUMNS):
            found[f"{table}.{name}"] = f"{kind} {'NOT NULL' if is_filled else 'NULL'}"
        return found


def _why(found: str | None, wanted: str | None) -> str:
    if found is None:
        return "is missing: the database does not guard this any more"
    return "is not of our making" if wanted is None else "is not as it was made"


def _sqlite_objects(connection: Connection) -> dict[str, str]:
    return {row[0]: f"{row[1]}" for row in connection.execute(_SQLITE_OBJECTS)}


@cache
def _sqlite_as_made() -> dict[str, str]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        upgrade_engine(engine)
        with engine.connect() as connection:
            return _sqlite_objects(connection)
    finally:
        engine.dispose()


def _postgres_as_made() -> dict[str, str]:
    refuses = "BEGIN RAISE EXCEPTION '{} is append-only'; END"
    made = {
        f"{table.name}: trigger {table.name}_append_only": (
            f"{_REFUSING} O {refuses.format(table.name)}"
        )
        for table in _APPEND_ONLY
    }
    for table in _TABLES:
        made |= _postgres_columns(table)
        made[f"{table.name}: pk_{table.name}"] = f"PRIMARY KEY ({', '.join(table.key_columns)})"
    return made | _POSTGRES_CHECKS


def _postgres_columns(table: TableRef) -> dict[str, str]:
    return {
        f"{table.name}.{name}": (
            f"{kind} {'NULL' if table.defaults.get(name, 0) is None else 'NOT NULL'}"
        )
        for name, kind in zip(table.columns, table.types, strict=True)
    }


# As PostgreSQL writes them out again.
_POSTGRES_CHECKS = {
    "ledger_account: ck_ledger_account_floor": (
        "CHECK (((floor_minor IS NULL) OR ( CASE side WHEN 'debit'::text"
        " THEN ((debits_posted - credits_posted) - credits_pending)"
        " ELSE ((credits_posted - debits_posted) - debits_pending) END >= floor_minor)))"
    ),
    "ledger_account: ck_ledger_account_pending": (
        "CHECK (((debits_pending >= 0) AND (credits_pending >= 0)))"
    ),
    "ledger_account: ck_ledger_account_side": (
        "CHECK ((side = ANY (ARRAY['debit'::text, 'credit'::text])))"
    ),
    "ledger_transfer: ck_ledger_transfer_amount": "CHECK ((amount_minor > 0))",
    "ledger_transfer: ck_ledger_transfer_accounts": "CHECK ((debit <> credit))",
}
