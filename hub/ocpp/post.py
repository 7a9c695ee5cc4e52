"""A charger of the store: how it is set up, and what it may be asked. Pure."""

from dataclasses import dataclass
from typing import Protocol

from hub.ocpp.model import Charge, Tariff


@dataclass(frozen=True, slots=True)
class Post:
    """A charger as the shop has set it up. ``prepay_minor`` 0: nobody pays ahead by a code."""

    name: str
    merchant_id: str
    tariff: Tariff
    prepay_minor: int = 0


class ChargerLine(Protocol):
    """What we may ask of a charger that is connected. Each is queued; what it answers is logged."""

    def start(self, charge: Charge) -> None:
        """Begin at the charge's connector for its tag."""
        ...

    def stop(self, charge: Charge) -> None:
        """End the charge's transaction."""
        ...

    def show(self, charge: Charge) -> None:
        """Show what is to pay, or what was."""
        ...
