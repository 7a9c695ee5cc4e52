"""The ``[wallet]`` table of the backend's configuration."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from backend.passkeys.model import Site
from backend.wallet.limits import PIN_FREE_MINOR_MAX, PIN_FREE_PER_DAY_MAX
from backend.wallet.model import WalletRules

_DEFAULT = WalletRules()


class WalletSettings(BaseModel):
    """What payers may confirm without their PIN."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pin_free_minor: Annotated[int, Field(ge=0, le=PIN_FREE_MINOR_MAX)] = _DEFAULT.pin_free_minor
    pin_free_day_minor: Annotated[int, Field(ge=0)] = _DEFAULT.pin_free_day_minor
    pin_free_day_count: Annotated[int, Field(ge=0, le=PIN_FREE_PER_DAY_MAX)] = (
        _DEFAULT.pin_free_day_count
    )

    consent_minor: Annotated[int, Field(ge=0)] = _DEFAULT.consent_minor
    failure_switches: bool = False
    """Lets payers make their own payments fail (``docs/wallet.md``). For testers; never where real
    money moves."""

    origins: tuple[str, ...] = ()
    """Under which addresses payers open the wallet (``https://pay.example``): there fingerprints
    and faces are taken. The first one's host is what passkeys are bound to."""

    @field_validator("origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        Site(origins)
        return origins

    def rules(self) -> WalletRules:
        """The rules."""
        terms = self.model_dump(exclude={"origins"})
        return WalletRules(**terms, site=Site(self.origins))
