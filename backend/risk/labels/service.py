"""Giving labels: as a part of a case's or a dispute's own command, and by hand.

Rule: repeating a command changes nothing and gives the label as it stands.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.payments.tables import PAYMENT
from backend.risk.labels.limits import PERSON_CHARS_MAX, REASON_CHARS_MAX
from backend.risk.labels.model import LabelSource, says_fraud
from backend.risk.labels.tables import LABEL
from protocol.errors import CallerError
from protocol.ids import LABEL as LABEL_PREFIX
from protocol.ids import is_id


def label_from_dispute(ws: WorkingSet, dispute: Row, *, actor: str, now_ms: int) -> None:
    """A dispute is lost: its payment was a fraud from now on, if the dispute's reason says so."""
    if says_fraud(dispute["reason"]):
        give_label(
            ws,
            payment_id=dispute["payment_id"],
            origin=dispute["dispute_id"],
            source=LabelSource.DISPUTE,
            is_fraud=True,
            actor=actor,
            reason=dispute["reason"],
            now_ms=now_ms,
        )


def give_label(
    ws: WorkingSet,
    *,
    payment_id: str,
    origin: str,
    source: LabelSource,
    is_fraud: bool,
    actor: str,
    reason: str,
    now_ms: int,
) -> None:
    """Write one label, known from now on."""
    ws.insert(
        LABEL,
        {
            "payment_id": payment_id,
            "origin": origin,
            "is_fraud": int(is_fraud),
            "available_at_ms": now_ms,
            "source": source.value,
            "actor": actor[:PERSON_CHARS_MAX],
            "reason": reason[:REASON_CHARS_MAX],
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPayment:
    """One person's word about a payment. Whoever says it mints ``label_id``."""

    label_id: str
    payment_id: str
    is_fraud: bool
    by: str
    reason: str

    def reads(self) -> Iterable[Read]:
        return [(LABEL, self._key), (PAYMENT, self.payment_id)]

    @property
    def _key(self) -> tuple[str, str]:
        return (self.payment_id, self.label_id)

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        if not is_id(self.label_id, prefix=LABEL_PREFIX):
            raise CallerError("field_invalid", "label_id")
        by, reason = " ".join(self.by.split()), self.reason.strip()
        if not 0 < len(by) <= PERSON_CHARS_MAX or not 0 < len(reason) <= REASON_CHARS_MAX:
            raise CallerError("field_invalid", "by or reason")
        known = ws.get(LABEL, self._key)
        if known is not None:
            if (bool(known["is_fraud"]), known["reason"]) != (self.is_fraud, reason):
                raise CallerError("idempotency_conflict", "label_id")
            return known
        if ws.get(PAYMENT, self.payment_id) is None:
            raise CallerError("payment_not_found", self.payment_id)
        give_label(
            ws, payment_id=self.payment_id, origin=self.label_id, source=LabelSource.OPERATOR,
            is_fraud=self.is_fraud, actor=by, reason=reason, now_ms=now_ms,
        )  # fmt: skip
        given = ws.get(LABEL, self._key)
        assert given is not None
        return given
