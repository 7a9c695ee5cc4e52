"""What an operator may set about the store's chargers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from hub.ocpp.limits import CHARGERS_MAX
from protocol.limits import IDENTIFIER_CHARS_MAX
from protocol.messages.base import CurrencyText, Minor

_Text = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]


class ChargerSettings(BaseModel):
    """One charger. Its device identity stands in ``chargers/{name}/identity`` of the hub's state
    directory, beside the ``passphrase`` that opens it and the charger's own ``password``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: _Text
    merchant_id: _Text
    currency: CurrencyText = "CNY"
    per_kwh_minor: Minor
    per_minute_minor: Minor = 0
    prepay_minor: Minor = 0
    """What a code on the charger's display asks for ahead; 0: there is no such code."""


class OcppSettings(BaseModel):
    """The central system. Over TLS chargers show a password or a certificate of our CA; without it
    a password, where the store's network is trusted."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9000
    tls: bool = False
    chargers: Annotated[tuple[ChargerSettings, ...], Field(max_length=CHARGERS_MAX)] = ()
    """None: there is no central system."""
