"""Settlement of institutions' own money, gross and in real time, with a queue for what lacks cover.

Rule 1: the legs of an entry settle together or not at all.
Rule 2: no account goes below its limit: zero, or the line that its cover allows.
Rule 3: of one debtor's entries none overtakes an earlier one; other debtors' do not wait for it.
        A debtor is who pays more in an entry than it gets there.
Rule 4: what waits is tried again whenever money has come in; at the window's close it is refused
        (TM01), except what settles at any time (clearing houses' results, small payments).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

from backend.channels.iso20022 import Leg
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.settling import SettlementWord
from backend.sandbox.reserve_bank.limits import LEGS_PER_ENTRY_MAX, QUEUE_ENTRIES_MAX
from protocol.errors import CallerError, OperatingError
from protocol.money import Money

Kind = Literal["reserve", "settlement"]


class Rtgs:
    """The accounts' limits and the queue, in the reserve bank's books."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._db = books.db
        books.add_tables("backend.sandbox.reserve_bank", "schema.sql")

    def add_member(self, number: str, *, kind: Kind, line_minor: int) -> None:
        """Say what an account is for and how far below zero its cover lets it go."""
        self._db.execute(
            "INSERT INTO member VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET line_minor = ?3",
            (number, kind, line_minor),
        )

    def available(self, number: str) -> int:
        """What an account can pay: its balance and line, less what creditors' banks were asked to
        take."""
        (line_minor,) = self._db.execute(
            "SELECT coalesce(max(line_minor), 0) FROM member WHERE number = ?", (number,)
        ).fetchone()
        (asked_minor,) = self._db.execute(
            "SELECT coalesce(sum(amount_minor), 0) FROM transfer"
            " WHERE state = 'asked' AND debtor = ?",
            (number,),
        ).fetchone()
        return int(self._books.balance(number).amount_minor + line_minor - asked_minor)

    def submit(
        self,
        message_id: str,
        digest: bytes,
        legs: Sequence[Leg],
        *,
        any_time: bool,
        info: str,
        refusal: str = "",
    ) -> SettlementWord:
        """Take an entry into the queue, once; whether it settles, ``settle_waiting`` tells. One
        with a ``refusal`` is kept as refused. Other content under a known id raises
        ``idempotency_conflict``. Call it inside a transaction."""
        known = self._db.execute(
            "SELECT digest FROM entry WHERE message_id = ?", (message_id,)
        ).fetchone()
        if known is not None:
            if known[0] != digest:
                raise CallerError("idempotency_conflict", "message id")
            return self.word(message_id)
        (waiting,) = self._db.execute(
            "SELECT count(*) FROM entry WHERE state = 'waiting'"
        ).fetchone()
        if waiting >= QUEUE_ENTRIES_MAX or len(legs) > LEGS_PER_ENTRY_MAX:
            raise OperatingError("busy", "the queue is full")
        reason = refusal or self._why_never(legs)
        cursor = self._db.execute(
            "INSERT INTO entry (message_id, digest, any_time, info, state, reason)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (message_id, digest, any_time, info, "refused" if reason else "waiting", reason),
        )
        self._db.executemany(
            "INSERT INTO leg VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (cursor.lastrowid, position, leg.reference, leg.debtor, leg.creditor,
                 leg.amount.amount_minor, leg.amount.currency)
                for position, leg in enumerate(legs)
            ],
        )  # fmt: skip
        return self.word(message_id)

    def settle_waiting(self, day: date) -> int:
        """Try what waits, in order, until nothing moves any more. Returns how many settled. Call
        it inside a transaction."""
        count = 0
        while self._pass(day):
            count += 1
        return count

    def cancel(self, message_id: str) -> SettlementWord:
        """Take an entry that still waits out of the queue; of another the word stands."""
        self._refuse("message_id = ?", "CUST", message_id)
        return self.word(message_id)

    def close_window(self) -> None:
        """Refuse what waits and may not wait past the close."""
        self._refuse("any_time = ?", "TM01", 0)

    def word(self, message_id: str) -> SettlementWord:
        """What became of an entry."""
        row = self._db.execute(
            "SELECT state, reason FROM entry WHERE message_id = ?", (message_id,)
        ).fetchone()
        if row is None:
            raise CallerError("payment_not_found", "entry")
        return SettlementWord(row[0], row[1])

    def waiting(self) -> list[str]:
        """The messages that wait, in order of arrival."""
        rows = self._db.execute(
            "SELECT message_id FROM entry WHERE state = 'waiting' ORDER BY number"
        )
        return [row[0] for row in rows]

    def _refuse(self, which: str, reason: str, value: str | int) -> None:
        self._db.execute(
            f"UPDATE entry SET state = 'refused', reason = ? WHERE state = 'waiting' AND {which}",  # noqa: S608  # one of two conditions above
            (reason, value),
        )

    def _pass(self, day: date) -> bool:
        """One pass over the queue: settle the first entry that can; whether there was one."""
        blocked: set[str] = set()
        rows = self._db.execute(
            "SELECT number, info FROM entry WHERE state = 'waiting' ORDER BY number"
        ).fetchall()
        for number, info in rows:
            legs = self._legs(number)
            owed = _net_payments(legs)
            if not owed.keys() & blocked and self._has_cover(owed):
                for leg in legs:
                    self._books.move(leg.reference, leg.debtor, leg.creditor, leg.amount, day, info)
                self._db.execute("UPDATE entry SET state = 'settled' WHERE number = ?", (number,))
                return True
            blocked |= owed.keys()
        return False

    def _has_cover(self, owed: Mapping[str, int]) -> bool:
        return all(self.available(one) >= minor for one, minor in owed.items())

    def _why_never(self, legs: Sequence[Leg]) -> str:
        for leg in legs:
            debtor, creditor = self._books.account(leg.debtor), self._books.account(leg.creditor)
            if debtor is None or creditor is None or leg.debtor == leg.creditor:
                return "AC01"
            if {debtor[1], creditor[1]} != {leg.amount.currency}:
                return "AM03"
            if self._is_known(leg.reference):
                return "DUPL"
        return ""

    def _is_known(self, reference: str) -> bool:
        """Whether a reference has moved money or is about to."""
        return (
            self._books.has_moved(reference)
            or self._db.execute(
                "SELECT 1 FROM leg JOIN entry ON entry.number = leg.entry"
                " WHERE leg.reference = ? AND entry.state = 'waiting'",
                (reference,),
            ).fetchone()
            is not None
        )

    def _legs(self, entry: int) -> list[Leg]:
        rows = self._db.execute(
            "SELECT reference, debtor, creditor, amount_minor, currency FROM leg"
            " WHERE entry = ? ORDER BY position",
            (entry,),
        )
        return [Leg(r, d, c, Money(minor, currency)) for r, d, c, minor, currency in rows]


def _net_payments(legs: Sequence[Leg]) -> dict[str, int]:
    """Who pays in an entry more than it gets there, and how much more: its debtors."""
    net: dict[str, int] = {}
    for leg in legs:
        net[leg.debtor] = net.get(leg.debtor, 0) + leg.amount.amount_minor
        net[leg.creditor] = net.get(leg.creditor, 0) - leg.amount.amount_minor
    return {one: minor for one, minor in net.items() if minor > 0}
