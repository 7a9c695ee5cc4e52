"""The ``[withdrawals]`` table of the backend's configuration."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from backend.withdrawals.limits import FEE_BPS_MAX, WITHDRAWAL_MINOR_MAX
from backend.withdrawals.model import WithdrawalRules

_DEFAULT = WithdrawalRules()


class WithdrawalSettings(BaseModel):
    """What payers pay for taking their money out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    free_minor: Annotated[int, Field(ge=0)] = _DEFAULT.free_minor
    fee_bps: Annotated[int, Field(ge=0, le=FEE_BPS_MAX)] = _DEFAULT.fee_bps
    fee_minor_min: Annotated[int, Field(ge=0)] = _DEFAULT.fee_minor_min
    amount_minor_max: Annotated[int, Field(gt=0, le=WITHDRAWAL_MINOR_MAX)] = (
        _DEFAULT.amount_minor_max
    )

    def rules(self) -> WithdrawalRules:
        """The rules."""
        return WithdrawalRules(**self.model_dump())
