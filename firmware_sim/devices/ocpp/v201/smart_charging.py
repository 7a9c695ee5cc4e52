"""Smart charging of OCPP 2.0.1 (part 2, K01 to K10). Of a profile's schedules the first is kept."""

from typing import TYPE_CHECKING

from firmware_sim.devices.ocpp.charging_profiles import (
    STATION,
    Profile,
    Purpose,
    bound_to,
    in_unit,
    read_profile,
)
from firmware_sim.devices.ocpp.limits import (
    COMPOSITE_S_MAX,
    PROFILE_PERIODS_MAX,
    PROFILE_STACK_MAX,
    PROFILES_MAX,
)
from firmware_sim.devices.ocpp.shapes import (
    Anything,
    Many,
    Moment,
    Number,
    Shape,
    Text,
    Whole,
    one_of,
)
from firmware_sim.devices.ocpp.talker import Request
from protocol.framing.ocppj import JsonObject

if TYPE_CHECKING:
    from firmware_sim.devices.ocpp.v201.station import Ocpp201

PURPOSES = {
    "ChargingStationMaxProfile": Purpose.STATION_MAX,
    "TxDefaultProfile": Purpose.TX_DEFAULT,
    "TxProfile": Purpose.TX,
}
_EXTERNAL = "ChargingStationExternalConstraints"
"""Not the central system's to set (K01.FR.22)."""
_PURPOSE = one_of(*PURPOSES, _EXTERNAL)
_UNIT = one_of("A", "W")
_PERIOD = Shape(
    {"startPeriod": Whole(0), "limit": Number()}, {"numberPhases": Whole(1), "phaseToUse": Whole(1)}
)
_SCHEDULE = Shape(
    {
        "id": Whole(),
        "chargingRateUnit": _UNIT,
        "chargingSchedulePeriod": Many(_PERIOD, at_least=1, at_most=PROFILE_PERIODS_MAX),
    },
    {
        "duration": Whole(0),
        "startSchedule": Moment(),
        "minChargingRate": Number(),
        "salesTariff": Anything(),
    },
)
PROFILE = Shape(
    {
        "id": Whole(),
        "stackLevel": Whole(0),
        "chargingProfilePurpose": _PURPOSE,
        "chargingProfileKind": one_of("Absolute", "Recurring", "Relative"),
        "chargingSchedule": Many(_SCHEDULE, at_least=1, at_most=3),
    },
    {
        "transactionId": Text(36),
        "recurrencyKind": one_of("Daily", "Weekly"),
        "validFrom": Moment(),
        "validTo": Moment(),
    },
)


def profile_of(payload: JsonObject) -> Profile | None:
    """The profile of a payload of the right shape; ``None`` where it makes no sense."""
    purpose = PURPOSES.get(payload["chargingProfilePurpose"])
    if payload["stackLevel"] > PROFILE_STACK_MAX or purpose is None:
        return None
    return read_profile(payload, payload["chargingSchedule"][0], payload["id"], purpose)


def _set(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """K01: a transaction's own profile names it, the station's maximum is on EVSE 0."""
    del now_ms
    number, found = payload["evseId"], profile_of(payload["chargingProfile"])
    outlet = station.outlets.get(number)
    key = payload["chargingProfile"].get("transactionId")
    named = None
    if outlet and outlet.transaction and outlet.transaction.key == key:
        named = outlet.transaction.number
    is_placed = (
        found is not None
        and {
            Purpose.STATION_MAX: number == STATION,
            Purpose.TX_DEFAULT: number == STATION or outlet is not None,
            Purpose.TX: named is not None,
        }[found.purpose]
    )
    if found is None or not is_placed:
        return {"status": "Rejected"}
    transaction = named if found.purpose is Purpose.TX else None
    is_put = station.limits.profiles.put(bound_to(found, number, transaction))
    return {"status": "Accepted" if is_put else "Rejected"}


def _chosen(
    station: "Ocpp201", criteria: JsonObject, numbers: list[int] | None, evse: int | None
) -> list[Profile]:
    purpose = criteria.get("chargingProfilePurpose")
    if purpose == _EXTERNAL:
        return []
    return station.limits.profiles.chosen(
        numbers=numbers,
        outlet=evse,
        purpose=PURPOSES[purpose] if purpose else None,
        stack=criteria.get("stackLevel"),
    )


def _clear(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """K10."""
    del now_ms
    criteria = payload.get("chargingProfileCriteria", {})
    number = payload.get("chargingProfileId")
    numbers = None if number is None else [number]
    chosen = _chosen(station, criteria, numbers, criteria.get("evseId"))
    return {"status": "Accepted" if station.limits.profiles.clear(chosen) else "Unknown"}


def _get(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """K09: the profiles follow in ``ReportChargingProfiles``, one message for each EVSE."""
    del now_ms
    criteria = payload["chargingProfile"]
    chosen = _chosen(station, criteria, criteria.get("chargingProfileId"), payload.get("evseId"))
    if "CSO" not in criteria.get("chargingLimitSource", ["CSO"]) or not chosen:
        return {"status": "NoProfiles"}
    places = sorted({one.outlet for one in chosen})
    for number in places:
        station.ask("ReportChargingProfiles", {
            "requestId": payload["requestId"], "chargingLimitSource": "CSO", "evseId": number,
            "chargingProfile": [one.payload for one in chosen if one.outlet == number],
            "tbc": number != places[-1],
        })  # fmt: skip
    return {"status": "Accepted"}


def _composite(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """K08."""
    number, unit = payload["evseId"], payload.get("chargingRateUnit", "W")
    duration_s = payload["duration"]
    if number > len(station.outlets) or duration_s > COMPOSITE_S_MAX:
        return {"status": "Rejected"}
    steps = station.limits.composite(number, duration_s, now_ms)
    return {
        "status": "Accepted",
        "schedule": {
            "evseId": number,
            "duration": duration_s,
            "scheduleStart": station.clock.text(now_ms),
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [
                {"startPeriod": start, "limit": in_unit(watts, unit)} for start, watts in steps
            ],
        },
    }


REQUESTS: dict[str, Request] = {
    "ClearChargingProfile": Request(
        Shape(
            {},
            {
                "chargingProfileId": Whole(),
                "chargingProfileCriteria": Shape(
                    {},
                    {
                        "evseId": Whole(0),
                        "chargingProfilePurpose": _PURPOSE,
                        "stackLevel": Whole(0),
                    },
                ),
            },
        ),
        _clear,
    ),
    "GetChargingProfiles": Request(
        Shape(
            {
                "requestId": Whole(),
                "chargingProfile": Shape(
                    {},
                    {
                        "chargingProfilePurpose": _PURPOSE,
                        "stackLevel": Whole(0),
                        "chargingProfileId": Many(Whole(), at_least=1, at_most=PROFILES_MAX),
                        "chargingLimitSource": Many(
                            one_of("EMS", "Other", "SO", "CSO"), at_least=1, at_most=4
                        ),
                    },
                ),
            },
            {"evseId": Whole(0)},
        ),
        _get,
    ),
    "GetCompositeSchedule": Request(
        Shape({"evseId": Whole(0), "duration": Whole(0)}, {"chargingRateUnit": _UNIT}), _composite
    ),
    "SetChargingProfile": Request(Shape({"evseId": Whole(0), "chargingProfile": PROFILE}), _set),
}
