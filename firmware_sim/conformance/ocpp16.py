"""Checks of a charge point of OCPP 1.6 (edition 2) over OCPP-J.

The charge point is left as found: settings and availability are put back. Transactions stay in
its meter, as they do with anybody's.
"""

from collections.abc import Callable

from firmware_sim.conformance.check import Check, CheckFailedError, Person, Wire, expect
from firmware_sim.conformance.ocpp_central import QUIET_S, REPLY_S, Central, Version, now_text
from firmware_sim.devices.ocpp.shapes import Anything, Many, Moment, Shape, Text, Whole, one_of
from protocol.framing.ocppj import CallError

CARD, BLOCKED = "CHECK-CARD-01", "CHECK-CARD-02"
TRANSACTION = 4_001
SESSION_S = 5.0
_STATES = one_of(
    "Available", "Preparing", "Charging", "SuspendedEVSE", "SuspendedEV", "Finishing",
    "Reserved", "Unavailable", "Faulted",
)  # fmt: skip
CALLS = {
    "Authorize": Shape({"idTag": Text(20)}),
    "BootNotification": Shape(
        {"chargePointVendor": Text(20), "chargePointModel": Text(20)},
        {
            "chargePointSerialNumber": Text(25), "chargeBoxSerialNumber": Text(25),
            "firmwareVersion": Text(50), "iccid": Text(20), "imsi": Text(20),
            "meterType": Text(25), "meterSerialNumber": Text(25),
        },
    ),
    "Heartbeat": Shape(),
    "MeterValues": Shape(
        {"connectorId": Whole(0), "meterValue": Many(Anything(), at_least=1)},
        {"transactionId": Whole()},
    ),
    "StartTransaction": Shape(
        {
            "connectorId": Whole(1), "idTag": Text(20), "meterStart": Whole(),
            "timestamp": Moment(),
        },
        {"reservationId": Whole()},
    ),
    "StatusNotification": Shape(
        {"connectorId": Whole(0), "errorCode": Text(20), "status": _STATES},
        {
            "info": Text(50), "timestamp": Moment(), "vendorId": Text(255),
            "vendorErrorCode": Text(50),
        },
    ),
    "StopTransaction": Shape(
        {"meterStop": Whole(), "timestamp": Moment(), "transactionId": Whole()},
        {
            "idTag": Text(20), "transactionData": Many(Anything()),
            "reason": one_of(
                "EmergencyStop", "EVDisconnected", "HardReset", "Local", "Other", "PowerLoss",
                "Reboot", "Remote", "SoftReset", "UnlockCommand", "DeAuthorized",
            ),
        },
    ),
}  # fmt: skip
_WELCOME = {"idTagInfo": {"status": "Accepted"}}
VERSION = Version(
    "ocpp1.6",
    CALLS,
    {
        "BootNotification": lambda _: {
            "status": "Accepted", "currentTime": now_text(), "interval": 300,
        },
        "Heartbeat": lambda _: {"currentTime": now_text()},
        "Authorize": lambda said: {
            "idTagInfo": {"status": "Blocked" if said["idTag"] == BLOCKED else "Accepted"}
        },
        "StartTransaction": lambda _: {**_WELCOME, "transactionId": TRANSACTION},
        "DataTransfer": lambda _: {"status": "UnknownVendorId"},
    },
)  # fmt: skip
CORE_KEYS = (
    "AuthorizeRemoteTxRequests", "ClockAlignedDataInterval", "ConnectionTimeOut",
    "ConnectorPhaseRotation", "GetConfigurationMaxKeys", "HeartbeatInterval",
    "LocalAuthorizeOffline", "LocalPreAuthorize", "MeterValuesAlignedData",
    "MeterValuesSampledData", "MeterValueSampleInterval", "NumberOfConnectors", "ResetRetries",
    "StopTransactionOnEVSideDisconnect", "StopTransactionOnInvalidId", "StopTxnAlignedData",
    "StopTxnSampledData", "SupportedFeatureProfiles", "TransactionMessageAttempts",
    "TransactionMessageRetryInterval", "UnlockConnectorOnEVSideDisconnect",
)  # fmt: skip


def _joined(wire: Wire) -> Central:
    return Central(wire, VERSION).join()


def _setting(central: Central, key: str) -> str:
    rows = central.ask("GetConfiguration", key=[key]).get("configurationKey") or [{}]
    value = rows[0].get("value")
    if value is None:
        raise CheckFailedError(f"a value of {key}", f"{rows}")
    return str(value)


def _set(central: Central, key: str, value: str) -> str:
    return central.status_of("ChangeConfiguration", key=key, value=value)


def _registers(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    if not any(call.action == "BootNotification" for call in central.heard):
        status = central.status_of("TriggerMessage", requestedMessage="BootNotification")
        expect(status == "Accepted", "Accepted", status)
        central.wait_for("BootNotification")


def _tells_states(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    asked = {"requestedMessage": "StatusNotification", "connectorId": 1}
    status = central.status_of("TriggerMessage", **asked)
    expect(status == "Accepted", "Accepted", status)
    central.wait_for("StatusNotification", connectorId=1)


def _beats_when_triggered(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    central.status_of("TriggerMessage", requestedMessage="Heartbeat")
    central.wait_for("Heartbeat")


def _beats_at_the_interval(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    before = _setting(central, "HeartbeatInterval")
    try:
        expect(_set(central, "HeartbeatInterval", "1") == "Accepted", "Accepted", "another status")
        central.wait_for("Heartbeat", 2.5)
    finally:
        _set(central, "HeartbeatInterval", before)


def _refuses(action: str, payload: object, codes: set[str]) -> Callable[[Wire, Person], None]:
    def run(wire: Wire, _: Person) -> None:
        reply = _joined(wire).request(action, payload)  # type: ignore[arg-type]  # wrong on purpose
        code = reply.code if isinstance(reply, CallError) else "an answer"
        expect(code in codes, " or ".join(sorted(codes)), code)

    return run


def _has_the_core_keys(wire: Wire, _: Person) -> None:
    rows = _joined(wire).ask("GetConfiguration").get("configurationKey", [])
    missing = set(CORE_KEYS) - {row.get("key") for row in rows}
    expect(not missing, "every key of the core profile", f"none of {sorted(missing)}")


def _keeps_a_setting(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    before = _setting(central, "ConnectionTimeOut")
    wanted = str(int(before) + 1)
    try:
        status = _set(central, "ConnectionTimeOut", wanted)
        expect(status == "Accepted", "Accepted", status)
        kept = _setting(central, "ConnectionTimeOut")
        expect(kept == wanted, wanted, kept)
    finally:
        _set(central, "ConnectionTimeOut", before)


def _refuses_settings(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    for key, wanted in (("NumberOfConnectors", "Rejected"), ("NoSuchKey", "NotSupported")):
        status = _set(central, key, "7")
        expect(status == wanted, f"{wanted} for {key}", status)
    unknown = central.ask("GetConfiguration", key=["NoSuchKey"]).get("unknownKey")
    expect(unknown == ["NoSuchKey"], "unknownKey NoSuchKey", str(unknown))


def _asks_one_thing_at_a_time(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    central.wire.send(b'[2,"one","TriggerMessage",{"requestedMessage":"Heartbeat"}]\n')
    central.wire.send(b'[2,"two","TriggerMessage",{"requestedMessage":"Heartbeat"}]\n')
    first = central.next_call(REPLY_S)
    expect(first is not None, "a call", "nothing")
    second = central.next_call(0.25)
    expect(second is None, "silence until the first call is answered", "a second call")
    assert first is not None
    central.answer(first)
    central.wait_for("Heartbeat")
    ids = [call.message_id for call in central.heard]
    expect(len(ids) == len(set(ids)), "message ids that differ", str(ids))


def _changes_availability(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    change = {"connectorId": 1}
    try:
        status = central.status_of("ChangeAvailability", **change, type="Inoperative")
        expect(status == "Accepted", "Accepted (is the connector free?)", status)
        central.wait_for("StatusNotification", connectorId=1, status="Unavailable")
    finally:
        central.status_of("ChangeAvailability", **change, type="Operative")
    central.wait_for("StatusNotification", connectorId=1, status="Available")


def _knows_its_transactions(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    status = central.status_of("RemoteStopTransaction", transactionId=2_000_000_001)
    expect(status == "Rejected", "Rejected", status)


def _knows_its_vendor(wire: Wire, _: Person) -> None:
    status = _joined(wire).status_of("DataTransfer", vendorId="org.example.nobody")
    expect(status in {"UnknownVendorId", "Rejected"}, "UnknownVendorId", status)


def _is_not_upset_by_junk(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    for junk in (b"[\n", b"[2]\n", b'[3,"nobody",{}]\n', b'[9,"x",{}]\n'):
        central.wire.send(junk)
    central.serve(QUIET_S)
    central.ask("GetConfiguration", key=["HeartbeatInterval"])


def _begin(central: Central, person: Person) -> None:
    person.do("plug")
    central.wait_for("StatusNotification", SESSION_S, connectorId=1, status="Preparing")
    person.do("tap", token=CARD)
    central.wait_for("Authorize", SESSION_S, idTag=CARD)
    central.wait_for("StartTransaction", SESSION_S, connectorId=1, idTag=CARD)


def _end(central: Central, person: Person) -> None:
    person.do("unplug")
    central.serve(QUIET_S)


def _charges(wire: Wire, person: Person) -> None:
    central = _joined(wire)
    _begin(central, person)
    try:
        asked = {"requestedMessage": "MeterValues", "connectorId": 1}
        central.status_of("TriggerMessage", **asked)
        central.wait_for("MeterValues", connectorId=1)
        status = central.status_of("RemoteStopTransaction", transactionId=TRANSACTION)
        expect(status == "Accepted", "Accepted", status)
        central.wait_for("StopTransaction", transactionId=TRANSACTION, reason="Remote")
    finally:
        _end(central, person)


def _refuses_a_blocked_card(wire: Wire, person: Person) -> None:
    central = _joined(wire)
    person.do("plug")
    try:
        person.do("tap", token=BLOCKED)
        central.wait_for("Authorize", SESSION_S, idTag=BLOCKED)
        central.serve(0.3)
        began = any(call.action == "StartTransaction" for call in central.heard)
        expect(not began, "no transaction for a blocked card", "StartTransaction")
    finally:
        _end(central, person)


def _keeps_the_end_without_a_connection(wire: Wire, person: Person) -> None:
    central = _joined(wire)
    _begin(central, person)
    central.serve(QUIET_S)
    central.cut()
    wire.pause(0.1)
    person.do("unplug")
    wire.pause(0.1)
    central.connect()
    central.wait_for("StopTransaction", SESSION_S, transactionId=TRANSACTION)
    central.serve(QUIET_S)


def _check(
    name: str,
    title: str,
    clause: str,
    run: Callable[[Wire, Person], None],
    *,
    by_hand: bool = False,
) -> Check:
    return Check(f"ocpp16.{name}", title, f"OCPP 1.6 {clause}", run, needs_person=by_hand)


_UNKNOWN = {"NotImplemented", "NotSupported"}
_BROKEN = {
    "FormationViolation", "OccurenceConstraintViolation", "PropertyConstraintViolation",
    "ProtocolError", "TypeConstraintViolation",
}  # fmt: skip
CHECKS = (
    _check("boot", "registers", "§4.2", _registers),
    _check("status", "tells the state of a connector", "§4.9, §5.17", _tells_states),
    _check("heartbeat", "sends a heartbeat when asked", "§4.6, §5.17", _beats_when_triggered),
    _check("interval", "sends heartbeats at the interval", "§9.1.10", _beats_at_the_interval),
    _check("unknown", "names an action that it does not know", "J §4.2.3",
           _refuses("FlyAway", {}, _UNKNOWN)),
    _check("missing", "names a field that is missing", "J §4.2.3",
           _refuses("ChangeAvailability", {"connectorId": 1}, _BROKEN)),
    _check("type", "names a field of the wrong type", "J §4.2.3",
           _refuses("ChangeAvailability", {"connectorId": "1", "type": "Operative"}, _BROKEN)),
    _check("keys", "has every key of the core profile", "§9.1", _has_the_core_keys),
    _check("setting", "keeps a setting", "§5.3", _keeps_a_setting),
    _check("refusal", "refuses what is fixed or unknown", "§5.3, §5.8", _refuses_settings),
    _check("one", "asks one thing at a time", "J §4.1.1", _asks_one_thing_at_a_time),
    _check("availability", "goes out of service and back", "§5.2", _changes_availability),
    _check("remote_stop", "refuses to stop what does not run", "§5.12", _knows_its_transactions),
    _check("vendor", "refuses another vendor's message", "§5.6", _knows_its_vendor),
    _check("junk", "ignores what is no message", "J §4.2", _is_not_upset_by_junk),
    _check("session", "charges, and stops when told", "§4.8, §5.12", _charges, by_hand=True),
    _check("blocked", "does not charge for a blocked card", "§4.1", _refuses_a_blocked_card,
           by_hand=True),
    _check("offline", "keeps the end of a transaction for later", "§3.7",
           _keeps_the_end_without_a_connection, by_hand=True),
)  # fmt: skip
