"""The merchants' transfers' commands (posting rule 18: money kept for somebody)."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.disputes.cover import collect, collect_reads
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.merchant_transfers.limits import LIFE_MS, NAMED_FROM_MINOR, TRANSFER_MINOR_MAX
from backend.merchant_transfers.model import (
    NOT_TAKEN,
    TRANSITIONS,
    WRONG_NAME,
    TransferState,
    TransferStep,
    next_state,
)
from backend.merchant_transfers.tables import MERCHANT_TRANSFER
from backend.merchants.tables import MERCHANT
from backend.notify.outbox import put_callback
from backend.payments.model import PaymentRules
from backend.wallet.service import payer_row
from backend.wallet.tables import PAYER
from protocol.errors import CallerError

FINISHED = "merchant_transfer.finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeTransfer:
    """A transfer under a fresh id; who calls keeps it from being made twice. Answers its row.
    ``merchant_balance_short`` where the settled money does not cover it, once the merchant has
    repaid what it owes us."""

    transfer_id: str
    merchant_id: str
    receiver_id: str
    receiver_name: str = field(repr=False)
    """Whom the merchant means; empty: it does not say."""
    amount_minor: int
    currency: str
    remark: str
    notify_url: str | None
    notify_form: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [
            (MERCHANT, self.merchant_id),
            (PAYER, self.receiver_id),
            *ledger.reads(self._transfers(""), is_new=True),
            *collect_reads(self.merchant_id, self.currency),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        self._check(ws)
        is_meant = self._is_meant(ws)
        row = {
            "transfer_id": self.transfer_id,
            "merchant_id": self.merchant_id,
            "receiver_id": self.receiver_id,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "remark": self.remark,
            "state": (TransferState.WAITING if is_meant else TransferState.FAILED).value,
            "reason": "" if is_meant else WRONG_NAME,
            "notify_url": self.notify_url,
            "notify_form": self.notify_form,
            "created_at_ms": now_ms,
            "updated_at_ms": now_ms,
            "expires_at_ms": now_ms + LIFE_MS,
        }
        if is_meant:
            date = self.rules.business_date(now_ms)
            event = posting.Event(f"{self.transfer_id}.cover", self.currency, date)
            collect(ws, event, self.merchant_id, now_ms)
            ledger.post(ws, self._transfers(date), now_ms, is_new=True)
        ws.insert(MERCHANT_TRANSFER, row)
        if not is_meant:
            _tell(ws, row, now_ms)
        return row

    def _check(self, ws: WorkingSet) -> None:
        merchant = ws.get(MERCHANT, self.merchant_id)
        if merchant is None or merchant["status"] != "active":
            raise CallerError("merchant_unknown", self.merchant_id)
        if payer_row(ws, self.receiver_id)["status"] != "active":
            raise CallerError("payer_frozen")
        if not 0 < self.amount_minor <= TRANSFER_MINOR_MAX:
            raise CallerError("amount_invalid", "transfer")
        if self.amount_minor >= NAMED_FROM_MINOR and not self.receiver_name:
            raise CallerError("field_invalid", "receiver_name")

    def _is_meant(self, ws: WorkingSet) -> bool:
        known = payer_row(ws, self.receiver_id)["name"].encode()
        said = self.receiver_name.encode()
        return not said or hmac.compare_digest(known, said)

    def _transfers(self, date: str) -> list[Transfer]:
        event = posting.Event(self.transfer_id, self.currency, date)
        return posting.merchant_packet_sent(
            event, merchant_id=self.merchant_id, amount_minor=self.amount_minor
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTransfer:
    """Its receiver takes it (``by`` is the payer), its merchant gives it up (``by`` is the
    merchant), or its time is over (``by`` is nobody). Safe to repeat. Answers its row."""

    transfer_id: str
    step: TransferStep
    by: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(MERCHANT_TRANSFER, self.transfer_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        row = ws.get(MERCHANT_TRANSFER, self.transfer_id)
        if row is None:
            return []
        return [(PAYER, row["receiver_id"]), *ledger.reads(self._transfers(row, ""), is_new=True)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = ws.get(MERCHANT_TRANSFER, self.transfer_id)
        whose = {TransferStep.TAKE: "receiver_id", TransferStep.CANCEL: "merchant_id"}
        if row is None or (self.step in whose and row[whose[self.step]] != self.by):
            raise CallerError("merchant_transfer_not_found", self.transfer_id)
        state = TransferState(row["state"])
        is_over = now_ms >= row["expires_at_ms"]
        if self._has_nothing_to_do(state, is_over=is_over):
            return row
        after = next_state(state, self.step)
        if is_over and self.step is not TransferStep.EXPIRE:
            raise CallerError("merchant_transfer_over", self.transfer_id)
        if self.step is TransferStep.TAKE and payer_row(ws, self.by)["status"] != "active":
            raise CallerError("payer_frozen")
        transfers = self._transfers(row, self.rules.business_date(now_ms))
        ledger.post(ws, transfers, now_ms, is_new=True)
        ended = ws.update(
            MERCHANT_TRANSFER,
            self.transfer_id,
            state=after.value,
            reason=NOT_TAKEN if self.step is TransferStep.EXPIRE else "",
            updated_at_ms=now_ms,
        )
        _tell(ws, ended, now_ms)
        return ended

    def _has_nothing_to_do(self, state: TransferState, *, is_over: bool) -> bool:
        """Whether the step was taken before; or the clock asks for what has ended, or has not come
        to its end."""
        if self.step is TransferStep.EXPIRE:
            return state is not TransferState.WAITING or not is_over
        return state is TRANSITIONS[TransferState.WAITING, self.step]

    def _transfers(self, row: Row, date: str) -> list[Transfer]:
        event = posting.Event(f"{self.transfer_id}.ended", row["currency"], date)
        if self.step is TransferStep.TAKE:
            return posting.red_packet_claimed(
                event, user_id=row["receiver_id"], amount_minor=row["amount_minor"]
            )
        return posting.merchant_packet_expired(
            event, merchant_id=row["merchant_id"], amount_minor=row["amount_minor"]
        )


def _tell(ws: WorkingSet, row: Row, now_ms: int) -> None:
    """Leave word for the merchant's server that a transfer has come to its end."""
    put_callback(
        ws,
        merchant_id=row["merchant_id"],
        url=row["notify_url"],
        form=row["notify_form"],
        event_type=FINISHED,
        subject_id=row["transfer_id"],
        number=1,
        resource={"transfer_id": row["transfer_id"], "state": row["state"]},
        at_ms=now_ms,
    )
