"""The e-CNY operator as an institution of its own."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from backend.sandbox.ecny.app import build_app
from backend.sandbox.ecny.limits import default_limits, read_limits
from backend.sandbox.ecny.operator import Accounts, EcnyOperator
from backend.sandbox.institution.program import Place, Running
from backend.sandbox.institution.reserve_line import ReserveLine
from backend.sandbox.json_channel import REFUSALS


class Options(BaseModel):
    """``[options.ecny]``: whose accounts are where, and wallets' limits other than the built-in
    ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limits_file: Path | None = None
    settlement_account: str = "SETTLE-ECNY"
    reserve_account: str = "RESERVE-TILLWAY"


def build(place: Place) -> Running:
    """The operator, beside the reserve bank."""
    options = Options.model_validate(dict(place.options))
    limits = (
        default_limits()
        if options.limits_file is None
        else read_limits(options.limits_file.read_text("utf-8"))
    )
    line = ReserveLine(place)
    operator = EcnyOperator(
        place.furnish(faults=REFUSALS),
        limits=limits,
        accounts=Accounts(options.settlement_account, options.reserve_account),
        agent=line,
    )
    return Running(operator.house, build_app(operator), close=line.close)
