"""The charges on disk: every step is committed before anybody hears of it.

Rule 1: an id and the bytes of a request are committed before they leave, so that after any crash
        the same request is said again, and no other.
Rule 2: a beginning is found again by what the charger said of it: said twice, it is one charge.
One thread uses a journal at a time.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from hub.durable import open_durable, transaction
from hub.ocpp.early import EarlyEnd, Read
from hub.ocpp.limits import (
    EARLY_ENDS_MAX,
    SHOWN_CHARGES_MAX,
    TOKENLESS_MAX,
    UNREAD_CHARS_MAX,
    UNREAD_KEPT_MAX,
)
from hub.ocpp.model import Charge, ChargeState
from protocol.errors import CallerError

_READS = ("first", "last")
_COLUMNS = tuple(field.name for field in fields(Charge))
_SCHEMA = """
CREATE TABLE IF NOT EXISTS charge (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    payment_id TEXT NOT NULL UNIQUE,
    charger TEXT NOT NULL,
    begin_key TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    facts TEXT NOT NULL,
    UNIQUE (charger, begin_key)
) STRICT;
CREATE INDEX IF NOT EXISTS ix_charge_open ON charge (is_open, number);
CREATE TABLE IF NOT EXISTS request (
    payment_id TEXT NOT NULL,
    message_type TEXT NOT NULL,
    request_id TEXT NOT NULL,
    body TEXT NOT NULL,
    is_answered INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (payment_id, message_type)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tag (
    charger TEXT NOT NULL,
    tag TEXT NOT NULL,
    mandate_id TEXT NOT NULL,
    PRIMARY KEY (charger, tag)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unread (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    charger TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    action TEXT NOT NULL,
    why TEXT NOT NULL,
    said TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS early_end (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    charger TEXT NOT NULL,
    begin_key TEXT NOT NULL,
    facts TEXT NOT NULL,
    UNIQUE (charger, begin_key)
) STRICT;
CREATE TABLE IF NOT EXISTS tokenless (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    charger TEXT NOT NULL,
    begin_key TEXT NOT NULL,
    wh INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    UNIQUE (charger, begin_key)
) STRICT;
CREATE TABLE IF NOT EXISTS settled_end (
    charger TEXT NOT NULL,
    begin_key TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (charger, begin_key)
) STRICT, WITHOUT ROWID;
"""
EARLY = ("TransactionEvent", "an end before its beginning")
"""What is kept for a person of an early end: the action, and why."""


@dataclass(frozen=True, slots=True)
class Unread:
    """What a charger said of a transaction and nobody could read."""

    charger: str
    at_ms: int
    action: str
    why: str
    said: str


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request that is said under one id until it is answered."""

    request_id: str
    body: Mapping[str, Any]
    is_answered: bool


def open_journal(path: Path | str) -> sqlite3.Connection:
    """Open (or make) a journal whose commits survive a power cut."""
    connection = open_durable(path)
    try:
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


class ChargeJournal:
    """The statements. ``transaction`` is the boundary; a single statement is one of its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def close(self) -> None:
        """Close the database; what was committed stays."""
        self._db.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, durable when the block ends."""
        return transaction(self._db)

    # Charges

    def number_above(self, number: int) -> None:
        """Give no new charge this number or a lower one."""
        changed = self._db.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'charge'", (number,)
        )
        if not changed.rowcount:
            self._db.execute("INSERT INTO sqlite_sequence VALUES ('charge', ?)", (number,))

    def add(self, charge: Charge) -> Charge:
        """A new charge; the number it got is in what is returned."""
        cursor = self._db.execute(
            "INSERT INTO charge (payment_id, charger, begin_key, is_open, facts)"
            " VALUES (?, ?, ?, ?, ?)",
            (charge.payment_id, charge.charger, charge.key, charge.is_open, _facts(charge)),
        )
        found = self._one("number = ?", (cursor.lastrowid,))
        assert found is not None
        return found

    def save(self, charge: Charge) -> None:
        """A charge as it stands now."""
        self._db.execute(
            "UPDATE charge SET begin_key = ?, is_open = ?, facts = ? WHERE payment_id = ?",
            (charge.key, charge.is_open, _facts(charge), charge.payment_id),
        )

    def charge(self, payment_id: str) -> Charge | None:
        """One charge."""
        return self._one("payment_id = ?", (payment_id,))

    def by_number(self, charger: str, number: int) -> Charge | None:
        """The charge that an OCPP 1.6 charger calls by this transaction id."""
        return self._one("charger = ? AND number = ?", (charger, number))

    def by_key(self, charger: str, key: str) -> Charge | None:
        """The charge that began so."""
        return self._one("charger = ? AND begin_key = ?", (charger, key))

    def open_charges(self) -> list[Charge]:
        """The charges that are not over, oldest first."""
        return list(self._many("is_open = 1 ORDER BY number", ()))

    def latest(self) -> list[Charge]:
        """The newest charges, for people."""
        return list(self._many("1 ORDER BY number DESC LIMIT ?", (SHOWN_CHARGES_MAX,)))

    # Requests

    def add_request(
        self, payment_id: str, message_type: str, request_id: str, body: Mapping[str, Any]
    ) -> None:
        """A request that is about to be said for the first time."""
        self._db.execute(
            "INSERT INTO request (payment_id, message_type, request_id, body) VALUES (?, ?, ?, ?)",
            (payment_id, message_type, request_id, json.dumps(body, ensure_ascii=False)),
        )

    def request(self, payment_id: str, message_type: str) -> StoredRequest | None:
        """The request of this type about a charge, if it was minted."""
        row = self._db.execute(
            "SELECT request_id, body, is_answered FROM request"
            " WHERE payment_id = ? AND message_type = ?",
            (payment_id, message_type),
        ).fetchone()
        return StoredRequest(row[0], json.loads(row[1]), bool(row[2])) if row else None

    def answered(self, payment_id: str) -> frozenset[str]:
        """The types of a charge's requests that have their answer."""
        rows = self._db.execute(
            "SELECT message_type FROM request WHERE payment_id = ? AND is_answered = 1",
            (payment_id,),
        )
        return frozenset(row[0] for row in rows)

    def settle_request(self, payment_id: str, message_type: str) -> None:
        """The request has the backend's answer."""
        self._db.execute(
            "UPDATE request SET is_answered = 1 WHERE payment_id = ? AND message_type = ?",
            (payment_id, message_type),
        )

    # What nobody could read

    def keep_unread(self, unread: Unread) -> None:
        """Keep it for a person: the same of a charger once, as of its last time; the oldest go."""
        said = unread.said[:UNREAD_CHARS_MAX]
        self._db.execute(
            "DELETE FROM unread WHERE (charger, action, why, said) = (?, ?, ?, ?)",
            (unread.charger, unread.action, unread.why, said),
        )
        cursor = self._db.execute(
            "INSERT INTO unread (charger, at_ms, action, why, said) VALUES (?, ?, ?, ?, ?)",
            (unread.charger, unread.at_ms, unread.action, unread.why, said),
        )
        assert cursor.lastrowid is not None
        self._db.execute(
            "DELETE FROM unread WHERE number <= ?", (cursor.lastrowid - UNREAD_KEPT_MAX,)
        )

    def unread(self) -> list[Unread]:
        """What is kept, oldest first."""
        query = "SELECT charger, at_ms, action, why, said FROM unread ORDER BY number"
        return [Unread(*row) for row in self._db.execute(query)]

    def count_unread(self) -> int:
        """How many are kept."""
        count: int = self._db.execute("SELECT count(*) FROM unread").fetchone()[0]
        return count

    def forget_unread(self) -> None:
        """Forget them: a person has seen them."""
        self._db.execute("DELETE FROM unread")

    # The meter before a token

    def note_tokenless(self, charger: str, key: str, read: Read) -> None:
        """What the meter showed latest before the transaction has its token; the oldest go."""
        cursor = self._db.execute(
            "INSERT OR REPLACE INTO tokenless (charger, begin_key, wh, at_ms) VALUES (?, ?, ?, ?)",
            (charger, key, *read),
        )
        assert cursor.lastrowid is not None
        self._db.execute(
            "DELETE FROM tokenless WHERE number <= ?", (cursor.lastrowid - TOKENLESS_MAX,)
        )

    def take_tokenless(self, charger: str, key: str) -> Read | None:
        """The same, which is held no more; None: it was never said."""
        row: Read | None = self._db.execute(
            "DELETE FROM tokenless WHERE (charger, begin_key) = (?, ?) RETURNING wh, at_ms",
            (charger, key),
        ).fetchone()
        return row

    # Ends before their beginning

    def hold_end(self, early: EarlyEnd) -> None:
        """Keep it until its beginning comes: the same once. Of too many the oldest go, first of all
        what nobody has to pay."""
        self._db.execute(
            "INSERT INTO early_end (charger, begin_key, facts) VALUES (?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (early.charger, early.key, _early_facts(early)),
        )
        self._db.execute(
            "DELETE FROM early_end WHERE number IN (SELECT number FROM early_end"
            " ORDER BY json_extract(facts, '$.said') <> '', number"
            " LIMIT max((SELECT count(*) FROM early_end) - ?, 0))",
            (EARLY_ENDS_MAX,),
        )

    def early_ends(self) -> list[EarlyEnd]:
        """All that wait, as they came or as a person has settled them, oldest first."""
        query = (
            "SELECT coalesce(s.facts, e.facts) FROM early_end e"
            " LEFT JOIN settled_end s USING (charger, begin_key) ORDER BY e.number"
        )
        return [_early_end(row[0]) for row in self._db.execute(query)]

    def early_end(self, charger: str, key: str) -> EarlyEnd | None:
        """One that waits."""
        return next((e for e in self.early_ends() if (e.charger, e.key) == (charger, key)), None)

    def settle_end(self, settled: EarlyEnd) -> None:
        """A person's word on one that waits; the newest counts."""
        self._db.execute(
            "INSERT INTO settled_end (charger, begin_key, facts) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET facts = excluded.facts",
            (settled.charger, settled.key, _early_facts(settled)),
        )

    def settled_ends(self) -> list[EarlyEnd]:
        """Those that a person has settled and nothing was done about yet."""
        rows = self._db.execute("SELECT facts FROM settled_end ORDER BY charger, begin_key")
        return [_early_end(row[0]) for row in rows]

    def take_early_end(self, charger: str, key: str) -> EarlyEnd | None:
        """The end of what begins now, if it came before, as a person has settled it if one has: it
        is held no more, and no person's."""
        place = (charger, key)
        rows = [
            row
            for table in ("settled_end", "early_end")
            for row in self._db.execute(
                f"DELETE FROM {table} WHERE (charger, begin_key) = (?, ?) RETURNING facts",  # noqa: S608  # names of this file
                place,
            ).fetchall()
        ]
        if not rows:
            return None
        early = _early_end(rows[0][0])
        self._db.execute(
            "DELETE FROM unread WHERE (charger, action, why, said) = (?, ?, ?, ?)",
            (charger, *EARLY, early.said),
        )
        return early

    # Tags

    def bind_tag(self, charger: str, tag: str, mandate_id: str | None) -> None:
        """A card or a car's contract pays by this mandate from now on; None: by none."""
        if mandate_id is None:
            self._db.execute("DELETE FROM tag WHERE charger = ? AND tag = ?", (charger, tag))
            return
        self._db.execute(
            "INSERT INTO tag (charger, tag, mandate_id) VALUES (?, ?, ?)"
            " ON CONFLICT (charger, tag) DO UPDATE SET mandate_id = excluded.mandate_id",
            (charger, tag, mandate_id),
        )

    def mandate_of(self, charger: str, tag: str) -> str | None:
        """The mandate that a tag pays by at this charger."""
        row = self._db.execute(
            "SELECT mandate_id FROM tag WHERE charger = ? AND tag = ?", (charger, tag)
        ).fetchone()
        return row[0] if row else None

    def _one(self, where: str, values: tuple[object, ...]) -> Charge | None:
        return next(iter(self._many(where, values)), None)

    def _many(self, where: str, values: tuple[object, ...]) -> Iterable[Charge]:
        query = f"SELECT number, facts FROM charge WHERE {where}"  # noqa: S608  # fixed texts of this file
        for number, text in self._db.execute(query, values).fetchall():
            yield _charge(number, text)


def _facts(charge: Charge) -> str:
    return json.dumps(asdict(charge) | {"number": 0}, ensure_ascii=False, separators=(",", ":"))


def _early_facts(early: EarlyEnd) -> str:
    return json.dumps(asdict(early), ensure_ascii=False)


def _early_end(text: str) -> EarlyEnd:
    facts = json.loads(text)
    first, last = (facts[name] and (facts[name][0], facts[name][1]) for name in _READS)
    return EarlyEnd(**(facts | {"first": first, "last": last}))


def _charge(number: int, text: str) -> Charge:
    stored = json.loads(text)
    unknown = stored.keys() - set(_COLUMNS)
    if unknown:
        raise CallerError("config_invalid", f"charges.db: written by a newer version ({unknown})")
    return Charge(**(stored | {"number": number, "state": ChargeState(stored["state"])}))
