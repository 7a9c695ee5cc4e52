"""The fund company and its bank as an institution of its own."""

from pydantic import BaseModel, ConfigDict

from backend.sandbox.fund.app import build_app
from backend.sandbox.fund.company import Accounts, FundCompany
from backend.sandbox.fund.lines import FundLines
from backend.sandbox.institution.program import Place, Running
from backend.sandbox.json_channel import REFUSALS


class Options(BaseModel):
    """``[options.fund]``: whose accounts are where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bank: str = "bank-a"
    company_account: str = "FUND-COMPANY"
    own_account: str = "OWN-TILLWAY"
    settlement_account: str = "SETTLE-ADVBANK"
    reserve_account: str = "RESERVE-TILLWAY"


def build(place: Place) -> Running:
    """The fund, beside the reserve bank and a commercial bank."""
    options = Options.model_validate(dict(place.options))
    accounts = Accounts(
        advancer=options.settlement_account,
        reserve=options.reserve_account,
        company=options.company_account,
        own=options.own_account,
    )
    lines = FundLines(place, bank=options.bank, company=accounts.company, own=accounts.own)
    fund = FundCompany(place.furnish(faults=REFUSALS), accounts=accounts, agent=lines)
    return Running(fund.house, build_app(fund), close=lines.close)
