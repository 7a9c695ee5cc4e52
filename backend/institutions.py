"""The bank and the channel, where the settings name them: top-ups and the day's clearing."""

from dataclasses import dataclass

from backend.channels.institution import Institution
from backend.channels.signed_http import read_key
from backend.clearing.repository import ClearingRepository
from backend.clearing.run import Accounts, DayEnd
from backend.config import Settings
from backend.payments.services import Services
from backend.reconciliation.repository import ReconciliationRepository
from backend.reconciliation.service import Reconciliation
from backend.topups.repository import TopUpRepository
from backend.topups.service import TopUps
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True)
class Institutions:
    """What stands on the line to the institutions."""

    line: Institution
    topups: TopUps
    day_end: DayEnd
    days: ClearingRepository


def reach(settings: Settings, services: Services, signing_key: SigningKey) -> Institutions | None:
    """The institutions, or None where the settings name none (then there is no clearing here).

    ``CallerError("config_invalid")`` when only a part is set.
    """
    needed = {
        "institution_url": settings.institution_url,
        "institution_key": settings.institution_key,
        "reserve_account": settings.reserve_account,
        "own_account": settings.own_account,
    }
    if not any(needed.values()):
        return None
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise CallerError("config_invalid", f"institution_url needs {', '.join(missing)}")
    line = Institution(
        url=settings.institution_url, key=signing_key, peer=read_key(settings.institution_key)
    )
    topups = TopUps(
        submit=services.submit, channel=line, repository=TopUpRepository(services.reader)
    )
    days = ClearingRepository(services.reader)
    reconciliation = Reconciliation(
        submit=services.submit,
        repository=ReconciliationRepository(services.reader),
        bank=line,
        channel=line,
        reserve_account=settings.reserve_account,
    )
    day_end = DayEnd(
        submit=services.submit,
        repository=days,
        bank=line,
        channel=line,
        resolve_topups=topups.resolve_open,
        reconcile=reconciliation,
        accounts=Accounts(
            reserve=settings.reserve_account,
            own=settings.own_account,
            holder=settings.account_holder,
        ),
        business_date=services.rules.business_date,
        clock=services.clock,
        entropy=services.entropy,
    )
    return Institutions(line, topups, day_end, days)
