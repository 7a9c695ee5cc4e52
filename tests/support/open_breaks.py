"""Differences between our books and others', as the reconciliation finds them."""

from backend.reconciliation.breaks import Break, BreakClass, BreakStep
from backend.reconciliation.cases import TakeUpBreak
from tests.support.shop import Shop


def open_break(
    shop: Shop,
    step: BreakStep = BreakStep.HAND_OVER,
    *,
    kind: BreakClass = BreakClass.AMOUNT,
    source: str = "bank",
    reference: str = "ref-1",
    ours_minor: int | None = 1_000,
    theirs_minor: int | None = 1_200,
    channel_reference: str = "",
) -> str:
    """A difference that was found; by default what the bank has more, in a person's hands."""
    found = Break(
        kind, source, reference, ours_minor, theirs_minor, channel_reference=channel_reference
    )
    day = shop.rules.business_date(shop.clock.at_ms)
    row = shop.do(
        TakeUpBreak(found=found, business_date=day, currency="CNY", step=step, booked_on=day)
    )
    return str(row["break_id"])
