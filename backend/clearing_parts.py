"""The clearing, built by hand: institution, top-ups, reconciliation, the day's end.

Beside ``bootstrap`` because a backend may run without it: then no institution is configured.
"""

from dataclasses import dataclass

from backend.channel_parts import build_channels, build_runner
from backend.channels.institution import Institution
from backend.channels.ports import DayPort
from backend.channels.signed_http import read_key
from backend.clearing.calendar import Calendar
from backend.clearing.calendar_file import load_calendar
from backend.clearing.moves import Accounts
from backend.clearing.repository import ClearingRepository
from backend.clearing.run import DayEnd
from backend.config import Settings
from backend.payments.services import Services
from backend.reconciliation.repository import ReconciliationRepository
from backend.reconciliation.service import Reconciliation
from backend.sagas.runner import SagaRunner
from backend.topups.repository import TopUpRepository
from backend.topups.service import TopUps
from protocol.crypto.keys import SigningKey


@dataclass(frozen=True, slots=True)
class Clearing:
    """What the operator's routes need, and what must be closed."""

    day_end: DayEnd
    repository: ClearingRepository
    topups: TopUps
    sagas: SagaRunner
    institution: Institution
    calendar: Calendar


def build_clearing(settings: Settings, *, services: Services, key: SigningKey) -> Clearing | None:
    """The clearing towards the configured institution; None where there is none."""
    if not settings.institution_url:
        return None
    calendar = load_calendar(settings.calendar_file)
    submit, reader = services.submit, services.reader
    institution = Institution(
        url=settings.institution_url, key=key, peer=read_key(settings.institution_key)
    )
    channels = build_channels(institution, settings.routing.facts())
    days: dict[str, DayPort] = {**channels}
    sagas = build_runner(services, channels, settings.routing.former_channels)
    topups = TopUps(
        submit=submit,
        carry_on=sagas.carry_on,
        repository=TopUpRepository(reader),
        business_date=services.rules.business_date,
    )
    reconciliation = Reconciliation(
        submit=submit,
        repository=ReconciliationRepository(reader),
        bank=institution,
        channels=days,
        reserve_account=settings.reserve_account,
    )
    repository = ClearingRepository(reader)
    day_end = DayEnd(
        submit=submit,
        repository=repository,
        bank=institution,
        channels=days,
        resolve_sagas=sagas.settle,
        reconcile=reconciliation,
        accounts=Accounts(
            reserve=settings.reserve_account,
            own=settings.own_account,
            holder=settings.holder_name,
        ),
        calendar=calendar,
        business_date=services.rules.business_date,
        clock=services.clock,
        entropy=services.entropy,
    )
    return Clearing(day_end, repository, topups, sagas, institution, calendar)
