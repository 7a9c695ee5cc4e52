"""The OCPP 2.0.1 charge point, message by message, each held against the published schemas."""

from typing import Any

import pytest

from tests.support.ocpp_central import TIME, Answers, Central
from tests.support.ocpp_chargers import CARD_201 as CARD
from tests.support.ocpp_chargers import central_201 as central
from tests.support.ocpp_chargers import charging_201 as charging
from tests.support.ocpp_chargers import events_201 as events
from tests.support.ocpp_chargers import states_201 as states


def variable(told: Central, component: str, name: str, **more: Any) -> dict[str, Any]:
    asked = {"component": {"name": component, **more}, "variable": {"name": name}}
    return dict(told.ask("GetVariables", getVariableData=[asked])["getVariableResult"][0])


def change(told: Central, component: str, name: str, value: str) -> str:
    asked = {"component": {"name": component}, "variable": {"name": name}, "attributeValue": value}
    found = told.ask("SetVariables", setVariableData=[asked])["setVariableResult"][0]
    return str(found["attributeStatus"])


def test_a_charger_that_comes_up_registers_and_tells_every_state() -> None:
    told = central().boot()
    assert told.words == ["DIAL ocpp2.0.1"]
    assert told.last("BootNotification")["reason"] == "PowerUp"
    assert told.last("SecurityEventNotification")["type"] == "StartupOfTheDevice"
    assert (states(told), states(told, 2)) == (["Available"], ["Available"])


def test_a_session_is_one_transaction_whose_events_are_numbered_without_a_gap() -> None:
    told = charging()
    told.pass_s(150)
    told.hear(told.station.want(1, 0, told.now_ms))
    told.hear(told.station.tap("CARD1", None, told.now_ms))
    assert events(told) == [
        ("Started", "Authorized", "Charging"),
        ("Updated", "MeterValuePeriodic", "Charging"),
        ("Updated", "MeterValuePeriodic", "Charging"),
        ("Updated", "ChargingStateChanged", "SuspendedEV"),
        ("Ended", "StopAuthorized", "SuspendedEVSE"),
    ]
    said = told.all("TransactionEvent")
    assert [one["seqNo"] for one in said] == list(range(5))
    assert len({one["transactionInfo"]["transactionId"] for one in said}) == 1
    assert said[0]["idToken"] == said[-1]["idToken"] == CARD
    assert said[-1]["transactionInfo"]["stoppedReason"] == "Local"
    ended = said[-1]["meterValue"][0]["sampledValue"][0]
    assert (ended["value"], ended["context"]) == (11_000 * 150 // 3600, "Transaction.End")
    assert states(told) == ["Available", "Occupied"]


def test_a_transaction_may_begin_with_the_cable_and_end_with_it() -> None:
    told = charging(TxCtrlr__TxStartPoint="EVConnected", TxCtrlr__TxStopPoint="EVConnected")
    told.hear(told.station.tap("CARD1", None, told.now_ms))
    told.hear(told.station.unplug(1, told.now_ms))
    assert events(told) == [
        ("Started", "CablePluggedIn", "EVConnected"),
        ("Updated", "Authorized", "Charging"),
        ("Updated", "StopAuthorized", "SuspendedEVSE"),
        ("Ended", "EVCommunicationLost", "Idle"),
    ]
    assert told.last("TransactionEvent")["transactionInfo"]["stoppedReason"] == "Local"
    told.hear(told.station.plug(1, 11_000, told.now_ms))
    keys = {one["transactionInfo"]["transactionId"] for one in told.all("TransactionEvent")}
    assert len(keys) == 2


def test_a_transaction_begun_by_a_card_ends_when_no_cable_comes() -> None:
    told = central(TxCtrlr__TxStartPoint="Authorized").boot()
    told.hear(told.station.tap("CARD1", 1, told.now_ms))
    told.pass_s(61)
    assert events(told)[0] == ("Started", "Authorized", "Idle")
    assert events(told)[-1][:2] == ("Ended", "EVConnectTimeout")
    assert told.last("TransactionEvent")["transactionInfo"]["stoppedReason"] == "Timeout"


def test_a_transaction_may_be_the_flow_of_energy_alone() -> None:
    told = charging(TxCtrlr__TxStartPoint="EnergyTransfer", TxCtrlr__TxStopPoint="EnergyTransfer")
    told.hear(told.station.want(1, 0, told.now_ms))
    assert [event[0] for event in events(told)] == ["Started", "Ended"]
    assert told.last("TransactionEvent")["transactionInfo"]["stoppedReason"] == "StoppedByEV"


def test_a_cable_pulled_without_ending_suspends_where_set_so() -> None:
    told = charging(TxCtrlr__StopTxOnEVSideDisconnect="false")
    told.hear(told.station.unplug(1, told.now_ms))
    told.hear(told.station.plug(1, 11_000, told.now_ms))
    assert events(told)[1:] == [
        ("Updated", "EVCommunicationLost", "Idle"),
        ("Updated", "CablePluggedIn", "Charging"),
    ]


def test_a_token_refused_after_the_start_ends_or_only_withholds_the_energy() -> None:
    refused: Answers = {"TransactionEvent": lambda said: (
        {"idTokenInfo": {"status": "Blocked"}} if "idToken" in said else {}
    )}  # fmt: skip
    told = charging(refused)
    assert events(told)[-1][:2] == ("Ended", "Deauthorized")
    assert told.last("TransactionEvent")["transactionInfo"]["stoppedReason"] == "DeAuthorized"
    told = charging(refused, TxCtrlr__StopTxOnInvalidId="false")
    assert events(told)[-1] == ("Updated", "ChargingStateChanged", "SuspendedEVSE")
    told.pass_s(3600)
    assert told.station.outlets[1].meter.read(told.now_ms) == 0


def test_remote_start_and_stop_name_their_request_and_transaction() -> None:
    told = central().boot()
    start = {"idToken": {"idToken": "APP", "type": "Central"}, "remoteStartId": 5, "evseId": 2}
    assert told.ask("RequestStartTransaction", **start)["status"] == "Accepted"
    assert told.ask("RequestStartTransaction", **start)["status"] == "Rejected"
    told.hear(told.station.plug(2, 7_000, told.now_ms))
    started = told.last("TransactionEvent")
    assert started["transactionInfo"]["remoteStartId"] == 5
    assert started["idToken"]["type"] == "Central"
    key = started["transactionInfo"]["transactionId"]
    assert told.ask("RequestStopTransaction", transactionId="x")["status"] == "Rejected"
    assert told.ask("RequestStopTransaction", transactionId=key)["status"] == "Accepted"
    assert events(told)[-1][:2] == ("Ended", "RemoteStop")
    assert told.last("TransactionEvent")["transactionInfo"]["stoppedReason"] == "Remote"


def test_a_remote_start_joins_a_transaction_that_the_cable_began() -> None:
    told = central(TxCtrlr__TxStartPoint="EVConnected").boot()
    told.hear(told.station.plug(1, 7_000, told.now_ms))
    key = told.last("TransactionEvent")["transactionInfo"]["transactionId"]
    start = {"idToken": {"idToken": "APP", "type": "Central"}, "remoteStartId": 6, "evseId": 1}
    assert told.ask("RequestStartTransaction", **start) == {
        "status": "Accepted", "transactionId": key,
    }  # fmt: skip
    assert events(told)[-1] == ("Updated", "RemoteStart", "Charging")


def test_events_made_without_a_connection_say_so_and_come_in_order() -> None:
    told = charging()
    told.is_reachable = False
    told.cut()
    told.pass_s(130)
    told.hear(told.station.unplug(1, told.now_ms))
    key = told.last("TransactionEvent")["transactionInfo"]["transactionId"]
    told.is_reachable = True
    told.pass_s(300)
    said = told.all("TransactionEvent")
    assert [one["seqNo"] for one in said] == list(range(4))
    assert [one.get("offline", False) for one in said] == [False, True, True, True]
    assert told.ask("GetTransactionStatus", transactionId=key) == {
        "messagesInQueue": False, "ongoingIndicator": False,
    }  # fmt: skip


def test_after_a_long_absence_every_state_is_told_after_a_short_one_what_changed() -> None:
    told = central(OCPPCommCtrlr__RetryBackOffWaitMinimum="5").boot()
    told.cut()
    told.pass_s(20)
    assert len(told.all("StatusNotification")) == 2
    told.is_reachable = False
    told.cut()
    told.pass_s(70)
    told.is_reachable = True
    told.pass_s(400)
    assert len(told.all("StatusNotification")) == 4


def test_a_power_cut_ends_the_transaction_and_the_event_is_not_forgotten() -> None:
    told = charging()
    told.pass_s(600)
    told.boot()
    ended = told.last("TransactionEvent")
    assert (ended["eventType"], ended["seqNo"]) == ("Ended", 11)
    assert ended["transactionInfo"]["stoppedReason"] == "PowerLoss"


def test_a_reset_is_immediate_or_waits_for_the_transaction() -> None:
    told = charging()
    assert told.ask("Reset", type="OnIdle")["status"] == "Scheduled"
    told.pass_s(60)
    assert told.actions().count("BootNotification") == 1
    told.hear(told.station.unplug(1, told.now_ms))
    told.pass_s(20)
    assert told.last("BootNotification")["reason"] == "ScheduledReset"
    told.hear(told.station.plug(1, 5_000, told.now_ms))
    told.hear(told.station.tap("CARD1", 1, told.now_ms))
    assert told.ask("Reset", type="Immediate")["status"] == "Accepted"
    told.pass_s(20)
    assert told.last("TransactionEvent")["transactionInfo"]["stoppedReason"] == "ImmediateReset"
    assert told.last("BootNotification")["reason"] == "RemoteReset"
    assert told.ask("Reset", type="Immediate", evseId=1)["status"] == "Rejected"


def test_variables_are_read_set_and_refused_by_what_is_wrong() -> None:
    told = central().boot()
    assert variable(told, "txctrlr", "evconnectiontimeout")["attributeValue"] == "60"
    assert change(told, "TxCtrlr", "EVConnectionTimeOut", "90") == "Accepted"
    assert variable(told, "TxCtrlr", "EVConnectionTimeOut")["attributeValue"] == "90"
    assert change(told, "TxCtrlr", "EVConnectionTimeOut", "-1") == "Rejected"
    assert change(told, "TxCtrlr", "TxStartPoint", "Sunrise") == "Rejected"
    assert change(told, "ClockCtrlr", "DateTime", "now") == "Rejected"
    assert change(told, "TxCtrlr", "Nonsense", "1") == "UnknownVariable"
    assert change(told, "Nonsense", "Nonsense", "1") == "UnknownComponent"
    assert variable(told, "EVSE", "AvailabilityState", evse={"id": 2})["attributeValue"] == (
        "Available"
    )
    assert variable(told, "EVSE", "AvailabilityState", evse={"id": 3})["attributeStatus"] == (
        "UnknownComponent"
    )
    asked = {
        "component": {"name": "TxCtrlr"}, "variable": {"name": "EVConnectionTimeOut"},
        "attributeType": "Target",
    }  # fmt: skip
    found = told.ask("GetVariables", getVariableData=[asked])["getVariableResult"][0]
    assert found["attributeStatus"] == "NotSupportedAttributeType"


@pytest.mark.parametrize("base", ["FullInventory", "ConfigurationInventory", "SummaryInventory"])
def test_a_report_comes_in_numbered_pieces(base: str) -> None:
    told = central().boot()
    assert told.ask("GetBaseReport", requestId=3, reportBase=base)["status"] == "Accepted"
    pieces = told.all("NotifyReport")
    assert [piece["seqNo"] for piece in pieces] == list(range(len(pieces)))
    assert [piece["tbc"] for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    rows = [row for piece in pieces for row in piece["reportData"]]
    names = {row["variable"]["name"] for row in rows}
    settable = {row["variableAttribute"][0]["mutability"] for row in rows}
    units = {row["variable"]["name"]: row["variableCharacteristics"].get("unit") for row in rows}
    if base != "SummaryInventory":
        assert (units["HeartbeatInterval"], units["MessageAttemptInterval"]) == ("s", "s")
        assert (units["MessageAttempts"], units["RetryBackOffRepeatTimes"]) == (None, None)
    if base == "FullInventory":
        assert {"TxStartPoint", "AvailabilityState", "DateTime"} <= names
        assert len(pieces) > 1
    elif base == "ConfigurationInventory":
        assert settable == {"ReadWrite"}
    else:
        assert names == {"AvailabilityState", "Available"}


def test_availability_of_an_evse_and_of_the_station() -> None:
    told = charging()
    ask = {"operationalStatus": "Inoperative", "evse": {"id": 1, "connectorId": 1}}
    assert told.ask("ChangeAvailability", **ask)["status"] == "Scheduled"
    told.hear(told.station.unplug(1, told.now_ms))
    assert states(told)[-1] == "Unavailable"
    assert told.ask("ChangeAvailability", operationalStatus="Operative")["status"] == "Accepted"
    assert states(told)[-1] == "Available"
    ask["evse"] = {"id": 1, "connectorId": 2}
    assert told.ask("ChangeAvailability", **ask)["status"] == "Rejected"


def test_the_cost_comes_with_answers_and_by_itself() -> None:
    told = charging({"TransactionEvent": lambda _: {"totalCost": 3.5}})
    transaction = told.station.outlets[1].transaction
    assert transaction is not None
    assert transaction.cost == "3.5"
    told.ask("CostUpdated", totalCost=7, transactionId=transaction.key)
    assert transaction.cost == "7"


def test_a_reservation_that_runs_out_is_told() -> None:
    told = central().boot()
    ask = {"id": 4, "expiryDateTime": "2026-05-04T12:01:00Z", "idToken": CARD}
    assert told.ask("ReserveNow", **ask)["status"] == "Accepted"
    assert states(told) == ["Available", "Reserved"]
    told.pass_s(61)
    assert told.last("ReservationStatusUpdate") == {
        "reservationId": 4, "reservationUpdateStatus": "Expired",
    }  # fmt: skip
    assert states(told)[-1] == "Available"


def test_an_unlock_does_not_break_into_a_transaction() -> None:
    told = charging()
    unlock = {"evseId": 1, "connectorId": 1}
    assert told.ask("UnlockConnector", **unlock)["status"] == "OngoingAuthorizedTransaction"
    assert told.ask("UnlockConnector", evseId=2, connectorId=1)["status"] == "Unlocked"
    assert told.ask("UnlockConnector", evseId=2, connectorId=2)["status"] == "UnknownConnector"
    told.hear(told.station.break_down(2, "ConnectorLockFailure", told.now_ms))
    assert told.ask("UnlockConnector", evseId=2, connectorId=1)["status"] == "UnlockFailed"


def test_firmware_is_told_with_its_request_and_a_forged_one_is_not_run() -> None:
    told = central().boot()
    firmware = {"location": "https://files/good.bin", "retrieveDateTime": "2026-05-04T12:00:30Z"}
    assert told.ask("UpdateFirmware", requestId=8, firmware=firmware)["status"] == "Accepted"
    told.pass_s(90)
    said = told.all("FirmwareStatusNotification")
    assert [one["status"] for one in said] == [
        "DownloadScheduled", "Downloading", "Downloaded", "Installing", "InstallRebooting",
        "Installed",
    ]  # fmt: skip
    assert {one["requestId"] for one in said} == {8}
    boot = told.last("BootNotification")
    assert (boot["reason"], boot["chargingStation"]["firmwareVersion"]) == (
        "FirmwareUpdate", "2.0",
    )  # fmt: skip
    firmware["location"] = "https://files/forged.bin"
    told.ask("UpdateFirmware", requestId=9, firmware=firmware)
    told.pass_s(60)
    assert told.last("FirmwareStatusNotification")["status"] == "InvalidSignature"


def test_the_log_is_told_with_its_request_and_a_new_order_takes_the_place_of_the_old() -> None:
    told = central().boot()
    ask = {"log": {"remoteLocation": "ftp://logs/here"}, "logType": "DiagnosticsLog"}
    answer = told.ask("GetLog", requestId=1, **ask)
    assert answer == {"status": "Accepted", "filename": "S1-1.log"}
    assert told.ask("GetLog", requestId=2, **ask)["status"] == "AcceptedCanceled"
    told.pass_s(10)
    said = [(one["status"], one["requestId"]) for one in told.all("LogStatusNotification")]
    assert said == [("Uploading", 1), ("Uploading", 2), ("Uploaded", 2)]


def test_triggered_messages_come_after_the_answer() -> None:
    told = charging()
    for wanted in ("Heartbeat", "StatusNotification", "TransactionEvent",
                   "FirmwareStatusNotification"):  # fmt: skip
        said = len(told.said)
        answer = told.ask("TriggerMessage", requestedMessage=wanted, evse={"id": 1})
        assert answer["status"] == "Accepted"
        assert told.actions()[said:][0] == wanted
    answer = told.ask("TriggerMessage", requestedMessage="BootNotification")
    assert answer["status"] == "Rejected"
    answer = told.ask("TriggerMessage", requestedMessage="SignV2GCertificate")
    assert answer["status"] == "NotImplemented"
    answer = told.ask("TriggerMessage", requestedMessage="TransactionEvent", evse={"id": 2})
    assert answer["status"] == "Rejected"


def test_a_pending_charger_answers_and_is_triggered_to_register_again() -> None:
    verdicts = iter(["Pending", "Accepted"])
    told = central({"BootNotification": lambda _: {
        "status": next(verdicts), "currentTime": TIME, "interval": 900,
    }}).boot()  # fmt: skip
    assert change(told, "TxCtrlr", "EVConnectionTimeOut", "30") == "Accepted"
    start = {"idToken": CARD, "remoteStartId": 5}
    assert told.ask("RequestStartTransaction", **start)["status"] == "Rejected"
    answer = told.ask("TriggerMessage", requestedMessage="BootNotification")
    assert answer["status"] == "Accepted"
    assert told.last("BootNotification")["reason"] == "Triggered"
    assert states(told) == ["Available"]


def test_a_rejected_charger_answers_with_a_security_error() -> None:
    told = central({"BootNotification": lambda _: {
        "status": "Rejected", "currentTime": TIME, "interval": 900,
    }}).boot()  # fmt: skip
    assert told.ask("GetBaseReport", requestId=1, reportBase="FullInventory") == "SecurityError"


@pytest.mark.parametrize(
    ("message", "message_id", "code"),
    [
        ("no json", "-1", "RpcFrameworkError"),
        ('[2,"m","Fly",{}]', "m", "NotImplemented"),
        ('[2,"m","Reset",{}]', "m", "OccurrenceConstraintViolation"),
        ('[2,"m","Reset",{"type":5}]', "m", "TypeConstraintViolation"),
        ('[2,"m","Reset",{"type":"Gently"}]', "m", "PropertyConstraintViolation"),
        ('[2,"m","Reset",{"type":"OnIdle","why":1}]', "m", "FormatViolation"),
        ('[2,"m","GetVariables",{"getVariableData":[]}]', "m", "OccurrenceConstraintViolation"),
        ('[2,"m","Reset",[]]', "m", "FormatViolation"),
    ],
)
def test_a_call_that_is_wrong_gets_the_code_of_what_is_wrong(
    message: str, message_id: str, code: str
) -> None:
    told = central().boot()
    told.feed(message.encode())
    assert told.results[message_id] == code


def test_what_a_vendor_adds_is_let_pass_where_the_standard_allows_it() -> None:
    told = central().boot()
    extra = {"vendorId": "x"}
    answer = told.ask("TriggerMessage", requestedMessage="Heartbeat", customData=extra)
    assert answer["status"] == "Accepted"


def test_readings_at_the_clock_s_full_intervals_with_and_without_a_transaction() -> None:
    told = charging()
    assert change(told, "AlignedDataCtrlr", "Interval", "900") == "Accepted"
    told.pass_s(900)
    assert told.last("MeterValues")["evseId"] == 2
    assert "MeterValueClock" in [event[1] for event in events(told)]
