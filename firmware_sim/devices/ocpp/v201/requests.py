"""What the central system may ask of an OCPP 2.0.1 charge point, and what is done.

Rule 1: the answer is made here, its consequences follow in the same turn, after it. Rule 2: what
is not in ``REQUESTS`` is answered ``NotImplemented``.
"""

from typing import TYPE_CHECKING

from firmware_sim.devices.ocpp.charging import Cause, admits
from firmware_sim.devices.ocpp.charging_profiles import Purpose
from firmware_sim.devices.ocpp.firmware import Order
from firmware_sim.devices.ocpp.limits import FIRMWARE_RETRIES_MAX, INTERVAL_S_MAX, TEXT_CHARS_MAX
from firmware_sim.devices.ocpp.log_upload import Stage as UploadStage
from firmware_sim.devices.ocpp.outlet import Grant, Outlet, Reservation
from firmware_sim.devices.ocpp.station import PENDING, whole_within
from firmware_sim.devices.ocpp.talker import Request
from firmware_sim.devices.ocpp.tokens import ACCEPTED, Standing, Token
from firmware_sim.devices.ocpp.v201 import shapes, smart_charging
from firmware_sim.devices.ocpp.v201.standing import standing_of, token_of
from firmware_sim.devices.ocpp.v201.variables import get_variables, report, set_variables
from firmware_sim.devices.ocpp.wall_clock import as_moment
from protocol.framing.ocppj import JsonObject

if TYPE_CHECKING:
    from firmware_sim.devices.ocpp.v201.station import Ocpp201

_YES: JsonObject = {"status": "Accepted"}
_NO: JsonObject = {"status": "Rejected"}
_REPORT_ROWS = 25
"""Rows of one ``NotifyReport``."""


def _change_availability(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """G03, G04. A transaction under way goes on; the change waits for its end."""
    del now_ms
    is_operative, evse = payload["operationalStatus"] == "Operative", payload.get("evse")
    if evse is not None and _outlet_in(station, evse) is None:
        return _NO
    if evse is None:
        station.is_operative = is_operative
    one = _outlet_in(station, evse) if evse else None
    is_scheduled = False
    for outlet in [one] if one else station.outlets.values():
        is_waiting = not is_operative and outlet.transaction is not None
        outlet.is_to_become_inoperative = is_waiting
        is_scheduled |= is_waiting
        if not is_waiting:
            outlet.is_operative = is_operative
    return {"status": "Scheduled"} if is_scheduled else _YES


def _outlet_in(station: "Ocpp201", evse: JsonObject) -> Outlet | None:
    outlet = station.outlets.get(evse["id"])
    return outlet if evse.get("connectorId", 1) == 1 else None


def _clear_cache(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """C11."""
    del payload, now_ms
    if not station.settings.flag("AuthCacheCtrlr.Enabled"):
        return _NO
    station.book.clear_cache()
    return _YES


def _cost_updated(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """I02: the cost shown on the display."""
    del now_ms
    outlet = station.running(payload["transactionId"])
    if outlet and outlet.transaction:
        outlet.transaction.cost = str(payload["totalCost"])[:TEXT_CHARS_MAX]
    return {}


def _data_transfer(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """P01: this charger has no vendor's messages."""
    del now_ms
    known = payload["vendorId"] == station.plate.vendor
    return {"status": "UnknownMessageId" if known else "UnknownVendorId"}


def _get_variables(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """B06."""
    return {"getVariableResult": get_variables(station, payload["getVariableData"], now_ms)}


def _set_variables(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """B05."""
    return {"setVariableResult": set_variables(station, payload["setVariableData"], now_ms)}


def _base_report(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """B07: the rows follow in ``NotifyReport`` messages."""
    rows = report(station, payload["reportBase"], now_ms)
    pieces = [rows[at : at + _REPORT_ROWS] for at in range(0, len(rows), _REPORT_ROWS)]
    for number, piece in enumerate(pieces):
        is_asked = station.ask("NotifyReport", {
            "requestId": payload["requestId"], "generatedAt": station.clock.text(now_ms),
            "seqNo": number, "tbc": number + 1 < len(pieces), "reportData": piece,
        })  # fmt: skip
        if not is_asked:
            return _NO
    return _YES


def _remote_start(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """F01, F02. Not before registration (B02). A profile sent along is the transaction's own."""
    sent = payload.get("chargingProfile")
    profile = smart_charging.profile_of(sent) if sent else None
    if sent and (profile is None or profile.purpose is not Purpose.TX):
        return _NO
    token = token_of(payload["idToken"])
    group = payload.get("groupIdToken", {}).get("idToken", "")
    outlet = _free_outlet(station, token, group, payload.get("evseId"))
    if station.registration == PENDING or outlet is None:
        return _NO
    number, remote_start_id = outlet.number, payload["remoteStartId"]

    def judged(found: Standing, at_ms: int) -> None:
        chosen = station.outlets[number]
        if found.status == ACCEPTED and not station.is_refusing(chosen):
            grant = Grant(token, found.group or group, remote_start_id, profile)
            station.give_grant(chosen, grant, Cause.REMOTE_START, at_ms)

    before = outlet.transaction.key if outlet.transaction else ""
    if station.settings.flag("AuthCtrlr.AuthorizeRemoteStart"):
        station.judge(token, judged, now_ms)
    else:
        judged(Standing(ACCEPTED), now_ms)
    return {**_YES, "transactionId": before} if before else _YES


def _free_outlet(station: "Ocpp201", token: Token, group: str, number: int | None) -> Outlet | None:
    free = [
        outlet
        for outlet in station.outlets.values()
        if number in {None, outlet.number}
        and not station.is_refusing(outlet)
        and admits(outlet, token, group)
    ]
    plugged = [outlet for outlet in free if outlet.is_plugged]
    return next(iter(plugged or free), None)


def _remote_stop(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """F03."""
    outlet = station.running(payload["transactionId"])
    if station.registration == PENDING or outlet is None:
        return _NO
    station.stop(outlet, Cause.REMOTE_STOP, now_ms)
    return _YES


def _transaction_status(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """E14."""
    del now_ms
    letters, key = station.outbox.letters, payload.get("transactionId")
    if key is None:
        return {"messagesInQueue": bool(letters)}
    owed = any(one.payload["transactionInfo"]["transactionId"] == key for one in letters)
    return {"messagesInQueue": owed, "ongoingIndicator": station.running(key) is not None}


def _reset(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """B11, B12. An EVSE cannot be reset by itself."""
    if "evseId" in payload:
        return _NO
    if payload["type"] == "OnIdle" and not station.is_idle():
        station.reset_when_idle()
        return {"status": "Scheduled"}
    for outlet in station.outlets.values():
        if outlet.transaction:
            station.stop(outlet, Cause.HARD_RESET, now_ms)
    station.reset_soon("RemoteReset", now_ms, is_patient=True)
    return _YES


def _unlock(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """F05."""
    del now_ms
    outlet = station.outlets.get(payload["evseId"])
    if outlet is None or payload["connectorId"] != 1:
        return {"status": "UnknownConnector"}
    if outlet.transaction and outlet.transaction.token:
        return {"status": "OngoingAuthorizedTransaction"}
    is_stuck = outlet.defect == "ConnectorLockFailure"
    return {"status": "UnlockFailed" if is_stuck else "Unlocked"}


def _update_firmware(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """L01: a new order takes the place of one under way."""
    firmware = payload["firmware"]
    install = as_moment(firmware.get("installDateTime", ""))
    retrieve = as_moment(firmware["retrieveDateTime"])
    assert retrieve is not None, "the shape says it is one"
    was_running = station.firmware.is_running
    order = Order(
        firmware["location"],
        station.clock.now_ms_of(retrieve),
        whole_within(payload.get("retries"), FIRMWARE_RETRIES_MAX),
        whole_within(payload.get("retryInterval"), INTERVAL_S_MAX) or 1,
        payload["requestId"],
        station.clock.now_ms_of(install) if install else None,
    )
    station.order_firmware(order, now_ms)
    return {"status": "AcceptedCanceled" if was_running else "Accepted"}


def _get_log(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """N01: a new order takes the place of one under way."""
    was_running = station.upload.stage is UploadStage.UPLOADING
    name = station.order_upload(
        payload["log"]["remoteLocation"],
        now_ms,
        retries=whole_within(payload.get("retries"), FIRMWARE_RETRIES_MAX),
        retry_s=whole_within(payload.get("retryInterval"), INTERVAL_S_MAX),
        request_id=payload["requestId"],
    )
    return {"status": "AcceptedCanceled" if was_running else "Accepted", "filename": name}


def _trigger(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """F06: what is asked for goes out after the answer."""
    evse, message = payload.get("evse"), payload["requestedMessage"]
    one = _outlet_in(station, evse) if evse else None
    if evse and one is None:
        return _NO
    outlets = [one] if one else list(station.outlets.values())
    match message:
        case "BootNotification":
            return _YES if station.register_on_demand() else _NO
        case "Heartbeat":
            station.beat(now_ms)
        case "StatusNotification":
            for outlet in outlets:
                station.tell_state(outlet, now_ms)
        case "MeterValues":
            measurands = station.settings.members("AlignedDataCtrlr.Measurands")
            for outlet in outlets if measurands else []:
                station.tell_meter(outlet, measurands, "Trigger", now_ms)
        case "TransactionEvent":
            return _trigger_events(station, outlets, now_ms)
        case "LogStatusNotification":
            station.tell_of_upload()
        case "FirmwareStatusNotification":
            word = station.firmware_word(now_ms) if station.firmware.is_running else "Idle"
            station.ask(message, station.firmware_payload(word or "Idle"))
        case _:
            return {"status": "NotImplemented"}
    return _YES


def _trigger_events(station: "Ocpp201", outlets: list[Outlet], now_ms: int) -> JsonObject:
    running = [outlet for outlet in outlets if outlet.transaction]
    measurands = station.settings.members("SampledDataCtrlr.TxUpdatedMeasurands")
    for outlet in running:
        station.events.tell(
            outlet, "Updated", "Trigger", now_ms, measurands=measurands, context="Trigger"
        )
    return _YES if running else _NO


def _list_version(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """D02."""
    del payload, now_ms
    is_on = station.settings.flag("LocalAuthListCtrlr.Enabled")
    return {"versionNumber": station.book.version if is_on else 0}


def _send_list(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """D01."""
    del now_ms
    rows = payload.get("localAuthorizationList", [])
    version, is_full = payload["versionNumber"], payload["updateType"] == "Full"
    if not is_full and version <= station.book.version:
        return {"status": "VersionMismatch"}
    is_incomplete = is_full and any("idTokenInfo" not in row for row in rows)
    if is_incomplete or not station.settings.flag("LocalAuthListCtrlr.Enabled"):
        return {"status": "Failed"}
    entries = {token_of(row["idToken"]): standing_of(row.get("idTokenInfo")) for row in rows}
    put = station.book.replace if is_full else station.book.amend
    return {"status": "Accepted" if put(version, entries) else "Failed"}


def _reserve(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """H01. Without an EVSE the first that can be reserved is."""
    number, wanted = payload["id"], payload.get("evseId")
    outlets = [one for one in station.outlets.values() if wanted in {None, one.number}]
    if not outlets:
        return _NO
    refusals = {one.number: station.why_not_reserved(one, number) for one in outlets}
    free = next((one for one in outlets if not refusals[one.number]), None)
    if free is None:
        return {"status": refusals[outlets[0].number]}
    moment = as_moment(payload["expiryDateTime"])
    assert moment is not None, "the shape says it is one"
    station.cancel_reservation(number)
    group = payload.get("groupIdToken", {}).get("idToken", "")
    until_ms, token = station.clock.now_ms_of(moment), token_of(payload["idToken"])
    station.reserve(Reservation(number, free.number, token, group, until_ms), now_ms)
    return _YES


def _cancel_reservation(station: "Ocpp201", payload: JsonObject, now_ms: int) -> JsonObject:
    """H02."""
    del now_ms
    return _YES if station.cancel_reservation(payload["reservationId"]) else _NO


REQUESTS: dict[str, Request] = {
    **smart_charging.REQUESTS,
    "CancelReservation": Request(shapes.CANCEL_RESERVATION, _cancel_reservation),
    "ChangeAvailability": Request(shapes.CHANGE_AVAILABILITY, _change_availability),
    "ClearCache": Request(shapes.NOTHING, _clear_cache),
    "CostUpdated": Request(shapes.COST_UPDATED, _cost_updated),
    "DataTransfer": Request(shapes.DATA_TRANSFER, _data_transfer),
    "GetBaseReport": Request(shapes.GET_BASE_REPORT, _base_report),
    "GetLog": Request(shapes.GET_LOG, _get_log),
    "GetLocalListVersion": Request(shapes.NOTHING, _list_version),
    "GetTransactionStatus": Request(shapes.GET_TRANSACTION_STATUS, _transaction_status),
    "GetVariables": Request(shapes.GET_VARIABLES, _get_variables),
    "RequestStartTransaction": Request(shapes.REQUEST_START, _remote_start),
    "RequestStopTransaction": Request(shapes.REQUEST_STOP, _remote_stop),
    "ReserveNow": Request(shapes.RESERVE_NOW, _reserve),
    "Reset": Request(shapes.RESET, _reset),
    "SendLocalList": Request(shapes.SEND_LOCAL_LIST, _send_list),
    "SetVariables": Request(shapes.SET_VARIABLES, _set_variables),
    "TriggerMessage": Request(shapes.TRIGGER_MESSAGE, _trigger),
    "UnlockConnector": Request(shapes.UNLOCK_CONNECTOR, _unlock),
    "UpdateFirmware": Request(shapes.UPDATE_FIRMWARE, _update_firmware),
}
