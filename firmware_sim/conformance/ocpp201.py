"""Checks of a charge point of OCPP 2.0.1 (edition 2) over OCPP-J.

The charge point is left as found: variables and availability are put back. Where no boot
notification was seen on this connection, the first check resets the charge point.
"""

from collections.abc import Callable

from firmware_sim.conformance.check import NOTHING, Check, CheckFailedError, Person, Wire, expect
from firmware_sim.conformance.ocpp_central import QUIET_S, REPLY_S, Central, Version, now_text
from firmware_sim.devices.ocpp.shapes import (
    Anything,
    Flag,
    Many,
    Moment,
    Shape,
    Text,
    Whole,
    one_of,
)
from protocol.framing.ocppj import CallError, JsonObject

CARD, BLOCKED = "CHECK-CARD-01", "CHECK-CARD-02"
SESSION_S = 5.0
RESET_S = 120.0
_EVSE = Shape({"id": Whole(0)}, {"connectorId": Whole(0)})
_ID_TOKEN = Shape({"idToken": Text(36), "type": Text(20)}, {"additionalInfo": Anything()})
_STATION = Shape(
    {"model": Text(20), "vendorName": Text(50)},
    {"serialNumber": Text(25), "firmwareVersion": Text(50), "modem": Anything()},
)
_TRANSACTION = Shape(
    {"transactionId": Text(36)},
    {
        "chargingState": one_of("Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE", "Idle"),
        "timeSpentCharging": Whole(), "stoppedReason": Text(30), "remoteStartId": Whole(),
    },
)  # fmt: skip
CALLS = {
    "Authorize": Shape({"idToken": _ID_TOKEN}, {"certificate": Text(5500)}),
    "BootNotification": Shape({"chargingStation": _STATION, "reason": Text(20)}),
    "Heartbeat": Shape(),
    "MeterValues": Shape({"evseId": Whole(0), "meterValue": Many(Anything(), at_least=1)}),
    "NotifyReport": Shape(
        {"requestId": Whole(), "generatedAt": Moment(), "seqNo": Whole(0)},
        {"tbc": Flag(), "reportData": Many(Anything(), at_least=1)},
    ),
    "StatusNotification": Shape({
        "timestamp": Moment(), "evseId": Whole(0), "connectorId": Whole(0),
        "connectorStatus": one_of("Available", "Occupied", "Reserved", "Unavailable", "Faulted"),
    }),
    "TransactionEvent": Shape(
        {
            "eventType": one_of("Started", "Updated", "Ended"), "timestamp": Moment(),
            "triggerReason": Text(30), "seqNo": Whole(0), "transactionInfo": _TRANSACTION,
        },
        {
            "meterValue": Many(Anything(), at_least=1), "offline": Flag(), "evse": _EVSE,
            "numberOfPhasesUsed": Whole(), "cableMaxCurrent": Whole(), "idToken": _ID_TOKEN,
            "reservationId": Whole(),
        },
    ),
}  # fmt: skip


def _standing(said: JsonObject) -> JsonObject:
    is_blocked = said.get("idToken", {}).get("idToken") == BLOCKED
    return {"idTokenInfo": {"status": "Blocked" if is_blocked else "Accepted"}}


VERSION = Version(
    "ocpp2.0.1",
    CALLS,
    {
        "BootNotification": lambda _: {
            "status": "Accepted", "currentTime": now_text(), "interval": 300,
        },
        "Heartbeat": lambda _: {"currentTime": now_text()},
        "Authorize": _standing,
        "TransactionEvent": lambda said: _standing(said) if "idToken" in said else {},
        "DataTransfer": lambda _: {"status": "UnknownVendorId"},
    },
)  # fmt: skip


def _joined(wire: Wire) -> Central:
    return Central(wire, VERSION).join()


def _place(component: str, name: str) -> JsonObject:
    return {"component": {"name": component}, "variable": {"name": name}}


def _variable(central: Central, component: str, name: str) -> str:
    asked = [_place(component, name)]
    rows = central.ask("GetVariables", getVariableData=asked).get("getVariableResult") or [{}]
    value = rows[0].get("attributeValue")
    if value is None:
        raise CheckFailedError(f"a value of {component}.{name}", f"{rows}")
    return str(value)


def _set(central: Central, component: str, name: str, value: str) -> str:
    asked = [{**_place(component, name), "attributeValue": value}]
    rows = central.ask("SetVariables", setVariableData=asked).get("setVariableResult") or [{}]
    return str(rows[0].get("attributeStatus"))


def _registers(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    if not any(call.action == "BootNotification" for call in central.heard):
        status = central.status_of("Reset", type="Immediate")
        expect(status == "Accepted", "Accepted", status)
        central.wait_for("BootNotification", RESET_S)
        central.serve(QUIET_S)


def _triggers(message: str, **fields: int) -> Callable[[Wire, Person], None]:
    def run(wire: Wire, _: Person) -> None:
        central = _joined(wire)
        evse: JsonObject = {"evse": {"id": 1, "connectorId": 1}} if fields else {}
        status = central.status_of("TriggerMessage", requestedMessage=message, **evse)
        expect(status == "Accepted", "Accepted", status)
        central.wait_for(message, **fields)

    return run


def _beats_at_the_interval(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    place = ("OCPPCommCtrlr", "HeartbeatInterval")
    before = _variable(central, *place)
    try:
        status = _set(central, *place, "1")
        expect(status == "Accepted", "Accepted", status)
        central.wait_for("Heartbeat", 2.5)
    finally:
        _set(central, *place, before)


def _refuses(action: str, payload: JsonObject, codes: set[str]) -> Callable[[Wire, Person], None]:
    def run(wire: Wire, _: Person) -> None:
        reply = _joined(wire).request(action, payload)
        code = reply.code if isinstance(reply, CallError) else "an answer"
        expect(code in codes, " or ".join(sorted(codes)), code)

    return run


def _names_what_is_no_message(wire: Wire, _: Person) -> None:
    reply = _joined(wire).request_raw(b"[ this is not JSON\n", "-1")
    code = reply.code if isinstance(reply, CallError) else "an answer"
    expect(code == "RpcFrameworkError", "RpcFrameworkError", code)


def _reports(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    status = central.status_of("GetBaseReport", requestId=77, reportBase="FullInventory")
    expect(status == "Accepted", "Accepted", status)
    numbers: list[int] = []
    while not numbers or central.heard[-1].payload.get("tbc"):
        numbers.append(central.wait_for("NotifyReport", requestId=77)["seqNo"])
    expect(numbers == list(range(len(numbers))), "seqNo from 0 without a gap", str(numbers))


def _keeps_a_variable(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    place = ("TxCtrlr", "EVConnectionTimeOut")
    before = _variable(central, *place)
    wanted = str(int(before) + 1)
    try:
        status = _set(central, *place, wanted)
        expect(status == "Accepted", "Accepted", status)
        kept = _variable(central, *place)
        expect(kept == wanted, wanted, kept)
    finally:
        _set(central, *place, before)


def _refuses_variables(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    for component, name, wanted in (
        ("NoSuchCtrlr", "Nothing", "UnknownComponent"),
        ("TxCtrlr", "NoSuchVariable", "UnknownVariable"),
        ("ClockCtrlr", "DateTime", "Rejected"),
    ):
        status = _set(central, component, name, "7")
        expect(status == wanted, f"{wanted} for {component}.{name}", status)


def _asks_one_thing_at_a_time(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    for name in ("one", "two"):
        payload = b'{"requestedMessage":"Heartbeat"}'
        central.wire.send(b'[2,"' + name.encode() + b'","TriggerMessage",' + payload + b"]\n")
    first = central.next_call(REPLY_S)
    if first is None:
        raise CheckFailedError("a call", NOTHING)
    second = central.next_call(0.25)
    expect(second is None, "silence until the first call is answered", "a second call")
    central.answer(first)
    central.wait_for("Heartbeat")
    ids = [call.message_id for call in central.heard]
    expect(len(ids) == len(set(ids)), "message ids that differ", str(ids))


def _changes_availability(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    change = {"evse": {"id": 1, "connectorId": 1}}
    wanted = {"evseId": 1, "connectorId": 1}
    try:
        status = central.status_of("ChangeAvailability", **change, operationalStatus="Inoperative")
        expect(status == "Accepted", "Accepted (is the connector free?)", status)
        central.wait_for("StatusNotification", **wanted, connectorStatus="Unavailable")
    finally:
        central.status_of("ChangeAvailability", **change, operationalStatus="Operative")
    central.wait_for("StatusNotification", **wanted, connectorStatus="Available")


def _knows_its_transactions(wire: Wire, _: Person) -> None:
    central = _joined(wire)
    status = central.status_of("RequestStopTransaction", transactionId="no-such-transaction")
    expect(status == "Rejected", "Rejected", status)
    answer = central.ask("GetTransactionStatus", transactionId="no-such-transaction")
    expect(answer.get("messagesInQueue") is False, "no messages in the queue", str(answer))


def _knows_its_connectors(wire: Wire, _: Person) -> None:
    status = _joined(wire).status_of("UnlockConnector", evseId=99, connectorId=1)
    expect(status == "UnknownConnector", "UnknownConnector", status)


def _begin(central: Central, person: Person) -> JsonObject:
    person.do("plug")
    person.do("tap", token=CARD)
    central.wait_for("Authorize", SESSION_S)
    return central.wait_for("TransactionEvent", SESSION_S, eventType="Started")


def _end(central: Central, person: Person) -> None:
    person.do("unplug")
    central.serve(QUIET_S)


def _charges(wire: Wire, person: Person) -> None:
    central = _joined(wire)
    key = _begin(central, person)["transactionInfo"]["transactionId"]
    try:
        status = central.status_of("RequestStopTransaction", transactionId=key)
        expect(status == "Accepted", "Accepted", status)
        ended = central.wait_for("TransactionEvent", triggerReason="RemoteStop")
        expect(ended["transactionInfo"]["transactionId"] == key, key, str(ended))
    finally:
        _end(central, person)
    said = [one.payload for one in central.heard if one.action == "TransactionEvent"]
    numbers = [one["seqNo"] for one in said if one["transactionInfo"]["transactionId"] == key]
    expect(numbers == list(range(len(numbers))), "seqNo from 0 without a gap", str(numbers))
    expect(said[-1]["eventType"] == "Ended", "an end", said[-1]["eventType"])


def _refuses_a_blocked_card(wire: Wire, person: Person) -> None:
    central = _joined(wire)
    person.do("plug")
    try:
        person.do("tap", token=BLOCKED)
        central.wait_for("Authorize", SESSION_S)
        central.serve(0.3)
        flows = any(
            call.payload.get("transactionInfo", {}).get("chargingState") == "Charging"
            for call in central.heard
        )
        expect(not flows, "no energy for a blocked card", "Charging")
    finally:
        _end(central, person)


def _keeps_events_without_a_connection(wire: Wire, person: Person) -> None:
    central = _joined(wire)
    _begin(central, person)
    central.serve(QUIET_S)
    central.cut()
    wire.pause(0.1)
    person.do("unplug")
    wire.pause(0.1)
    central.connect()
    ended = central.wait_for("TransactionEvent", SESSION_S, eventType="Ended")
    expect(ended.get("offline") is True, "offline: true", str(ended.get("offline")))
    central.serve(QUIET_S)


def _check(
    name: str,
    title: str,
    clause: str,
    run: Callable[[Wire, Person], None],
    *,
    by_hand: bool = False,
) -> Check:
    return Check(f"ocpp201.{name}", title, f"OCPP 2.0.1 {clause}", run, needs_person=by_hand)


_BROKEN = {
    "FormatViolation", "OccurrenceConstraintViolation", "PropertyConstraintViolation",
    "ProtocolError", "TypeConstraintViolation",
}  # fmt: skip
_AVAILABILITY = {"operationalStatus": 5}
CHECKS = (
    _check("boot", "registers", "B01", _registers),
    _check("status", "tells the state of a connector", "F06, G01",
           _triggers("StatusNotification", evseId=1, connectorId=1)),
    _check("heartbeat", "sends a heartbeat when asked", "F06, G02", _triggers("Heartbeat")),
    _check("interval", "sends heartbeats at the interval", "G02", _beats_at_the_interval),
    _check("unknown", "names an action that it does not know", "part 4 §4.3",
           _refuses("FlyAway", {}, {"NotImplemented", "NotSupported"})),
    _check("missing", "names a field that is missing", "part 4 §4.3",
           _refuses("ChangeAvailability", {}, _BROKEN)),
    _check("type", "names a field of the wrong type", "part 4 §4.3",
           _refuses("ChangeAvailability", _AVAILABILITY, _BROKEN)),
    _check("junk", "answers what is no message", "part 4 §4.2.3", _names_what_is_no_message),
    _check("report", "reports its variables in numbered pieces", "B07", _reports),
    _check("variable", "keeps a variable", "B05, B06", _keeps_a_variable),
    _check("refusal", "refuses what is fixed or unknown", "B05", _refuses_variables),
    _check("one", "asks one thing at a time", "part 4 §4.1.1", _asks_one_thing_at_a_time),
    _check("availability", "goes out of service and back", "G03", _changes_availability),
    _check("remote_stop", "refuses to stop what does not run", "F03, E14",
           _knows_its_transactions),
    _check("unlock", "knows its connectors", "F05", _knows_its_connectors),
    _check("session", "charges, and stops when told", "E01, E06, F03", _charges, by_hand=True),
    _check("blocked", "does not charge for a blocked card", "C01", _refuses_a_blocked_card,
           by_hand=True),
    _check("offline", "keeps events for later", "E04, E12", _keeps_events_without_a_connection,
           by_hand=True),
)  # fmt: skip
