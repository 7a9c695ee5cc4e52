"""The clearing, built by hand: institution, top-ups, reconciliation, the day's end.

Beside ``bootstrap`` because a backend may run without it: then no institution is configured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from backend.bills.service import PaperDesk
from backend.channel_parts import build_runner
from backend.channels.ecny import EcnyChannel
from backend.channels.epcc.ids import dispute_id
from backend.channels.model import ECNY
from backend.channels.netsunion import NetsUnion
from backend.channels.ports import BankPort, ChannelPort, DayPort
from backend.clearing.calendar import Calendar
from backend.clearing.calendar_file import load_calendar
from backend.clearing.cut_off import SettlementDates, settlement_dates
from backend.clearing.ecny_repository import WalletBooks
from backend.clearing.evening import Evening, Prices, Signer
from backend.clearing.evening_repository import EveningRepository
from backend.clearing.moves import Accounts
from backend.clearing.ports import TimeStamper
from backend.clearing.recall import PayoutDesk
from backend.clearing.repository import ClearingRepository
from backend.clearing.reserve_desk import ReserveDesk
from backend.clearing.run import DayEnd
from backend.clearing.standing import standing
from backend.config import Settings
from backend.db.reading import Reader
from backend.disputes.from_channel import ChannelDisputes
from backend.institution_parts import Institutions, open_institutions
from backend.payments.services import Services
from backend.reconciliation.repository import ReconciliationRepository
from backend.reconciliation.service import Reconciliation
from backend.reconciliation.wallet import WalletComparison
from backend.sagas.runner import SagaRunner
from backend.topups.repository import TopUpRepository
from backend.topups.service import TopUps
from protocol.crypto.keys import SigningKey
from protocol.signed_note import NoteKey


@dataclass(frozen=True, slots=True)
class Clearing:
    """What the operator's routes need, and what must be closed."""

    day_end: DayEnd
    repository: ClearingRepository
    topups: TopUps
    sagas: SagaRunner
    institutions: Institutions
    calendar: Calendar
    dates: SettlementDates
    """By which the reconciliation marks a channel's date that is not what it should be."""
    reserve: ReserveDesk
    payouts: PayoutDesk


def build_dates(settings: Settings) -> SettlementDates:
    """The channels' cut-offs over the configured calendar."""
    calendar_key = NoteKey.from_text(settings.calendar_key) if settings.calendar_key else None
    calendar = load_calendar(settings.calendar_file, calendar_key)
    return settlement_dates(calendar, settings.cut_offs)


def build_clearing(
    settings: Settings,
    *,
    services: Services,
    name: str,
    key: SigningKey,
    stamper: TimeStamper | None,
) -> Clearing | None:
    """The clearing towards the configured institution; None where there is none. ``name`` is the
    one that our signatures bear."""
    institutions = open_institutions(settings, services=services, key=key)
    if institutions is None:
        return None
    dates = build_dates(settings)
    calendar = dates.calendar
    submit, reader = services.submit, services.reader
    channels, bank = institutions.channels, institutions.bank
    days: dict[str, DayPort] = {**channels}
    sagas = build_runner(services, channels, settings.routing.former_channels)
    topups = _topups(services, sagas)
    repository = ClearingRepository(reader)
    evening = _evening(
        settings, services, institutions, Signer(name=name, key=key, stamper=stamper)
    )
    reserve = ReserveDesk(
        repository=EveningRepository(reader), bank=bank, reserve_account=settings.reserve_account
    )
    day_end = DayEnd(
        submit=submit,
        repository=repository,
        bank=bank,
        channels=days,
        resolve_sagas=sagas.settle,
        read_cases=_cases(services, channels).read,
        reconcile=_reconciliation(
            settings, services, bank, days, calendar, _wallet(channels, services.reader)
        ),
        accounts=Accounts(
            reserve=settings.reserve_account,
            own=settings.own_account,
            holder=settings.holder_name,
        ),
        evening=evening,
        calendar=calendar,
        business_date=services.rules.business_date,
        clock=services.clock,
        entropy=services.entropy,
    )
    payouts = PayoutDesk(submit=submit, payouts=repository.payouts, bank=bank)
    return Clearing(
        day_end, repository, topups, sagas, institutions, calendar, dates, reserve, payouts
    )


def build_papers(services: Services, calendar: Calendar) -> PaperDesk:
    """The desk that writes merchants' papers; without an institution no day is ever closed."""
    repository = ClearingRepository(services.reader)

    async def stands(merchant_id: str) -> dict[str, Any]:
        today = date.fromisoformat(services.rules.business_date(services.clock.now_ms()))
        return await standing(repository, calendar, merchant_id=merchant_id, today=today)

    return PaperDesk(
        reader=services.reader, day_offset_ms=services.rules.day_offset_ms, standing=stands
    )


def _reconciliation(
    settings: Settings,
    services: Services,
    bank: BankPort,
    days: Mapping[str, DayPort],
    calendar: Calendar,
    wallet: WalletComparison | None,
) -> Reconciliation:
    """The comparison with channels' files and the reserve's statement."""
    return Reconciliation(
        submit=services.submit,
        repository=ReconciliationRepository(services.reader),
        bank=bank,
        channels=days,
        calendar=calendar,
        reserve_account=settings.reserve_account,
        rules=services.rules,
        prices={name: facts.cost for name, facts in services.rules.routing.facts.items()},
        wallet=wallet,
    )


def _wallet(channels: Mapping[str, ChannelPort], reader: Reader) -> WalletComparison | None:
    """The comparison with our wallet's statement, where there is an e-CNY operator."""
    ecny = channels.get(ECNY)
    if not isinstance(ecny, EcnyChannel):
        return None
    return WalletComparison(wallet=ecny, books=WalletBooks(reader))


def _topups(services: Services, sagas: SagaRunner) -> TopUps:
    """The desk where payers' balances are filled."""
    return TopUps(
        submit=services.submit,
        carry_on=sagas.carry_on,
        repository=TopUpRepository(services.reader),
        rules=services.rules,
    )


def _evening(
    settings: Settings, services: Services, institutions: Institutions, signer: Signer
) -> Evening:
    channels = institutions.channels
    return Evening(
        submit=services.submit,
        books=ClearingRepository(services.reader),
        repository=EveningRepository(services.reader),
        bank=institutions.bank,
        channels=channels.keys(),
        reserve_account=settings.reserve_account,
        signer=signer,
        prices=Prices(
            channels={
                name: facts.cost
                for name, facts in services.rules.routing.facts.items()
                if name in channels
            },
            interest_bps=settings.reserve_interest_bps,
        ),
        clock=services.clock,
        nets=clearing_houses(channels),
    )


def clearing_houses(channels: Mapping[str, ChannelPort]) -> dict[str, NetsUnion]:
    """The channels that sign a net position and tell of disputes."""
    return {name: port for name, port in channels.items() if isinstance(port, NetsUnion)}


def _cases(services: Services, channels: Mapping[str, ChannelPort]) -> ChannelDisputes:
    """The disputes of the channels that tell of any."""
    return ChannelDisputes(
        submit=services.submit,
        sources=clearing_houses(channels),
        dispute_id=dispute_id,
        rules=services.rules,
    )
