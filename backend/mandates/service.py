"""Mandates' commands. The payer's signature is checked here, under the key or the passkey that the
payer registered."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.mandates.limits import MANDATE_VALID_MS_MAX
from backend.mandates.model import (
    MandateCommand,
    MandateEvent,
    MandateStatus,
    Side,
    next_edge,
)
from backend.mandates.signing import (
    Signed,
    keep,
    kept_text,
    open_signed,
    signature_reads,
    text_of,
)
from backend.mandates.tables import MANDATE
from backend.mandates.telling import tell_device, tell_reads
from backend.mandates.timeline import record
from backend.merchants.tables import MERCHANT
from backend.wallet.tables import PAYER
from protocol.errors import CallerError
from protocol.messages.mandate import MandateText
from protocol.topics import is_name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMandate:
    """A mandate that its payer signed. The same signed text again changes nothing."""

    payer_id: str
    signed: Signed
    notify_url: str | None = None
    """Where news of it goes, and in which form; None: to the merchant's own address."""
    notify_form: str = ""

    def reads(self) -> Iterable[Read]:
        return [(PAYER, self.payer_id), *signature_reads(self.signed, self.payer_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        payer = ws.get(PAYER, self.payer_id)
        if payer is None:
            raise CallerError("payer_unknown", self.payer_id)
        text = open_signed(self.signed, payer)
        if text.payer_id != self.payer_id:
            raise CallerError("mandate_signature", "another payer")
        known = ws.get(MANDATE, text.mandate_id)
        if known is not None:
            return self._again(known)
        self._check(ws, text, now_ms)
        kept = keep(ws, self.signed, self.payer_id, now_ms)
        ws.insert(MANDATE, self._row(text, kept, now_ms))
        row = ws.get(MANDATE, text.mandate_id)
        assert row is not None
        actor = f"{Side.PAYER}:{self.payer_id}"
        return record(ws, row, MandateEvent.SIGNED, actor=actor, now_ms=now_ms)

    def _again(self, known: Row) -> Row:
        # A signature may be made anew for the same text; the text is what counts.
        if kept_text(known["signed"]) != text_of(self.signed):
            raise CallerError("idempotency_conflict", "mandate_id")
        return known

    def _check(self, ws: WorkingSet, text: MandateText, now_ms: int) -> None:
        merchant = ws.get(MERCHANT, text.merchant_id)
        if merchant is None or merchant["status"] != "active":
            raise CallerError("merchant_unknown", text.merchant_id)
        if merchant["currency"] != text.currency:
            raise CallerError("currency_mismatch")
        is_long = text.valid_until_ms - text.valid_from_ms > MANDATE_VALID_MS_MAX
        if is_long or text.valid_until_ms <= now_ms:
            raise CallerError("mandate_validity")
        if not is_name(text.device):
            raise CallerError("field_invalid", "device")

    def _row(self, text: MandateText, kept: bytes, now_ms: int) -> Row:
        return {
            "mandate_id": text.mandate_id,
            "payer_id": text.payer_id,
            "merchant_id": text.merchant_id,
            "device": text.device,
            "currency": text.currency,
            "limit_payment_minor": text.limit_payment_minor,
            "limit_day_minor": text.limit_day_minor,
            "limit_month_minor": text.limit_month_minor,
            "notice_hours": text.notice_hours,
            "notice_above_minor": text.notice_above_minor or 0,
            "ask_above_minor": text.ask_above_minor,
            "valid_from_ms": text.valid_from_ms,
            "valid_until_ms": text.valid_until_ms,
            "status": MandateStatus.ACTIVE.value,
            "signed": kept,
            "notify_url": self.notify_url,
            "notify_form": self.notify_form,
            "created_at_ms": now_ms,
            "updated_at_ms": now_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMandate:
    """A side suspends, resumes or terminates a mandate of its own. Saying it again changes nothing.

    ``party_id`` is the payer's or the merchant's id.
    """

    side: Side
    party_id: str
    mandate_id: str
    command: MandateCommand
    is_told: bool = True
    """Whether the merchant's server hears of it; not where other news say the same."""

    def reads(self) -> Iterable[Read]:
        return [(MANDATE, self.mandate_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        row = ws.get(MANDATE, self.mandate_id)
        return [(MERCHANT, row["merchant_id"]), *tell_reads(ws, row)] if row else []

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = mandate_of(ws, self.mandate_id, self.side, self.party_id)
        edge = next_edge(row["status"], self.side, self.command)
        if edge.event is None:
            return row
        actor = f"{self.side}:{self.party_id}"
        after = record(
            ws,
            row,
            edge.event,
            actor=actor,
            now_ms=now_ms,
            status=edge.status,
            is_told=self.is_told,
        )
        tell_device(ws, after, now_ms)
        return after


def mandate_of(ws: WorkingSet, mandate_id: str, side: Side, party_id: str) -> Row:
    """The mandate, if it is this side's; else ``mandate_not_found``."""
    row = ws.get(MANDATE, mandate_id)
    if row is None or row[PARTY[side]] != party_id:
        raise CallerError("mandate_not_found", mandate_id)
    return row


PARTY = {Side.PAYER: "payer_id", Side.MERCHANT: "merchant_id"}
"""The column that names a side."""
