"""What the charging profiles make of the outlets' power, time after time."""

from dataclasses import dataclass, field

from firmware_sim.devices.ocpp.charging_profiles import (
    Charge,
    ChargingProfiles,
    Limit,
    bound_to,
)
from firmware_sim.devices.ocpp.outlet import Grant, Outlet, Transaction
from firmware_sim.devices.ocpp.wall_clock import WallClock

_NOBODY = 0
"""No transaction's number; they begin at 1."""


@dataclass(slots=True)
class PowerLimits:
    """The limits of one charger's outlets."""

    outlets: dict[int, Outlet]
    clock: WallClock
    profiles: ChargingProfiles = field(default_factory=ChargingProfiles)

    def apply(self, now_ms: int) -> tuple[list[Outlet], int | None]:
        """Set each outlet's limit; those whose limit changed, and when one may change next."""
        running = {one.transaction.number for one in self.outlets.values() if one.transaction}
        self.profiles.keep_running(running)
        changed, next_ms = [], []
        for outlet in self.outlets.values():
            limit = self._limit(outlet, now_ms)
            if limit.changes_at:
                next_ms.append(max(now_ms + 1, self.clock.now_ms_of(limit.changes_at)))
            if limit.watts != outlet.limit_w:
                outlet.limit_w = limit.watts
                changed.append(outlet)
        return changed, min(next_ms, default=None)

    def charge_of(self, outlet: Outlet) -> Charge | None:
        """What the profiles need of an outlet's transaction."""
        transaction = outlet.transaction
        if transaction is None:
            return None
        began_at = self.clock.at(transaction.started_at_ms)
        return Charge(outlet.number, transaction.number, began_at)

    def composite(self, number: int, duration_s: int, now_ms: int) -> list[tuple[int, int]]:
        """The limits from now on of an outlet, or of the station (0): (seconds, watts). Where no
        transaction runs, one that began now is supposed."""
        moment = self.clock.at(now_ms)
        if not number:
            most_w = sum(outlet.power_w_max for outlet in self.outlets.values())
            return self.profiles.composite(None, moment, duration_s, most_w)
        outlet = self.outlets[number]
        charge = self.charge_of(outlet) or Charge(number, _NOBODY, moment)
        return self.profiles.composite(charge, moment, duration_s, outlet.power_w_max)

    def bind(self, grant: Grant, transaction: Transaction) -> None:
        """A profile that came with a remote start is for the transaction that came of it."""
        if grant.profile is not None:
            self.profiles.put(bound_to(grant.profile, transaction.outlet, transaction.number))

    def _limit(self, outlet: Outlet, now_ms: int) -> Limit:
        charge = self.charge_of(outlet)
        if charge is None:
            return Limit()
        shares = sum(bool(one.transaction and one.wanted_w) for one in self.outlets.values())
        return self.profiles.limit(charge, self.clock.at(now_ms), shares=shares)
