"""The ``[offline]`` table of the backend's configuration."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from backend.offline.limits import (
    GUARANTEE_MINOR_MAX,
    LIFE_H_MAX,
    PAYMENT_MINOR_MAX,
    RETURN_H_MAX,
    VOUCHER_MINOR_MAX,
)
from backend.offline.model import ClassLimits, OfflineRules
from protocol.clock import HOUR_MS
from protocol.limits import OFFLINE_TOKENS_MAX

_DEFAULT = OfflineRules()
_Voucher = Annotated[int, Field(gt=0, le=VOUCHER_MINOR_MAX)]
_Payment = Annotated[int, Field(gt=0, le=PAYMENT_MINOR_MAX)]


class OfflineSettings(BaseModel):
    """What payers may take along, and who bears what is spent twice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    new_payment_minor_max: _Payment = _DEFAULT.classes["new"].payment_minor_max
    new_voucher_minor_max: _Voucher = _DEFAULT.classes["new"].voucher_minor_max
    known_payment_minor_max: _Payment = _DEFAULT.classes["known"].payment_minor_max
    known_voucher_minor_max: _Voucher = _DEFAULT.classes["known"].voucher_minor_max
    tokens_max: Annotated[int, Field(gt=0, le=OFFLINE_TOKENS_MAX)] = _DEFAULT.tokens_max
    life_h: Annotated[int, Field(gt=0, le=LIFE_H_MAX)] = _DEFAULT.life_ms // HOUR_MS
    return_h: Annotated[int, Field(gt=0, le=RETURN_H_MAX)] = _DEFAULT.return_ms // HOUR_MS
    guarantee_minor: Annotated[int, Field(ge=0, le=GUARANTEE_MINOR_MAX)] = _DEFAULT.guarantee_minor
    """Of one voucher: what the house bears of what was spent twice; 0: the merchant bears all."""

    def rules(self) -> OfflineRules:
        """The rules."""
        return OfflineRules(
            classes={
                "new": ClassLimits(self.new_payment_minor_max, self.new_voucher_minor_max),
                "known": ClassLimits(self.known_payment_minor_max, self.known_voucher_minor_max),
            },
            tokens_max=self.tokens_max,
            life_ms=self.life_h * HOUR_MS,
            return_ms=self.return_h * HOUR_MS,
            guarantee_minor=self.guarantee_minor,
        )
