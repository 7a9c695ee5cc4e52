"""Mandates' commands. The payer's signature is checked here, under the key the payer registered."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.mandates.limits import MANDATE_VALID_MS_MAX, SIGNED_BYTES_MAX
from backend.mandates.model import MandateCommand, MandateStatus, next_status
from backend.mandates.tables import MANDATE
from backend.merchants.tables import MERCHANT
from backend.wallet.tables import PAYER
from protocol import cose
from protocol.crypto.keys import VerifyKey
from protocol.crypto.suites import suite_named
from protocol.errors import CallerError
from protocol.messages.mandate import MandateText, open_mandate
from protocol.topics import is_name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMandate:
    """A mandate that its payer signed. The same signed text again changes nothing."""

    payer_id: str
    signed: bytes

    def reads(self) -> Iterable[Read]:
        return [(PAYER, self.payer_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        payer = ws.get(PAYER, self.payer_id)
        if payer is None:
            raise CallerError("payer_unknown", self.payer_id)
        if len(self.signed) > SIGNED_BYTES_MAX:
            raise CallerError("envelope_too_large")
        key = VerifyKey(suite_named(payer["key_suite"]), payer["key_public"])
        text = open_mandate(self.signed, key)
        if text.payer_id != self.payer_id:
            raise CallerError("mandate_signature", "another payer")
        known = ws.get(MANDATE, text.mandate_id)
        if known is not None:
            return self._again(known)
        self._check(ws, text, now_ms)
        row = self._row(text, now_ms)
        ws.insert(MANDATE, row)
        return row

    def _again(self, known: Row) -> Row:
        # A signature may be made anew for the same text; the text is what counts.
        if cose.parse1(known["signed"]).payload != cose.parse1(self.signed).payload:
            raise CallerError("idempotency_conflict", "mandate_id")
        return known

    def _check(self, ws: WorkingSet, text: MandateText, now_ms: int) -> None:
        merchant = ws.get(MERCHANT, text.merchant_id)
        if merchant is None or merchant["status"] != "active":
            raise CallerError("merchant_unknown", text.merchant_id)
        if merchant["currency"] != text.currency:
            raise CallerError("currency_mismatch")
        is_long = text.valid_until_ms - text.valid_from_ms > MANDATE_VALID_MS_MAX
        if is_long or text.valid_until_ms <= now_ms or not is_name(text.device):
            raise CallerError("field_invalid", "validity or device")

    def _row(self, text: MandateText, now_ms: int) -> Row:
        return {
            "mandate_id": text.mandate_id,
            "payer_id": text.payer_id,
            "merchant_id": text.merchant_id,
            "device": text.device,
            "currency": text.currency,
            "limit_payment_minor": text.limit_payment_minor,
            "limit_day_minor": text.limit_day_minor,
            "valid_from_ms": text.valid_from_ms,
            "valid_until_ms": text.valid_until_ms,
            "status": MandateStatus.ACTIVE.value,
            "signed": self.signed,
            "spent_day": "",
            "spent_minor": 0,
            "created_at_ms": now_ms,
            "updated_at_ms": now_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMandate:
    """The payer suspends, resumes or terminates a mandate. Saying it again changes nothing."""

    payer_id: str
    mandate_id: str
    command: MandateCommand

    def reads(self) -> Iterable[Read]:
        return [(MANDATE, self.mandate_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = ws.get(MANDATE, self.mandate_id)
        if row is None or row["payer_id"] != self.payer_id:
            raise CallerError("mandate_not_found", self.mandate_id)
        if row["status"] == _GOAL[self.command]:
            return row
        status = next_status(row["status"], self.command)
        return ws.update(MANDATE, self.mandate_id, status=status.value, updated_at_ms=now_ms)


_GOAL = {
    MandateCommand.SUSPEND: MandateStatus.SUSPENDED,
    MandateCommand.RESUME: MandateStatus.ACTIVE,
    MandateCommand.TERMINATE: MandateStatus.TERMINATED,
}
