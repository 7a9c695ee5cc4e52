"""The clearing, built by hand: institution, top-ups, reconciliation, the day's end.

Beside ``bootstrap`` because a backend may run without it: then no institution is configured.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from backend.channels.institution import Institution
from backend.channels.signed_http import read_key
from backend.clearing.calendar import Calendar
from backend.clearing.calendar_file import load_calendar
from backend.clearing.moves import Accounts
from backend.clearing.repository import ClearingRepository
from backend.clearing.run import DayEnd
from backend.config import Settings
from backend.db.command import Command
from backend.db.reading import Reader
from backend.reconciliation.repository import ReconciliationRepository
from backend.reconciliation.service import Reconciliation
from backend.topups.repository import TopUpRepository
from backend.topups.service import TopUps
from protocol.clock import Clock, Entropy
from protocol.crypto.keys import SigningKey


@dataclass(frozen=True, slots=True)
class Clearing:
    """What the operator's routes need, and what must be closed."""

    day_end: DayEnd
    repository: ClearingRepository
    topups: TopUps
    institution: Institution
    calendar: Calendar


def build_clearing(
    settings: Settings,
    *,
    submit: Callable[[Command], Awaitable[Any]],
    reader: Reader,
    key: SigningKey,
    business_date: Callable[[int], str],
    clock: Clock,
    entropy: Entropy,
) -> Clearing | None:
    """The clearing towards the configured institution; None where there is none."""
    if not settings.institution_url:
        return None
    calendar = load_calendar(settings.calendar_file)
    institution = Institution(
        url=settings.institution_url, key=key, peer=read_key(settings.institution_key)
    )
    topups = TopUps(submit=submit, channel=institution, repository=TopUpRepository(reader))
    reconciliation = Reconciliation(
        submit=submit,
        repository=ReconciliationRepository(reader),
        bank=institution,
        channel=institution,
        reserve_account=settings.reserve_account,
    )
    repository = ClearingRepository(reader)
    day_end = DayEnd(
        submit=submit,
        repository=repository,
        bank=institution,
        channel=institution,
        resolve_topups=topups.resolve_open,
        reconcile=reconciliation,
        accounts=Accounts(
            reserve=settings.reserve_account,
            own=settings.own_account,
            holder=settings.holder_name,
        ),
        calendar=calendar,
        business_date=business_date,
        clock=clock,
        entropy=entropy,
    )
    return Clearing(day_end, repository, topups, institution, calendar)
