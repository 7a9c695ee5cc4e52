"""What is being keyed in, kept in the database, so that a reload or a power cut loses no key.

Rule 1: a draft has an id before anything is sent, and becomes one payment or one cash sale at most:
        it is spent in the transaction that stores what it became (`Journal.spend_draft`).
Rule 2: a draft that was spent gives way to an empty one with another id.
"""

import json
from dataclasses import asdict, dataclass

from protocol.clock import Entropy
from protocol.errors import CallerError
from terminal.domain.cart import Cart, CartLine, changed, total_minor
from terminal.journal.store import Journal
from terminal.limits import DRAFT_DIGITS_MAX
from terminal.profile import Good

_ID_BYTES = 12


@dataclass(frozen=True, slots=True)
class Draft:
    """Digits of minor units and a note; with goods in the cart the digits are their sum. ``given``:
    the notes keyed so far, while it is being paid in cash."""

    draft_id: str
    digits: str = ""
    note: str = ""
    cart: Cart = ()
    given: str = ""


class Drafts:
    """The draft of one terminal (or of its training)."""

    def __init__(self, journal: Journal, entropy: Entropy) -> None:
        self._journal = journal
        self._entropy = entropy

    def current(self) -> Draft:
        """The draft on the keypad."""
        return self._found("spent_by IS NULL") or self.renew()

    def behind(self, payment_id: str) -> Draft | None:
        """The draft that is on the keypad again once this payment is cancelled."""
        return self._found("spent_by IS NULL OR spent_by = ?", payment_id)

    def cash_due(self) -> Draft | None:
        """The draft that was being paid in cash when the program ended."""
        return self._found("spent_by IS NULL AND is_cash_due AND digits != ''")

    def _found(self, where: str, *values: str) -> Draft | None:
        row = self._journal.database.execute(
            f"SELECT draft_id, digits, note, lines, given FROM draft WHERE {where}",  # noqa: S608
            values,
        ).fetchone()
        if row is None:
            return None
        cart = tuple(CartLine(**line) for line in json.loads(row["lines"]))
        return Draft(row["draft_id"], row["digits"], row["note"], cart, row["given"])

    def key(self, draft_id: str, *, digits: str, note: str) -> None:
        """Keep what was keyed; ``idempotency_conflict`` for a draft that is no longer there."""
        with self._journal.transaction():
            changed = self._journal.database.execute(
                "UPDATE draft SET digits = CASE lines WHEN '[]' THEN ? ELSE digits END, note = ?,"
                " is_cash_due = 0, given = '' WHERE draft_id = ? AND spent_by IS NULL",
                (digits, note, draft_id),
            )
            if changed.rowcount != 1:
                raise CallerError("idempotency_conflict", "another draft is on the keypad")

    def change(self, draft_id: str, good: Good, step: int) -> Draft:
        """One more of something, or one fewer; the digits follow the cart."""
        draft = self.current()
        cart = changed(draft.cart, good, step)
        total = total_minor(cart)
        digits = str(total) if total else ""
        if draft.draft_id != draft_id or len(digits) > DRAFT_DIGITS_MAX:
            raise CallerError("idempotency_conflict", "another draft is on the keypad")
        with self._journal.transaction():
            self._journal.database.execute(
                "UPDATE draft SET digits = ?, lines = ?, is_cash_due = 0, given = ''"
                " WHERE draft_id = ? AND spent_by IS NULL",
                (digits, _written(cart), draft_id),
            )
        return self.current()

    def take_cash(self, *, is_due: bool) -> None:
        """The draft is being paid in cash from now on, or (False) not any more."""
        with self._journal.transaction():
            self._journal.database.execute(
                "UPDATE draft SET is_cash_due = ?, given = '' WHERE spent_by IS NULL", (is_due,)
            )

    def give(self, draft_id: str, digits: str) -> None:
        """Keep the notes keyed so far; ``idempotency_conflict`` for a draft that is not being paid
        in cash."""
        with self._journal.transaction():
            given = self._journal.database.execute(
                "UPDATE draft SET given = ?"
                " WHERE draft_id = ? AND spent_by IS NULL AND is_cash_due",
                (digits, draft_id),
            )
            if given.rowcount != 1:
                raise CallerError("idempotency_conflict", "no cash is due for this draft")

    def renew(self) -> Draft:
        """Replace the draft by an empty one."""
        return self._put("", "", ())

    def again(self, subject: str, *, amount_minor: int, note: str) -> Draft:
        """Put what came to nothing back on the keypad: its amount, its note, its goods."""
        cart = tuple(CartLine(**line) for line in self._journal.sold_lines(subject))
        is_all = total_minor(cart) == amount_minor
        return self._put(str(amount_minor), note, cart if is_all else ())

    def _put(self, digits: str, note: str, cart: Cart) -> Draft:
        draft = Draft(self._entropy.token_bytes(_ID_BYTES).hex(), digits, note, cart)
        with self._journal.transaction():
            self._journal.database.execute("DELETE FROM draft")
            self._journal.database.execute(
                "INSERT INTO draft (id, draft_id, digits, note, lines) VALUES (1, ?, ?, ?, ?)",
                (draft.draft_id, digits, note, _written(cart)),
            )
        return draft


def _written(cart: Cart) -> str:
    return json.dumps([asdict(line) for line in cart])
