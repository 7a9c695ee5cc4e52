"""Looking up the cases that a payment is in.

Rule: those about the payment, raised over it, or whose outcome labels it, however they stand; of
      its payer, card, device and merchant those that are not decided.
"""

from sqlalchemy import ColumnElement, and_, or_, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.payments.tables import Payment
from backend.risk.cases.limits import CASES_PER_PAYMENT_MAX
from backend.risk.cases.model import CaseState, Subject
from backend.risk.cases.tables import RiskCase
from backend.risk.judging.limits import DECISIONS_PER_PAYMENT_MAX
from backend.risk.judging.tables import RiskDecision
from backend.risk.labels.tables import RiskLabel

_case = RiskCase.__table__  # type: ignore[attr-defined]
_payment = Payment.__table__  # type: ignore[attr-defined]
_decision = RiskDecision.__table__  # type: ignore[attr-defined]
_label = RiskLabel.__table__  # type: ignore[attr-defined]
_PAID = {
    Subject.PAYMENT: "payment_id",
    Subject.PAYER: "payer_id",
    Subject.CARD: "instrument_id",
    Subject.DEVICE: "device",
    Subject.MERCHANT: "merchant_id",
}
_TRIED = {Subject.PAYER: "payer_id", Subject.CARD: "card", Subject.DEVICE: "device"}
"""The columns that name a subject: of a payment, and of how it was judged: nobody has paid what was
declined."""


class PaymentCaseRepository:
    """Committed cases. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def cases(self, payment_id: str) -> list[Row] | None:
        """The cases of a payment (the rule), those that are not decided first, each the first due
        first; None where there is no such payment."""
        paid = self._reader.one(select(_payment).where(_payment.c.payment_id == payment_id))
        if paid is None:
            return None
        is_decided = _case.c.state == CaseState.DECIDED.value
        labelled = select(_label.c.origin).where(_label.c.payment_id == payment_id)
        is_named = or_(
            _case.c.subject_id == payment_id,
            _case.c.reference == payment_id,
            _case.c.case_id.in_(labelled),
        )
        query = (
            select(_case)
            .where(or_(*map(_is_about, sorted(self._subjects(paid)))), or_(~is_decided, is_named))
            .order_by(is_decided, _case.c.due_at_ms, _case.c.case_id)
        )
        return self._reader.rows(query.limit(CASES_PER_PAYMENT_MAX))

    def _subjects(self, paid: Row) -> set[tuple[str, str]]:
        """All that a case which this payment is in can be about: an outcome labels payments of its
        subject alone."""
        tried = (
            select(*(_decision.c[column] for column in _TRIED.values()))
            .where(_decision.c.payment_id == paid["payment_id"])
            .limit(DECISIONS_PER_PAYMENT_MAX)
        )
        found = {(kind.value, paid[column]) for kind, column in _PAID.items()}
        for row in self._reader.rows(tried):
            found |= {(kind.value, row[column]) for kind, column in _TRIED.items()}
        return {(kind, subject_id) for kind, subject_id in found if subject_id}


def _is_about(subject: tuple[str, str]) -> ColumnElement[bool]:
    kind, subject_id = subject
    return and_(_case.c.subject_kind == kind, _case.c.subject_id == subject_id)
