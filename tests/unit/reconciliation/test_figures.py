"""The queue of breaks in numbers, for the scraper."""

import pytest

from backend.observability.metrics import BREAK_STATES, Metrics
from backend.reconciliation.breaks import OPEN_STATES, Break, BreakClass, BreakStep
from backend.reconciliation.cases import TakeUpBreak
from backend.reconciliation.figures import BreakFigures
from backend.reconciliation.repository import ReconciliationRepository
from tests.support.shop import Shop


def test_the_scraper_knows_every_open_state() -> None:
    assert {state.value for state in OPEN_STATES} == set(BREAK_STATES)


@pytest.mark.asyncio
async def test_open_breaks_are_told_by_state_and_age(migrated_url: str) -> None:
    shop, metrics = Shop(migrated_url), Metrics()
    figures = BreakFigures(
        repository=ReconciliationRepository(shop.reader), clock=shop.clock, metrics=metrics
    )
    for number, step in enumerate((BreakStep.POOL, BreakStep.HAND_OVER, BreakStep.MARK)):
        found = Break(BreakClass.AMOUNT, "statement", f"ref-{number}", 1, 2)
        shop.do(
            TakeUpBreak(
                found=found, business_date="2026-11-23", currency="CNY", step=step,
                booked_on="2026-11-24",
            )
        )  # fmt: skip
        shop.clock.at_ms += 60_000
    await figures.read()
    said = metrics.render().decode()
    shop.close()
    assert 'tillway_breaks{state="pooled"} 1.0' in said
    assert 'tillway_breaks{state="waiting"} 1.0' in said
    assert 'tillway_breaks{state="posted"} 0.0' in said
    assert "tillway_breaks_oldest_seconds 180.0" in said
