"""What the central system may ask of an OCPP 1.6 charge point (chapter 5), and what is done.

Rule 1: the answer is made here, its consequences follow in the same turn, after it. Rule 2: what
is not in ``REQUESTS`` is answered ``NotImplemented``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware_sim.devices.ocpp.charging import Cause, admits
from firmware_sim.devices.ocpp.charging_profiles import Purpose
from firmware_sim.devices.ocpp.firmware import Order
from firmware_sim.devices.ocpp.limits import (
    FIRMWARE_RETRIES_MAX,
    INTERVAL_S_MAX,
    KEYS_PER_REQUEST_MAX,
    TOKENS_PER_LIST_MAX,
)
from firmware_sim.devices.ocpp.outlet import Grant, Outlet, Reservation
from firmware_sim.devices.ocpp.settings import Change
from firmware_sim.devices.ocpp.shapes import Many, Moment, Shape, Text, Whole, one_of
from firmware_sim.devices.ocpp.station import PENDING, whole_within
from firmware_sim.devices.ocpp.talker import Request
from firmware_sim.devices.ocpp.tokens import ACCEPTED, Standing, Token
from firmware_sim.devices.ocpp.v16 import smart_charging
from firmware_sim.devices.ocpp.v16.standing import ID_TAG, ID_TAG_INFO, standing_of
from firmware_sim.devices.ocpp.wall_clock import as_moment
from protocol.framing.ocppj import JsonObject

if TYPE_CHECKING:
    from firmware_sim.devices.ocpp.v16.station import Ocpp16

_YES: JsonObject = {"status": "Accepted"}
_NO: JsonObject = {"status": "Rejected"}
_CONNECTOR = {"connectorId": Whole(0)}


def _change_availability(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.2. A transaction under way goes on; the change waits for its end."""
    number, is_operative = payload["connectorId"], payload["type"] == "Operative"
    if number > len(station.outlets):
        return _NO
    if number == 0:
        station.is_operative = is_operative
        station.tell_station(now_ms)
    meant = station.outlets.values() if number == 0 else [station.outlets[number]]
    is_scheduled = False
    for outlet in meant:
        is_waiting = not is_operative and outlet.transaction is not None
        outlet.is_to_become_inoperative = is_waiting
        is_scheduled |= is_waiting
        if not is_waiting:
            outlet.is_operative = is_operative
    return {"status": "Scheduled"} if is_scheduled else _YES


def _change_configuration(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.3."""
    change = station.settings.change(payload["key"], payload["value"])
    if change is Change.ACCEPTED:
        station.setting_changed(payload["key"], now_ms)
    words = {
        Change.ACCEPTED: "Accepted", Change.REBOOT: "RebootRequired",
        Change.UNKNOWN: "NotSupported",
    }  # fmt: skip
    return {"status": words.get(change, "Rejected")}


def _get_configuration(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.8: the named keys, or all."""
    del now_ms
    settings = station.settings
    asked = payload.get("key") or list(settings.rows)
    return {
        "configurationKey": [
            {"key": key, "readonly": settings.rows[key].is_read_only, "value": settings.text(key)}
            for key in asked
            if key in settings.rows
        ],
        "unknownKey": [key for key in asked if key not in settings.rows],
    }


def _clear_cache(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.4."""
    del payload, now_ms
    if not station.settings.flag("AuthorizationCacheEnabled"):
        return _NO
    station.book.clear_cache()
    return _YES


def _data_transfer(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.6: this charger has no vendor's messages."""
    del now_ms
    known = payload["vendorId"] == station.plate.vendor
    return {"status": "UnknownMessageId" if known else "UnknownVendorId"}


def _remote_start(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.11. Not before registration (§4.2). A profile sent along is the transaction's own."""
    token, number = Token(payload["idTag"]), payload.get("connectorId")
    sent = payload.get("chargingProfile")
    profile = smart_charging.profile_of(sent) if sent else None
    if sent and (profile is None or profile.purpose is not Purpose.TX):
        return _NO
    outlet = _free_outlet(station, token, number)
    if station.registration == PENDING or outlet is None:
        return _NO
    if not station.settings.flag("AuthorizeRemoteTxRequests"):
        station.give_grant(outlet, Grant(token, profile=profile), Cause.REMOTE_START, now_ms)
        return _YES

    def judged(found: Standing, at_ms: int) -> None:
        if found.status == ACCEPTED and not station.is_refusing(outlet):
            station.give_grant(
                outlet, Grant(token, found.group, profile=profile), Cause.REMOTE_START, at_ms
            )

    station.judge(token, judged, now_ms)
    return _YES


def _free_outlet(station: "Ocpp16", token: Token, number: int | None) -> Outlet | None:
    free = [
        outlet
        for outlet in station.outlets.values()
        if number in {None, outlet.number}
        and not station.is_refusing(outlet)
        and admits(outlet, token, "")
    ]
    plugged = [outlet for outlet in free if outlet.is_plugged]
    return next(iter(plugged or free), None)


def _remote_stop(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.12."""
    outlet = station.running(payload["transactionId"])
    if station.registration == PENDING or outlet is None:
        return _NO
    station.stop(outlet, Cause.REMOTE_STOP, now_ms)
    return _YES


def _reset(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.14: a soft one lets the ends of transactions out first, a hard one does not wait."""
    is_soft = payload["type"] == "Soft"
    cause = Cause.SOFT_RESET if is_soft else Cause.HARD_RESET
    for outlet in station.outlets.values():
        if outlet.transaction:
            station.stop(outlet, cause, now_ms)
    station.reset_soon("RemoteReset", now_ms, is_patient=is_soft)
    return _YES


def _unlock(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.18: a transaction ends first. A connector that does not exist cannot be unlocked."""
    outlet = station.outlets.get(payload["connectorId"])
    if outlet is None:
        return {"status": "NotSupported"}
    if outlet.transaction:
        station.stop(outlet, Cause.UNLOCK, now_ms)
    is_stuck = outlet.defect == "ConnectorLockFailure"
    return {"status": "UnlockFailed" if is_stuck else "Unlocked"}


def _update_firmware(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.19."""
    moment = as_moment(payload["retrieveDate"])
    assert moment is not None, "the shape says it is one"
    order = Order(
        payload["location"],
        station.clock.now_ms_of(moment),
        whole_within(payload.get("retries"), FIRMWARE_RETRIES_MAX),
        whole_within(payload.get("retryInterval"), INTERVAL_S_MAX) or 1,
    )
    station.order_firmware(order, now_ms)
    return {}


def _get_diagnostics(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.9."""
    name = station.order_upload(
        payload["location"],
        now_ms,
        retries=whole_within(payload.get("retries"), FIRMWARE_RETRIES_MAX),
        retry_s=whole_within(payload.get("retryInterval"), INTERVAL_S_MAX),
        request_id=None,
    )
    return {"fileName": name}


def _trigger(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.17."""
    number = payload.get("connectorId")
    if number is not None and not 0 <= number <= len(station.outlets):
        return _NO
    return station.trigger(payload["requestedMessage"], number, now_ms)


def _list_version(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.10: -1 where lists are switched off."""
    del payload, now_ms
    is_on = station.settings.flag("LocalAuthListEnabled")
    return {"listVersion": station.book.version if is_on else -1}


def _send_list(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.15."""
    del now_ms
    if not station.settings.flag("LocalAuthListEnabled"):
        return {"status": "NotSupported"}
    rows = payload.get("localAuthorizationList", [])
    version, is_full = payload["listVersion"], payload["updateType"] == "Full"
    if not is_full and version <= station.book.version:
        return {"status": "VersionMismatch"}
    if is_full and any("idTagInfo" not in row for row in rows):
        return {"status": "Failed"}
    entries = {Token(row["idTag"]): standing_of(row.get("idTagInfo")) for row in rows}
    put = station.book.replace if is_full else station.book.amend
    return {"status": "Accepted" if put(version, entries) else "Failed"}


def _reserve(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.13. Connector 0 is refused, as ``ReserveConnectorZeroSupported`` says."""
    outlet = station.outlets.get(payload["connectorId"])
    if outlet is None:
        return _NO
    number = payload["reservationId"]
    refusal = station.why_not_reserved(outlet, number)
    if refusal:
        return {"status": refusal}
    moment = as_moment(payload["expiryDate"])
    assert moment is not None, "the shape says it is one"
    station.cancel_reservation(number)
    token, group = Token(payload["idTag"]), payload.get("parentIdTag", "")
    until_ms = station.clock.now_ms_of(moment)
    station.reserve(Reservation(number, outlet.number, token, group, until_ms), now_ms)
    return _YES


def _cancel_reservation(station: "Ocpp16", payload: JsonObject, now_ms: int) -> JsonObject:
    """§5.1."""
    del now_ms
    return _YES if station.cancel_reservation(payload["reservationId"]) else _NO


_Run = Callable[["Ocpp16", JsonObject, int], JsonObject]
_LIST_ROW = Shape({"idTag": ID_TAG}, {"idTagInfo": ID_TAG_INFO})
_MESSAGES = one_of(
    "BootNotification", "DiagnosticsStatusNotification", "FirmwareStatusNotification",
    "Heartbeat", "MeterValues", "StatusNotification",
)  # fmt: skip
REQUESTS: dict[str, Request] = {
    **smart_charging.REQUESTS,
    "CancelReservation": Request(Shape({"reservationId": Whole()}), _cancel_reservation),
    "ChangeAvailability": Request(
        Shape({**_CONNECTOR, "type": one_of("Operative", "Inoperative")}), _change_availability
    ),
    "ChangeConfiguration": Request(
        Shape({"key": Text(50), "value": Text(500)}), _change_configuration
    ),
    "ClearCache": Request(Shape(), _clear_cache),
    "DataTransfer": Request(
        Shape({"vendorId": Text(255)}, {"messageId": Text(50), "data": Text()}), _data_transfer
    ),
    "GetConfiguration": Request(
        Shape({}, {"key": Many(Text(50), at_most=KEYS_PER_REQUEST_MAX)}), _get_configuration
    ),
    "GetDiagnostics": Request(
        Shape(
            {"location": Text(512)},
            {
                "retries": Whole(0),
                "retryInterval": Whole(0),
                "startTime": Moment(),
                "stopTime": Moment(),
            },
        ),
        _get_diagnostics,
    ),
    "GetLocalListVersion": Request(Shape(), _list_version),
    "RemoteStartTransaction": Request(
        Shape({"idTag": ID_TAG}, {**_CONNECTOR, "chargingProfile": smart_charging.PROFILE}),
        _remote_start,
    ),
    "RemoteStopTransaction": Request(Shape({"transactionId": Whole()}), _remote_stop),
    "ReserveNow": Request(
        Shape(
            {**_CONNECTOR, "expiryDate": Moment(), "idTag": ID_TAG, "reservationId": Whole()},
            {"parentIdTag": ID_TAG},
        ),
        _reserve,
    ),
    "Reset": Request(Shape({"type": one_of("Hard", "Soft")}), _reset),
    "SendLocalList": Request(
        Shape(
            {"listVersion": Whole(1), "updateType": one_of("Differential", "Full")},
            {"localAuthorizationList": Many(_LIST_ROW, at_most=TOKENS_PER_LIST_MAX)},
        ),
        _send_list,
    ),
    "TriggerMessage": Request(Shape({"requestedMessage": _MESSAGES}, _CONNECTOR), _trigger),
    "UnlockConnector": Request(Shape(_CONNECTOR), _unlock),
    "UpdateFirmware": Request(
        Shape(
            {"location": Text(512), "retrieveDate": Moment()},
            {"retries": Whole(0), "retryInterval": Whole(0)},
        ),
        _update_firmware,
    ),
}
