"""Smart charging of OCPP 1.6 (§5.5, §5.7, §5.16)."""

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
)
from firmware_sim.devices.ocpp.shapes import Many, Moment, Number, Shape, Whole, one_of
from firmware_sim.devices.ocpp.talker import Request
from protocol.framing.ocppj import JsonObject

if TYPE_CHECKING:
    from firmware_sim.devices.ocpp.v16.station import Ocpp16

PURPOSES = {
    "ChargePointMaxProfile": Purpose.STATION_MAX,
    "TxDefaultProfile": Purpose.TX_DEFAULT,
    "TxProfile": Purpose.TX,
}
_UNIT = one_of("A", "W")
_PERIOD = Shape({"startPeriod": Whole(0), "limit": Number()}, {"numberPhases": Whole(1)})
_SCHEDULE = Shape(
    {
        "chargingRateUnit": _UNIT,
        "chargingSchedulePeriod": Many(_PERIOD, at_least=1, at_most=PROFILE_PERIODS_MAX),
    },
    {"duration": Whole(0), "startSchedule": Moment(), "minChargingRate": Number()},
)
PROFILE = Shape(
    {
        "chargingProfileId": Whole(),
        "stackLevel": Whole(0),
        "chargingProfilePurpose": one_of(*PURPOSES),
        "chargingProfileKind": one_of("Absolute", "Recurring", "Relative"),
        "chargingSchedule": _SCHEDULE,
    },
    {
        "transactionId": Whole(),
        "recurrencyKind": one_of("Daily", "Weekly"),
        "validFrom": Moment(),
        "validTo": Moment(),
    },
)


def profile_of(payload: JsonObject) -> Profile | None:
    """The profile of a payload of the right shape; ``None`` where it makes no sense."""
    if payload["stackLevel"] > PROFILE_STACK_MAX:
        return None
    purpose = PURPOSES[payload["chargingProfilePurpose"]]
    number = payload["chargingProfileId"]
    return read_profile(payload, payload["chargingSchedule"], number, purpose)


def _set(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.16: a transaction's own profile needs the transaction, the station's maximum is on 0."""
    del now_ms
    number, found = payload["connectorId"], profile_of(payload["csChargingProfiles"])
    outlet = station.outlets.get(number)
    transaction, named = outlet.transaction if outlet else None, None
    if found is not None and found.purpose is Purpose.TX and transaction:
        asked = payload["csChargingProfiles"].get("transactionId")
        if asked in {None, station.central_ids.get(transaction.number)}:
            named = transaction.number
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
    is_put = station.limits.profiles.put(bound_to(found, number, named))
    return {"status": "Accepted" if is_put else "Rejected"}


def _clear(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.5: by number, or all that fit."""
    del now_ms
    profiles = station.limits.profiles
    purpose = payload.get("chargingProfilePurpose")
    chosen = profiles.chosen(
        numbers=[payload["id"]] if "id" in payload else None,
        outlet=payload.get("connectorId"),
        purpose=PURPOSES[purpose] if purpose else None,
        stack=payload.get("stackLevel"),
    )
    return {"status": "Accepted" if profiles.clear(chosen) else "Unknown"}


def _composite(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.7."""
    number, unit = payload["connectorId"], payload.get("chargingRateUnit", "W")
    duration_s = payload["duration"]
    if number > len(station.outlets) or duration_s > COMPOSITE_S_MAX:
        return {"status": "Rejected"}
    steps = station.limits.composite(number, duration_s, now_ms)
    return {
        "status": "Accepted",
        "connectorId": number,
        "scheduleStart": station.clock.text(now_ms),
        "chargingSchedule": {
            "duration": duration_s,
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
                "id": Whole(),
                "connectorId": Whole(0),
                "chargingProfilePurpose": one_of(*PURPOSES),
                "stackLevel": Whole(0),
            },
        ),
        _clear,
    ),
    "GetCompositeSchedule": Request(
        Shape({"connectorId": Whole(0), "duration": Whole(0)}, {"chargingRateUnit": _UNIT}),
        _composite,
    ),
    "SetChargingProfile": Request(
        Shape({"connectorId": Whole(0), "csChargingProfiles": PROFILE}), _set
    ),
}
