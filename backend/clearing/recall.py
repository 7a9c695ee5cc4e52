"""Asking a bank for a payout back, and letting one that came back be tried again.

Rule 1: the question is stored before it is sent; again means the same bytes. Without an answer it
        stays *asked*, and whoever asks again gets the answer.
Rule 2: an accepted recall moves nothing here: the money is ours when the statement shows it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog

from backend.channels.iso20022 import Recall, Resolution
from backend.channels.ports import BankPort
from backend.clearing.model import MoveState, Outcome
from backend.clearing.payouts_repository import PayoutsRepository
from backend.clearing.recall_tables import PAYOUT_RECALL
from backend.clearing.settlement import ResolvePayout
from backend.clearing.tables import PAYOUT
from backend.db.command import Read
from backend.db.ports import Submit
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from protocol.errors import CallerError, OperatingError
from protocol.money import Money

CASE_PREFIX = "RCL-"
_SHOWN = ("payout_id", "merchant_id", "amount_minor", "currency", "state", "reason")
_LISTED = (*_SHOWN, "instructed_at_ms")
OUR_MEMBER, BANK_MEMBER = "TILLWAY", "RESERVE-BANK"
ASKED = "asked"
_ANSWERS = {"CNCL": "accepted", "RJCR": "refused", "PDCR": ASKED}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRecall:
    """Store the question, once per payout; ``payment_state`` unless the bank has paid it."""

    payout_id: str
    reason: str

    def reads(self) -> Iterable[Read]:
        return [(PAYOUT, self.payout_id), (PAYOUT_RECALL, self.payout_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        payout, known = ws.get(PAYOUT, self.payout_id), ws.get(PAYOUT_RECALL, self.payout_id)
        if payout is None:
            raise CallerError("payment_not_found", self.payout_id)
        if known is not None:
            return known
        if payout["state"] != MoveState.CONFIRMED:
            raise CallerError("payment_state", f"recall in {payout['state']}")
        ws.insert(
            PAYOUT_RECALL,
            {
                "payout_id": self.payout_id,
                "reason": self.reason,
                "state": ASKED,
                "asked_at_ms": now_ms,
                "updated_at_ms": now_ms,
            },
        )
        row = ws.get(PAYOUT_RECALL, self.payout_id)
        assert row is not None
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAnswer:
    """Keep the bank's answer; the first that is final stands."""

    payout_id: str
    resolution: Resolution

    def reads(self) -> Iterable[Read]:
        return [(PAYOUT_RECALL, self.payout_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = ws.get(PAYOUT_RECALL, self.payout_id)
        assert row is not None
        if row["state"] != ASKED:
            return row
        return ws.update(
            PAYOUT_RECALL,
            self.payout_id,
            state=_ANSWERS[self.resolution.confirmation],
            answer_reason=self.resolution.reason,
            updated_at_ms=now_ms,
        )


class PayoutDesk:
    """What operators do about single payouts."""

    def __init__(self, *, submit: Submit, payouts: PayoutsRepository, bank: BankPort) -> None:
        self._submit = submit
        self._payouts = payouts
        self._bank = bank

    async def show(self, payout_id: str) -> dict[str, Any]:
        """A payout and what became of its recall; ``payment_not_found``."""
        row = await self._payouts.payout(payout_id)
        if row is None:
            raise CallerError("payment_not_found", payout_id)
        recall = await self._payouts.recall(payout_id)
        return {name: row[name] for name in _SHOWN} | {"recall": _shown(recall)}

    async def of_merchant(
        self, merchant_id: str, after: tuple[int, str] | None, *, rows_max: int
    ) -> tuple[list[Row], tuple[int, str] | None]:
        """A merchant's payouts behind a time and id, the newest first; and where the next page
        begins, None behind the last of them."""
        rows = await self._payouts.of_merchant(merchant_id, limit=rows_max + 1, after=after)
        shown = [{name: row[name] for name in _LISTED} for row in rows[:rows_max]]
        if len(rows) <= rows_max:
            return shown, None
        return shown, (shown[-1]["instructed_at_ms"], shown[-1]["payout_id"])

    async def release(self, payout_id: str) -> dict[str, Any]:
        """Let a returned payout's money be paid out with the next run."""
        await self._submit(
            ResolvePayout(
                payout_id=payout_id, outcome=Outcome.RELEASE, reason="released", business_date=""
            )
        )
        return await self.show(payout_id)

    async def recall(self, payout_id: str, reason: str) -> dict[str, Any]:
        """Ask for a payout back and keep the outcome; without an answer it stays *asked*."""
        asked = await self._submit(AskRecall(payout_id=payout_id, reason=reason))
        if asked["state"] == ASKED:
            payout = await self._payouts.payout(payout_id)
            assert payout is not None
            try:
                resolution = await self._bank.recall(_question(payout, asked))
            except OperatingError as error:
                _log.warning("recall_unanswered", payout_id=payout_id, code=error.code)
            else:
                await self._submit(NoteAnswer(payout_id=payout_id, resolution=resolution))
        return await self.show(payout_id)


def _question(payout: Row, asked: Row) -> Recall:
    return Recall(
        case_id=CASE_PREFIX + payout["payout_id"],
        created_at_ms=asked["asked_at_ms"],
        assigner=OUR_MEMBER,
        assignee=BANK_MEMBER,
        original_end_to_end_id=payout["payout_id"],
        amount=Money(payout["amount_minor"], payout["currency"]),
        settlement_date=date.fromisoformat(payout["execution_date"]),
        reason=asked["reason"],
    )


def _shown(recall: Row | None) -> dict[str, Any] | None:
    columns = ("state", "reason", "answer_reason", "asked_at_ms")
    return None if recall is None else {name: recall[name] for name in columns}
