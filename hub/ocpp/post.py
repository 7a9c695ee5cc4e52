"""A charger of the store: how it is set up, and what it may be asked. Pure."""

from dataclasses import dataclass, replace
from typing import Protocol

from hub.ocpp.model import Charge, ChargeState, Tariff

PREPAID_TAG = "PRE"
_PREPAID_TAG_CHARS = 17


@dataclass(frozen=True, slots=True)
class Post:
    """A charger as the shop has set it up. ``prepay_minor`` 0: nobody pays ahead by a code."""

    name: str
    merchant_id: str
    tariff: Tariff
    prepay_minor: int = 0

    def charge(self, payment_id: str, tag: str) -> Charge:
        """A charge at the present price, that runs from a beginning which is still to be said."""
        return Charge(
            payment_id=payment_id,
            number=0,
            charger=self.name,
            connector=0,
            key="",
            tag=tag,
            state=ChargeState.RUNNING,
            currency=self.tariff.currency,
            per_kwh_minor=self.tariff.per_kwh_minor,
            per_minute_minor=self.tariff.per_minute_minor,
        )

    def offer(self, payment_id: str, connector: int) -> Charge:
        """A code that may be paid ahead at a connector."""
        return replace(
            self.charge(payment_id, PREPAID_TAG + payment_id[-_PREPAID_TAG_CHARS:]),
            state=ChargeState.OFFERED,
            connector=connector,
            key=f"offer:{payment_id}",
            prepaid_minor=self.prepay_minor,
            limit_minor=self.prepay_minor,
        )


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
