"""Notice before a debit: announced for the merchant, seen and perhaps refused by the payer.

Rule 1: a notice is an announcement, not a hold: every limit is checked again with the debit.
Rule 2: a refused or withdrawn notice never allows a debit; the merchant may announce another one,
        and the payer's hours begin anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.mandates.limits import NOTICES_OPEN_MAX
from backend.mandates.model import (
    MandateEvent,
    MandateStatus,
    NoticeCommand,
    NoticeStatus,
    Side,
    debit_window,
)
from backend.mandates.service import PARTY, mandate_of
from backend.mandates.tables import MANDATE, NOTICE
from backend.mandates.timeline import record
from backend.mandates.using import keep_notices, move_notice, open_notices, terms_of, use_reads
from backend.merchants.tables import MERCHANT
from protocol.errors import CallerError
from protocol.ids import is_id
from protocol.limits import TEXT_CHARS_MAX
from protocol.money import AMOUNT_MINOR_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceDebit:
    """The merchant tells the payer of a debit to come. ``notice_id`` is minted by who announces:
    the same announcement again changes nothing."""

    notice_id: str
    mandate_id: str
    merchant_id: str
    amount_minor: int
    currency: str
    description: str

    def reads(self) -> Iterable[Read]:
        return [(NOTICE, self.notice_id), (MANDATE, self.mandate_id), (MERCHANT, self.merchant_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        return use_reads(ws, self.mandate_id)

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(NOTICE, self.notice_id)
        if known is not None:
            return self._again(known)
        mandate = mandate_of(ws, self.mandate_id, Side.MERCHANT, self.merchant_id)
        self._check(mandate, now_ms)
        still = [one for one in open_notices(mandate) if not _is_over(ws, one, now_ms)]
        if len(still) >= NOTICES_OPEN_MAX:
            raise CallerError("notices_open", self.mandate_id)
        row = self._row(mandate, now_ms)
        ws.insert(NOTICE, row)
        keep_notices(ws, self.mandate_id, [*still, self.notice_id])
        self._record(ws, row, now_ms)
        return row

    def _again(self, known: Row) -> Row:
        names = ("mandate_id", "merchant_id", "amount_minor", "currency", "description")
        if any(known[name] != getattr(self, name) for name in names):
            raise CallerError("idempotency_conflict", "notice_id")
        return known

    def _check(self, mandate: Row, now_ms: int) -> None:
        is_text = len(self.description) <= TEXT_CHARS_MAX
        if not is_id(self.notice_id, prefix="ntc") or not is_text:
            raise CallerError("field_invalid", "notice")
        if not 0 < self.amount_minor <= AMOUNT_MINOR_MAX:
            raise CallerError("amount_invalid")
        if self.currency != mandate["currency"]:
            raise CallerError("currency_mismatch")
        terms = terms_of(mandate)
        if not terms.asks_notice(self.amount_minor):
            raise CallerError("mandate_notice_unasked")
        if self.amount_minor > terms.limit_payment_minor:
            raise CallerError("mandate_limit_payment")
        from_ms, _ = debit_window(terms, now_ms)
        if terms.status == MandateStatus.TERMINATED or from_ms >= terms.valid_until_ms:
            raise CallerError("mandate_inactive")

    def _row(self, mandate: Row, now_ms: int) -> Row:
        from_ms, until_ms = debit_window(terms_of(mandate), now_ms)
        return {
            "notice_id": self.notice_id,
            "mandate_id": self.mandate_id,
            "payer_id": mandate["payer_id"],
            "merchant_id": self.merchant_id,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "description": self.description,
            "status": NoticeStatus.ANNOUNCED.value,
            "payment_id": None,
            "announced_at_ms": now_ms,
            "debit_from_ms": from_ms,
            "debit_until_ms": until_ms,
            "updated_at_ms": now_ms,
        }

    def _record(self, ws: WorkingSet, row: Row, now_ms: int) -> None:
        mandate = ws.get(MANDATE, self.mandate_id)
        assert mandate is not None
        record(
            ws,
            mandate,
            MandateEvent.DEBIT_ANNOUNCED,
            actor=f"{Side.MERCHANT}:{self.merchant_id}",
            now_ms=now_ms,
            subject_id=self.notice_id,
            notice_id=self.notice_id,
            amount_minor=self.amount_minor,
            debit_from_ms=row["debit_from_ms"],
            debit_until_ms=row["debit_until_ms"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndNotice:
    """The payer refuses an announced debit, or the merchant withdraws it. Saying it again changes
    nothing; ``notice_state`` if it was used or ended otherwise."""

    side: Side
    party_id: str
    notice_id: str

    def reads(self) -> Iterable[Read]:
        return [(NOTICE, self.notice_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        notice = ws.get(NOTICE, self.notice_id)
        if notice is None:
            return []
        return [(MANDATE, notice["mandate_id"]), (MERCHANT, notice["merchant_id"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        notice = ws.get(NOTICE, self.notice_id)
        if notice is None or notice[PARTY[self.side]] != self.party_id:
            raise CallerError("notice_not_found", self.notice_id)
        command, goal, event = _ENDS[self.side]
        if notice["status"] == goal:
            return notice
        after = move_notice(ws, self.notice_id, command, now_ms)
        mandate = ws.get(MANDATE, notice["mandate_id"])
        assert mandate is not None
        actor = f"{self.side}:{self.party_id}"
        record(
            ws,
            mandate,
            event,
            actor=actor,
            now_ms=now_ms,
            subject_id=self.notice_id,
            notice_id=self.notice_id,
        )
        return after


_ENDS = {
    Side.PAYER: (NoticeCommand.REFUSE, NoticeStatus.REFUSED, MandateEvent.NOTICE_REFUSED),
    Side.MERCHANT: (
        NoticeCommand.WITHDRAW,
        NoticeStatus.WITHDRAWN,
        MandateEvent.NOTICE_WITHDRAWN,
    ),
}


def _is_over(ws: WorkingSet, notice_id: str, now_ms: int) -> bool:
    notice = ws.get(NOTICE, notice_id)
    assert notice is not None
    return bool(now_ms >= notice["debit_until_ms"])
