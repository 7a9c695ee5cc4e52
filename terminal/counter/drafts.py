"""What is being keyed in, kept in the database, so that a reload or a power cut loses no key.

Rule 1: a draft has an id before anything is sent, and becomes one payment or one cash sale at most:
        it is spent in the transaction that stores what it became (`Journal.spend_draft`).
Rule 2: a draft that was spent gives way to an empty one with another id.
"""

from dataclasses import dataclass

from protocol.clock import Entropy
from protocol.errors import CallerError
from terminal.journal.store import Journal

_ID_BYTES = 12


@dataclass(frozen=True, slots=True)
class Draft:
    """Digits of minor units and a note."""

    draft_id: str
    digits: str = ""
    note: str = ""


class Drafts:
    """The draft of one terminal (or of its training)."""

    def __init__(self, journal: Journal, entropy: Entropy) -> None:
        self._journal = journal
        self._entropy = entropy

    def current(self) -> Draft:
        """The draft on the keypad."""
        row = self._journal.database.execute(
            "SELECT draft_id, digits, note FROM draft WHERE spent_by IS NULL"
        ).fetchone()
        return self.renew() if row is None else Draft(**dict(row))

    def key(self, draft_id: str, *, digits: str, note: str) -> None:
        """Keep what was keyed; ``idempotency_conflict`` for a draft that is no longer there."""
        with self._journal.transaction():
            changed = self._journal.database.execute(
                "UPDATE draft SET digits = ?, note = ? WHERE draft_id = ? AND spent_by IS NULL",
                (digits, note, draft_id),
            )
            if changed.rowcount != 1:
                raise CallerError("idempotency_conflict", "another draft is on the keypad")

    def renew(self, digits: str = "", note: str = "") -> Draft:
        """Another draft takes the place of the one there was."""
        draft = Draft(self._entropy.token_bytes(_ID_BYTES).hex(), digits, note)
        with self._journal.transaction():
            self._journal.database.execute("DELETE FROM draft")
            self._journal.database.execute(
                "INSERT INTO draft VALUES (1, ?, ?, ?, NULL)", (draft.draft_id, digits, note)
            )
        return draft
