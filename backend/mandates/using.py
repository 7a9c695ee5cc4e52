"""Using a mandate inside the payment's transaction: its limits hold however many devices race."""

from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.mandates.model import Terms, Use, refusal
from backend.mandates.tables import MANDATE


def terms_of(row: Row) -> Terms:
    """A mandate's row as the rules see it."""
    return Terms(
        status=row["status"],
        merchant_id=row["merchant_id"],
        device=row["device"],
        currency=row["currency"],
        limit_payment_minor=row["limit_payment_minor"],
        limit_day_minor=row["limit_day_minor"],
        valid_from_ms=row["valid_from_ms"],
        valid_until_ms=row["valid_until_ms"],
        spent_day=row["spent_day"],
        spent_minor=row["spent_minor"],
    )


def check_use(ws: WorkingSet, mandate_id: str, use: Use) -> str | None:
    """The code of the reason why the mandate does not cover this use; None if it does."""
    row = ws.get(MANDATE, mandate_id)
    return "mandate_not_found" if row is None else refusal(terms_of(row), use)


def record_use(ws: WorkingSet, mandate_id: str, *, day: str, amount_minor: int) -> None:
    """Count what was taken against the day's limit."""
    row = ws.get(MANDATE, mandate_id)
    assert row is not None
    spent = terms_of(row).spent_on(day) + amount_minor
    ws.update(MANDATE, mandate_id, spent_day=day, spent_minor=spent)


def undo_use(ws: WorkingSet, mandate_id: str, *, day: str, amount_minor: int) -> None:
    """A payment of that day was reversed: it no longer counts."""
    row = ws.get(MANDATE, mandate_id)
    assert row is not None
    if row["spent_day"] == day:
        ws.update(MANDATE, mandate_id, spent_minor=row["spent_minor"] - amount_minor)
