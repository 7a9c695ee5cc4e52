"""Smart charging: profiles that limit the power of outlets (OCPP 1.6 §3.13, OCPP 2.0.1 part 2 K).

Rule 1: of the profiles of one purpose the one of the highest stack level that is active rules; a
transaction's own goes before the default, an outlet's default before the station's; the station's
maximum, shared among the outlets that charge, bounds what comes of that.
Rule 2: a limit is whole watts; amperes are those of ``VOLTS`` and the period's phases (three where
none are named). Rule 3: a time is asked for a limit and answers with the time when it may change,
so that nobody has to look each second. Rule 4: profiles and their periods are bounded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from firmware_sim.devices.ocpp.limits import (
    COMPOSITE_PERIODS_MAX,
    POWER_W_MAX,
    PROFILE_PERIODS_MAX,
    PROFILES_MAX,
)
from firmware_sim.devices.ocpp.wall_clock import as_moment
from protocol.framing.ocppj import JsonObject

VOLTS = 230
PHASES = 3
STATION = 0
"""The outlet's number that means the whole charge point."""


class Purpose(Enum):
    """What a profile is for."""

    STATION_MAX = "station_max"
    TX_DEFAULT = "tx_default"
    TX = "tx"


_PERIODS = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. ``steps`` are (seconds from the base, watts), ``transaction`` is our number."""

    number: int
    outlet: int
    stack: int
    purpose: Purpose
    steps: tuple[tuple[int, int], ...]
    duration_s: int | None
    starts_at: datetime | None
    """The base; ``None`` is the transaction's start."""
    recurs: timedelta | None
    valid_from: datetime | None
    valid_to: datetime | None
    payload: JsonObject
    transaction: int | None = None

    def at(self, moment: datetime, began_at: datetime | None) -> "Limit":
        """The limit at a time, for a transaction that began then."""
        if self.valid_from and moment < self.valid_from:
            return Limit(None, self.valid_from)
        if self.valid_to and moment >= self.valid_to:
            return Limit()
        base = self._base(moment, began_at)
        if base is None:
            return Limit()
        if moment < base:
            return Limit(None, base)
        watts, later = self._step(base, moment)
        bounds = [one for one in (later, self.valid_to) if one]
        return Limit(watts, min(bounds, default=None))

    def _base(self, moment: datetime, began_at: datetime | None) -> datetime | None:
        base = self.starts_at or began_at
        if base is None or self.recurs is None or moment < base:
            return base
        return base + self.recurs * ((moment - base) // self.recurs)

    def _step(self, base: datetime, moment: datetime) -> tuple[int | None, datetime | None]:
        edges = [base + timedelta(seconds=start) for start, _ in self.steps]
        end = base + timedelta(seconds=self.duration_s) if self.duration_s is not None else None
        again = base + self.recurs if self.recurs else None
        if end and moment >= end:
            return None, again
        index = sum(edge <= moment for edge in edges) - 1
        later = [edge for edge in (*edges[index + 1 : index + 2], end, again) if edge]
        return self.steps[index][1], min(later, default=None)


@dataclass(frozen=True, slots=True)
class Limit:
    """What is allowed, and when that may change. ``None``: no limit, no change."""

    watts: int | None = None
    changes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """What of a transaction the profiles need."""

    outlet: int
    transaction: int
    began_at: datetime


@dataclass(slots=True)
class ChargingProfiles:
    """The profiles now; they are in flash."""

    profiles: dict[int, Profile] = field(default_factory=dict)

    def put(self, profile: Profile) -> bool:
        """Install a profile in place of the one of its number or of its place; ``False``: full."""
        kept = {
            number: one
            for number, one in self.profiles.items()
            if number != profile.number and _place(one) != _place(profile)
        }
        if len(kept) >= PROFILES_MAX:
            return False
        self.profiles = {**kept, profile.number: profile}
        return True

    def clear(self, chosen: Iterable[Profile]) -> bool:
        """Take profiles out; ``False`` where there were none."""
        numbers = [profile.number for profile in chosen]
        for number in numbers:
            del self.profiles[number]
        return bool(numbers)

    def chosen(
        self,
        *,
        numbers: list[int] | None = None,
        outlet: int | None = None,
        purpose: Purpose | None = None,
        stack: int | None = None,
    ) -> list[Profile]:
        """The profiles that all that is named fits."""
        return [
            one
            for one in self.profiles.values()
            if (numbers is None or one.number in numbers)
            and outlet in {None, one.outlet}
            and purpose in {None, one.purpose}
            and stack in {None, one.stack}
        ]

    def keep_running(self, transactions: set[int]) -> None:
        """A transaction's own profiles end with it."""
        self.profiles = {
            number: one
            for number, one in self.profiles.items()
            if one.transaction is None or one.transaction in transactions
        }

    def limit(self, charge: Charge | None, moment: datetime, *, shares: int = 1) -> Limit:
        """The limit of a charging outlet, or of the whole station where ``charge`` is ``None``."""
        most = self._ruling(self.chosen(purpose=Purpose.STATION_MAX), moment, None)
        if charge is None:
            return most
        own = [
            one
            for one in self.chosen(purpose=Purpose.TX, outlet=charge.outlet)
            if one.transaction == charge.transaction
        ]
        ruling = self._ruling(own, moment, charge.began_at)
        default = self._default(charge, moment)
        watts = default.watts if ruling.watts is None else ruling.watts
        share = None if most.watts is None else most.watts // max(1, shares)
        given = [one for one in (watts, share) if one is not None]
        changes = [one.changes_at for one in (ruling, default, most) if one.changes_at]
        return Limit(min(given, default=None), min(changes, default=None))

    def composite(
        self, charge: Charge | None, moment: datetime, duration_s: int, most_w: int
    ) -> list[tuple[int, int]]:
        """The limits from now on: (seconds from now, watts), with ``most_w`` where none is set."""
        steps: list[tuple[int, int]] = []
        at = moment
        for _ in range(COMPOSITE_PERIODS_MAX):
            limit = self.limit(charge, at)
            watts = most_w if limit.watts is None else min(limit.watts, most_w)
            if not steps or steps[-1][1] != watts:
                steps.append((int((at - moment).total_seconds()), watts))
            if limit.changes_at is None or limit.changes_at >= moment + timedelta(
                seconds=duration_s
            ):
                break
            at = max(limit.changes_at, at + timedelta(seconds=1))
        return steps

    def _default(self, charge: Charge, moment: datetime) -> Limit:
        here = self.chosen(purpose=Purpose.TX_DEFAULT, outlet=charge.outlet)
        everywhere = self.chosen(purpose=Purpose.TX_DEFAULT, outlet=STATION)
        return self._ruling(here or everywhere, moment, charge.began_at)

    def _ruling(
        self, profiles: Iterable[Profile], moment: datetime, began_at: datetime | None
    ) -> Limit:
        ranked = sorted(profiles, key=lambda one: one.stack, reverse=True)
        limits = [one.at(moment, began_at) for one in ranked]
        watts = next((one.watts for one in limits if one.watts is not None), None)
        return Limit(watts, min((one.changes_at for one in limits if one.changes_at), default=None))


def bound_to(profile: Profile, outlet: int, transaction: int | None) -> Profile:
    """The profile for an outlet, and for its transaction where it has one."""
    return replace(profile, outlet=outlet, transaction=transaction)


def read_profile(
    payload: JsonObject, schedule: JsonObject, number: int, purpose: Purpose
) -> Profile | None:
    """The profile of a payload whose shape is right; ``None`` where it makes no sense."""
    starts_at = _moment(schedule, "startSchedule")
    is_recurring = payload["chargingProfileKind"] == "Recurring"
    recurs = _PERIODS.get(payload.get("recurrencyKind", "")) if is_recurring else None
    if payload["chargingProfileKind"] == "Relative":
        starts_at = None
    is_baseless = starts_at is None and (is_recurring or purpose is Purpose.STATION_MAX)
    steps = tuple(_steps(schedule))
    starts = [start for start, _ in steps]
    is_ordered = starts[:1] == [0] and starts == sorted(set(starts))
    is_endless = is_recurring and recurs is None
    if is_baseless or is_endless or not is_ordered or any(watts < 0 for _, watts in steps):
        return None
    return Profile(
        number, STATION, payload["stackLevel"], purpose, steps, schedule.get("duration"),
        starts_at, recurs, _moment(payload, "validFrom"), _moment(payload, "validTo"), payload,
    )  # fmt: skip


def _steps(schedule: JsonObject) -> Iterator[tuple[int, int]]:
    for period in schedule["chargingSchedulePeriod"][:PROFILE_PERIODS_MAX]:
        scale = VOLTS * period.get("numberPhases", PHASES) if _is_amperes(schedule) else 1
        yield period["startPeriod"], int(max(-1, min(period["limit"] * scale, POWER_W_MAX)))


def in_unit(watts: int, unit: str) -> float | int:
    """A limit as a schedule of that unit tells it, amperes with one place."""
    return round(watts / (VOLTS * PHASES), 1) if unit == "A" else watts


def _is_amperes(schedule: JsonObject) -> bool:
    return bool(schedule["chargingRateUnit"] == "A")


def _moment(payload: JsonObject, name: str) -> datetime | None:
    return as_moment(payload[name]) if name in payload else None


def _place(one: Profile) -> tuple[object, ...]:
    return one.outlet, one.stack, one.purpose, one.transaction
