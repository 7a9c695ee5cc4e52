"""What a channel has taken twice, or without our asking, goes back by its own number.

Rule 1: only what stands in LONG and that the channel's file names by a number that is no order's of
        ours: the true order's refundable amount is never touched.
Rule 2: a conversation's id comes from the break and the try, so that whoever begins it, and however
        often, the money goes back once.
Rule 3: what the channel will not have back stays in LONG, and in the queue with its reason, until a
        person assigns it or asks once more.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from backend.channels.facts import Offer
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import service as ledger
from backend.payments import channel_posting
from backend.payments.by_channel import move_by_answer
from backend.payments.model import PaymentRules
from backend.reconciliation.breaks import RETURNED_WHEN_AGED, BreakState, BreakStep, proposed
from backend.reconciliation.cases import SYSTEM, move_case
from backend.reconciliation.limits import (
    RETURN_REFUSALS_MAX,
    RETURN_TRIES_MAX,
    WORDS_CHARS_MAX,
)
from backend.reconciliation.tables import CASE
from backend.sagas.model import SagaKind, SagaStep
from backend.sagas.ports import Word
from backend.sagas.tables import SAGA
from backend.sagas.timeline import note_silence, plan
from protocol import ids
from protocol.errors import CallerError


def obstacle(row: Row, rules: PaymentRules) -> str:
    """Why a break's money cannot be asked back through its channel; empty if it can be."""
    channel_id = _channel_id(row)
    facts = rules.routing.facts.get(channel_id)
    if row["kind"] not in RETURNED_WHEN_AGED or (row["theirs_minor"] or 0) <= 0:
        return "not money that the channel has taken too much of"
    if row["state"] != BreakState.POSTED:
        return f"it is {row['state']}, and not in LONG"
    if facts is None or Offer.RETURN not in facts.offers:
        return f"{channel_id} gives nothing back by its own number"
    return "" if row["channel_reference"] else "the file names no number of its own for it"


def proposal(row: Row, rules: PaymentRules) -> BreakStep | None:
    """The one thing that a person is asked to do about a break, a row with its ``refusals``."""
    can_go_back = not obstacle(row, rules) and row["refusals"] < RETURN_REFUSALS_MAX
    return proposed(BreakState(row["state"]), excess_minor(row), can_go_back=can_go_back)


def excess_minor(row: Row) -> int:
    """What the institution has more than we."""
    excess: int = (row["theirs_minor"] or 0) - (row["ours_minor"] or 0)
    return excess


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBack:
    """Begin the conversation, in one transaction with the break's step; returns the break's row.
    ``break_state`` where there is an obstacle. ``is_first``: only if nobody has asked before, and
    what cannot go back stays as it is: the run that asks has other breaks to see to."""

    follows: Row
    rules: PaymentRules
    actor: str = SYSTEM
    words: str = ""
    is_first: bool = False

    def reads(self) -> Iterable[Read]:
        row = self.follows
        tries = [(SAGA, return_id(row, number)) for number in range(1, RETURN_TRIES_MAX + 1)]
        return [(CASE, row["break_id"]), (SAGA, row["reference"]), *tries]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = ws.get(CASE, self.follows["break_id"])
        assert row is not None, "breaks are never removed"
        if row["state"] == BreakState.RETURNING:
            return row
        ids_tried = [return_id(row, number) for number in range(1, RETURN_TRIES_MAX + 1)]
        tried = sum(ws.get(SAGA, one) is not None for one in ids_tried)
        why = self._obstacle(ws, row, tried)
        if self.is_first and (tried or why):
            return row
        if why:
            raise CallerError("break_state", why)
        channel_id = _channel_id(row)
        plan(
            ws,
            saga_id=ids_tried[tried],
            kind=SagaKind.RETURN,
            payment_id=row["break_id"],
            channel_id=channel_id,
            amount_minor=row["theirs_minor"],
            currency=row["currency"],
            planned_date=self.rules.business_date(now_ms),
            now_ms=now_ms,
        )
        return move_case(
            ws, row, BreakStep.ASK_BACK, now_ms=now_ms, actor=self.actor, words=self.words
        )

    def _obstacle(self, ws: WorkingSet, row: Row, tried: int) -> str:
        why, order = obstacle(row, self.rules), ws.get(SAGA, row["reference"])
        if not why and order is not None and order["reference"] == row["channel_reference"]:
            why = "the number is the true order's"
        if not why and tried == RETURN_TRIES_MAX:
            why = f"asked {RETURN_TRIES_MAX} times"
        return why


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveReturn:
    """Draw the consequence of the channel's word: the money has left LONG and the break is over, or
    it stays and the break is a person's. Safe to repeat. Answers the conversation's row."""

    saga_id: str
    word: Word
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(SAGA, self.saga_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        saga, answer = ws.get(SAGA, self.saga_id), self.word.answer
        if saga is None or answer is None:
            return []
        transfers = channel_posting.given_back(saga, answer, "")
        return [(CASE, saga["payment_id"]), *ledger.reads(transfers)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        saga, answer = ws.get(SAGA, self.saga_id), self.word.answer
        assert saga is not None, "conversations are never removed"
        if saga["next_try_ms"] is None:
            return saga
        if answer is None:
            return note_silence(ws, saga, error=self.word.error, now_ms=now_ms)
        row = ws.get(CASE, saga["payment_id"])
        assert row is not None, "breaks are never removed"
        if answer.state != "succeeded":
            words = answer.reason[:WORDS_CHARS_MAX]
            move_case(ws, row, BreakStep.KEEP, now_ms=now_ms, words=words)
            return move_by_answer(ws, saga, SagaStep.REFUSE, answer, now_ms)
        date = self.rules.business_date(now_ms)
        ledger.post(ws, channel_posting.given_back(saga, answer, date), now_ms)
        move_case(ws, row, BreakStep.GIVE_BACK, now_ms=now_ms)
        return move_by_answer(ws, saga, SagaStep.SUCCEED, answer, now_ms)


def return_id(row: Row, number: int) -> str:
    """The id of a break's conversation, by which the channel knows the refund."""
    digest = hashlib.sha256(f"{row['break_id']} {number}".encode()).digest()
    return ids.mint(ids.RETURN, time_ms=row["found_at_ms"], random_bytes=digest[: ids.RANDOM_BYTES])


def _channel_id(row: Row) -> str:
    source: str = row["source"]
    return source.removeprefix("channel ")
