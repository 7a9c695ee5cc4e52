"""The OCPP 1.6 charge point, message by message, each held against the published schemas."""

import itertools
import json
from typing import Any

import pytest

from protocol.errors import CallerError
from tests.support.ocpp_central import TIME
from tests.support.ocpp_chargers import central_16 as central
from tests.support.ocpp_chargers import charging_16 as charging
from tests.support.ocpp_chargers import states_16 as states


def test_a_charger_that_comes_up_dials_registers_and_tells_every_state() -> None:
    told = central().boot()
    assert told.words == ["DIAL ocpp1.6"]
    assert told.actions() == ["BootNotification", *["StatusNotification"] * 3]
    assert [payload["connectorId"] for payload in told.all("StatusNotification")] == [0, 1, 2]
    assert told.last("StatusNotification")["timestamp"] == TIME


def test_the_interval_of_the_boot_answer_is_the_heartbeat_s() -> None:
    told = central().boot()
    told.pass_s(299)
    assert "Heartbeat" not in told.actions()
    told.pass_s(1)
    assert told.actions().count("Heartbeat") == 1
    assert told.ask("ChangeConfiguration", key="HeartbeatInterval", value="10")["status"] == (
        "Accepted"
    )
    told.pass_s(30)
    assert told.actions().count("Heartbeat") == 4


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_nothing_but_the_boot_notification_is_said_before_it_is_accepted(status: str) -> None:
    verdicts = iter([status, "Accepted"])
    told = central({"BootNotification": lambda _: {
        "status": next(verdicts), "currentTime": TIME, "interval": 40,
    }}).boot()  # fmt: skip
    told.hear(told.station.plug(1, 11_000, told.now_ms))
    told.pass_s(39)
    assert told.actions() == ["BootNotification"]
    told.pass_s(1)
    assert told.actions()[:2] == ["BootNotification"] * 2
    assert states(told) == ["Preparing"]


def test_a_rejected_charger_answers_nothing_and_a_pending_one_starts_nothing() -> None:
    told = central({"BootNotification": lambda _: {
        "status": "Rejected", "currentTime": TIME, "interval": 40,
    }}).boot()  # fmt: skip
    told.feed(b'[2,"x","GetConfiguration",{}]')
    assert "x" not in told.results
    told = central({"BootNotification": lambda _: {
        "status": "Pending", "currentTime": TIME, "interval": 40,
    }}).boot()  # fmt: skip
    assert told.ask("GetConfiguration")["unknownKey"] == []
    assert told.ask("RemoteStartTransaction", idTag="A")["status"] == "Rejected"


def test_a_session_runs_from_plug_and_card_to_card_and_unplug() -> None:
    told = charging()
    told.pass_s(3600)
    told.hear(told.station.tap("card1", None, told.now_ms))
    told.hear(told.station.unplug(1, told.now_ms))
    assert states(told) == [
        "Available", "Preparing", "Charging", "Finishing", "Available",
    ]  # fmt: skip
    start, stop = told.last("StartTransaction"), told.last("StopTransaction")
    assert start == {
        "connectorId": 1, "idTag": "CARD1", "meterStart": 0, "timestamp": TIME,
    }  # fmt: skip
    assert (stop["meterStop"], stop["reason"], stop["transactionId"]) == (11_000, "Local", 77)
    assert told.actions().count("Authorize") == 1


def test_the_register_is_sampled_at_the_interval_and_counts_what_flowed() -> None:
    told = charging()
    told.pass_s(600)
    samples = told.all("MeterValues")
    assert len(samples) == 10
    assert {sample["transactionId"] for sample in samples} == {77}
    registers = [
        int(value["value"])
        for sample in samples
        for value in sample["meterValue"][0]["sampledValue"]
        if value["measurand"] == "Energy.Active.Import.Register"
    ]
    assert registers == [11_000 * minute // 60 for minute in range(1, 11)]


def test_a_car_that_pauses_suspends_and_nothing_flows() -> None:
    told = charging()
    told.hear(told.station.want(1, 0, told.now_ms))
    told.pass_s(3600)
    told.hear(told.station.want(1, 5_000, told.now_ms))
    told.pass_s(3600)
    told.hear(told.station.unplug(1, told.now_ms))
    assert states(told)[2:] == ["Charging", "SuspendedEV", "Charging", "Available"]
    stop = told.last("StopTransaction")
    assert (stop["meterStop"], stop["reason"]) == (5_000, "EVDisconnected")


def test_a_car_does_not_get_more_than_the_outlet_gives() -> None:
    told = central().boot()
    told.hear(told.station.plug(1, 150_000, told.now_ms))
    told.hear(told.station.tap("CARD1", 1, told.now_ms))
    told.pass_s(3600)
    told.hear(told.station.unplug(1, told.now_ms))
    assert told.last("StopTransaction")["meterStop"] == 22_000


def test_a_blocked_card_starts_nothing() -> None:
    told = charging({"Authorize": lambda _: {"idTagInfo": {"status": "Blocked"}}})
    assert "StartTransaction" not in told.actions()
    assert told.station.card_shown == "Blocked"
    assert states(told)[-1] == "Preparing"


def test_a_card_waits_for_its_cable_only_so_long() -> None:
    told = central().boot()
    told.hear(told.station.tap("CARD1", 2, told.now_ms))
    told.pass_s(59)
    assert states(told, 2) == ["Available", "Preparing"]
    told.pass_s(2)
    assert states(told, 2)[-1] == "Available"
    told.hear(told.station.plug(2, 11_000, told.now_ms))
    assert "StartTransaction" not in told.actions()


def test_a_token_refused_at_the_start_ends_the_transaction() -> None:
    told = charging({"StartTransaction": lambda _: {
        "idTagInfo": {"status": "ConcurrentTx"}, "transactionId": 5,
    }})  # fmt: skip
    assert told.last("StopTransaction")["reason"] == "DeAuthorized"
    assert told.last("StopTransaction")["transactionId"] == 5


def test_a_token_refused_at_the_start_only_stops_the_energy_where_set_so() -> None:
    told = central({"StartTransaction": lambda _: {
        "idTagInfo": {"status": "Invalid"}, "transactionId": 5,
    }}).boot()  # fmt: skip
    told.ask("ChangeConfiguration", key="StopTransactionOnInvalidId", value="false")
    told.hear(told.station.plug(1, 11_000, told.now_ms))
    told.hear(told.station.tap("CARD1", None, told.now_ms))
    told.pass_s(3600)
    assert states(told)[-1] == "SuspendedEVSE"
    told.hear(told.station.unplug(1, told.now_ms))
    assert told.last("StopTransaction")["meterStop"] == 0


def test_a_card_of_the_same_parent_stops_a_transaction_and_another_does_not() -> None:
    told = charging({"Authorize": lambda said: {"idTagInfo": {
        "status": "Accepted", "parentIdTag": "FAMILY" if said["idTag"] != "THIEF" else "OTHER",
    }}})  # fmt: skip
    told.hear(told.station.tap("THIEF", 1, told.now_ms))
    assert "StopTransaction" not in told.actions()
    told.hear(told.station.tap("CARD2", 1, told.now_ms))
    assert told.last("StopTransaction")["idTag"] == "CARD2"


def test_remote_start_and_stop_work_without_a_card() -> None:
    told = central().boot()
    assert told.ask("RemoteStartTransaction", idTag="APP", connectorId=2)["status"] == "Accepted"
    assert told.ask("RemoteStartTransaction", idTag="B", connectorId=2)["status"] == "Rejected"
    told.hear(told.station.plug(2, 7_000, told.now_ms))
    assert told.last("StartTransaction")["idTag"] == "APP"
    assert told.ask("RemoteStopTransaction", transactionId=78)["status"] == "Rejected"
    assert told.ask("RemoteStopTransaction", transactionId=77)["status"] == "Accepted"
    assert told.last("StopTransaction")["reason"] == "Remote"
    assert states(told, 2)[-1] == "Finishing"


def test_what_happens_without_a_connection_is_told_in_order_afterwards() -> None:
    told = charging()
    told.is_reachable = False
    told.cut()
    told.pass_s(150)
    told.hear(told.station.tap("CARD1", None, told.now_ms))
    told.hear(told.station.unplug(1, told.now_ms))
    said = len(told.said)
    told.is_reachable = True
    told.pass_s(600)
    fresh = told.actions()[said:]
    assert [one for one in fresh if one not in {"Heartbeat", "StatusNotification"}] == [
        "MeterValues", "MeterValues", "StopTransaction",
    ]  # fmt: skip
    assert "BootNotification" not in fresh


def test_an_offline_transaction_gets_its_id_before_its_other_messages_go() -> None:
    told = central().boot()
    told.ask("ChangeConfiguration", key="AllowOfflineTxForUnknownId", value="true")
    told.is_reachable = False
    told.cut()
    told.hear(told.station.plug(1, 11_000, told.now_ms))
    told.hear(told.station.tap("CARD1", None, told.now_ms))
    told.pass_s(90)
    told.hear(told.station.unplug(1, told.now_ms))
    assert "StartTransaction" not in told.actions()
    told.is_reachable = True
    told.pass_s(600)
    assert told.last("MeterValues")["transactionId"] == 77
    assert told.last("StopTransaction")["transactionId"] == 77


def test_an_unknown_card_starts_nothing_without_a_connection_but_a_known_one_does() -> None:
    told = central().boot()
    told.ask("SendLocalList", listVersion=1, updateType="Full", localAuthorizationList=[
        {"idTag": "KNOWN", "idTagInfo": {"status": "Accepted"}},
        {"idTag": "OLD", "idTagInfo": {"status": "Accepted", "expiryDate": "2020-01-01T00:00:00Z"}},
    ])  # fmt: skip
    told.is_reachable = False
    told.cut()
    told.hear(told.station.plug(1, 11_000, told.now_ms))
    for card in ("STRANGER", "OLD"):
        told.hear(told.station.tap(card, 1, told.now_ms))
        assert told.station.outlets[1].transaction is None
    told.hear(told.station.tap("known", 1, told.now_ms))
    assert told.station.outlets[1].transaction is not None


def test_a_message_the_central_system_fails_on_is_tried_again_and_then_dropped() -> None:
    told = charging({"StartTransaction": lambda _: {"error": "InternalError"}})
    told.pass_s(100)
    assert told.actions().count("StartTransaction") == 3
    assert told.station.outbox.lost == 1
    told.hear(told.station.unplug(1, told.now_ms))
    assert told.last("StopTransaction")["transactionId"] == -1


def test_a_central_system_that_never_answers_holds_up_one_call_at_a_time() -> None:
    told = charging()
    told.is_deaf = True
    said = len(told.said)
    told.hear(told.station.unplug(1, told.now_ms))
    told.pass_s(29)
    assert len(told.said) == said + 1
    told.pass_s(2)
    assert len(told.said) == said + 2


def test_a_power_cut_ends_the_transaction_and_nothing_is_forgotten() -> None:
    told = charging()
    told.pass_s(1800)
    told.words.clear()
    told.boot()
    assert told.words == ["DIAL ocpp1.6"]
    stop = told.last("StopTransaction")
    assert (stop["reason"], stop["transactionId"]) == ("PowerLoss", 77)
    assert 5_000 < stop["meterStop"] <= 5_500
    assert states(told)[-1] == "Finishing"


@pytest.mark.parametrize(("kind", "reason"), [("Soft", "SoftReset"), ("Hard", "HardReset")])
def test_a_reset_ends_transactions_and_the_charger_comes_back(kind: str, reason: str) -> None:
    told = charging()
    told.words.clear()
    assert told.ask("Reset", type=kind)["status"] == "Accepted"
    told.pass_s(15)
    assert told.words == ["HANGUP", "DIAL ocpp1.6"]
    assert told.last("StopTransaction")["reason"] == reason
    assert told.actions().count("BootNotification") == 2


def test_availability_changes_at_once_or_after_the_transaction() -> None:
    told = charging()
    assert told.ask("ChangeAvailability", connectorId=2, type="Inoperative")["status"] == "Accepted"
    assert states(told, 2)[-1] == "Unavailable"
    assert told.ask("ChangeAvailability", connectorId=1, type="Inoperative")["status"] == (
        "Scheduled"
    )
    assert states(told)[-1] == "Charging"
    told.hear(told.station.unplug(1, told.now_ms))
    assert states(told)[-1] == "Unavailable"
    told.boot()
    assert states(told)[-1] == "Unavailable"
    assert told.ask("ChangeAvailability", connectorId=0, type="Operative")["status"] == "Accepted"
    assert (states(told)[-1], states(told, 2)[-1]) == ("Available", "Available")
    assert told.ask("ChangeAvailability", connectorId=3, type="Operative")["status"] == "Rejected"


def test_a_defect_ends_the_transaction_and_a_repair_gives_the_outlet_back() -> None:
    told = charging()
    told.hear(told.station.break_down(1, "GroundFailure", told.now_ms))
    assert told.last("StatusNotification")["errorCode"] == "GroundFailure"
    assert states(told)[-1] == "Faulted"
    assert told.last("StopTransaction")["reason"] == "Other"
    told.hear(told.station.break_down(1, "", told.now_ms))
    assert states(told)[-1] == "Finishing"


def test_the_emergency_stop_ends_every_transaction() -> None:
    told = charging()
    told.hear(told.station.plug(2, 5_000, told.now_ms))
    told.hear(told.station.tap("CARD2", 2, told.now_ms))
    told.hear(told.station.press_emergency_stop(told.now_ms))
    assert [stop["reason"] for stop in told.all("StopTransaction")] == ["EmergencyStop"] * 2


def test_a_reservation_admits_its_card_only_and_runs_out() -> None:
    told = central().boot()
    until = "2026-05-04T12:10:00Z"
    ask = {"connectorId": 1, "expiryDate": until, "idTag": "MINE", "reservationId": 9}
    assert told.ask("ReserveNow", **ask)["status"] == "Accepted"
    assert states(told)[-1] == "Reserved"
    assert told.ask("ReserveNow", **{**ask, "reservationId": 10})["status"] == "Occupied"
    told.hear(told.station.tap("THIEF", 1, told.now_ms))
    assert told.station.card_shown == "Refused"
    told.hear(told.station.tap("MINE", None, told.now_ms))
    told.hear(told.station.plug(1, 5_000, told.now_ms))
    assert told.last("StartTransaction")["reservationId"] == 9
    told.hear(told.station.unplug(1, told.now_ms))
    told.ask("ReserveNow", **{**ask, "reservationId": 11})
    told.pass_s(700)
    assert states(told)[-2:] == ["Reserved", "Available"]
    assert told.ask("CancelReservation", reservationId=11)["status"] == "Rejected"


def test_the_local_list_is_versioned() -> None:
    told = central().boot()
    row = {"idTag": "A", "idTagInfo": {"status": "Accepted"}}
    send = {"listVersion": 3, "updateType": "Full", "localAuthorizationList": [row]}
    assert told.ask("SendLocalList", **send)["status"] == "Accepted"
    assert told.ask("GetLocalListVersion")["listVersion"] == 3
    change = {"listVersion": 3, "updateType": "Differential"}
    assert told.ask("SendLocalList", **change)["status"] == "VersionMismatch"
    gone = {"listVersion": 4, "updateType": "Differential",
            "localAuthorizationList": [{"idTag": "A"}]}  # fmt: skip
    assert told.ask("SendLocalList", **gone)["status"] == "Accepted"
    assert told.station.book.listed == 0
    told.ask("ChangeConfiguration", key="LocalAuthListEnabled", value="false")
    assert told.ask("GetLocalListVersion")["listVersion"] == -1


def test_settings_keep_their_types_and_outlive_a_power_cut() -> None:
    told = central().boot()

    def change(key: str, value: str) -> str:
        return str(told.ask("ChangeConfiguration", key=key, value=value)["status"])

    assert change("ConnectionTimeOut", "90") == "Accepted"
    assert change("ConnectionTimeOut", "soon") == "Rejected"
    assert change("MeterValuesSampledData", "Voltage,Nonsense") == "Rejected"
    assert change("NumberOfConnectors", "9") == "Rejected"
    assert change("Nonsense", "1") == "NotSupported"
    told.boot()
    found = told.ask("GetConfiguration", key=["ConnectionTimeOut", "Nonsense"])
    assert found["configurationKey"] == [
        {"key": "ConnectionTimeOut", "readonly": False, "value": "90"}
    ]
    assert found["unknownKey"] == ["Nonsense"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('[2,"m","Fly",{}]', "NotImplemented"),
        ('[2,"m","Reset",{}]', "OccurenceConstraintViolation"),
        ('[2,"m","Reset",{"type":5}]', "TypeConstraintViolation"),
        ('[2,"m","Reset",{"type":"Gently"}]', "PropertyConstraintViolation"),
        ('[2,"m","Reset",{"type":"Soft","why":1}]', "FormationViolation"),
        ('[2,"m","Reset"]', "FormationViolation"),
        ('[2,"m","UnlockConnector",{"connectorId":true}]', "TypeConstraintViolation"),
    ],
)
def test_a_call_that_is_wrong_gets_the_code_of_what_is_wrong(message: str, code: str) -> None:
    told = central().boot()
    told.feed(message.encode())
    assert told.results["m"] == code
    assert "HANGUP" not in told.words


@pytest.mark.parametrize(
    "junk",
    [b"{}", b"[", b"[2]", b'[9,"m",{}]', b'[3,"nobody",{}]', b'[4,"nobody","x","",{}]',
     b"[" * 5000, b'[2,"' + b"i" * 37 + b'","Reset",{}]', b"\xff\xfe", b'[2,"m","Reset",NaN]'],
)  # fmt: skip
def test_what_is_no_message_changes_nothing(junk: bytes) -> None:
    told = central().boot()
    said = len(told.said)
    told.feed(junk)
    assert len(told.said) == said
    assert told.ask("GetLocalListVersion")["listVersion"] == 0


def test_a_line_that_never_ends_is_dropped_and_the_next_is_read() -> None:
    told = central().boot()
    for _ in range(100):
        told.hear(told.station.feed(b"x" * 10_000, told.now_ms))
    told.feed(b"")
    assert told.ask("GetLocalListVersion")["listVersion"] == 0


def test_triggered_messages_come_after_the_answer() -> None:
    told = charging()
    for wanted in ("Heartbeat", "StatusNotification", "MeterValues", "BootNotification",
                   "FirmwareStatusNotification"):  # fmt: skip
        said = len(told.said)
        answer = told.ask("TriggerMessage", requestedMessage=wanted, connectorId=1)
        assert answer["status"] == "Accepted"
        assert told.actions()[said:][0] == wanted
    assert told.last("MeterValues")["transactionId"] == 77
    answer = told.ask("TriggerMessage", requestedMessage="MeterValues", connectorId=5)
    assert answer["status"] == "Rejected"


def test_firmware_is_fetched_installed_and_run_after_the_reboot() -> None:
    told = central().boot()
    told.ask("UpdateFirmware", location="https://files/good.bin", retrieveDate=TIME)
    told.pass_s(60)
    words = [payload["status"] for payload in told.all("FirmwareStatusNotification")]
    assert words == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert told.last("BootNotification")["firmwareVersion"] == "2.0"


def test_firmware_waits_for_the_transaction_and_a_bad_one_is_not_run() -> None:
    told = charging()
    told.ask("UpdateFirmware", location="https://files/bad.bin", retrieveDate=TIME)
    told.pass_s(60)
    assert told.last("FirmwareStatusNotification")["status"] == "Downloaded"
    told.hear(told.station.unplug(1, told.now_ms))
    told.pass_s(60)
    assert told.last("FirmwareStatusNotification")["status"] == "InstallationFailed"
    assert told.station.firmware_version == "1.0"


def test_firmware_that_cannot_be_fetched_is_tried_again_and_given_up() -> None:
    told = central().boot()
    told.ask("UpdateFirmware", location="https://nowhere", retrieveDate=TIME, retries=2,
             retryInterval=5)  # fmt: skip
    told.pass_s(60)
    words = [payload["status"] for payload in told.all("FirmwareStatusNotification")]
    assert words == ["Downloading"] * 3 + ["DownloadFailed"]


@pytest.mark.parametrize(
    ("location", "words"),
    [("ftp://logs/here", ["Uploading", "Uploaded"]),
     ("ftp://elsewhere", ["Uploading", "UploadFailed"])],
)  # fmt: skip
def test_the_log_is_uploaded_where_somebody_takes_it(location: str, words: list[str]) -> None:
    told = central().boot()
    answer = told.ask("GetDiagnostics", location=location, retries=1, retryInterval=5)
    assert answer == {"fileName": "S1-1.log"}
    assert (
        told.ask("TriggerMessage", requestedMessage="DiagnosticsStatusNotification")["status"]
        == "Accepted"
    )
    told.pass_s(3)
    assert [one["status"] for one in told.all("DiagnosticsStatusNotification")][2:] == (
        words[1:] if words[1] == "Uploaded" else []
    )
    told.pass_s(20)
    assert told.last("DiagnosticsStatusNotification")["status"] == words[1]


def test_dialling_waits_longer_each_time_and_starts_over_once_connected() -> None:
    told = central()
    told.is_reachable = False
    told.boot()
    dials = []
    for second in range(400):
        told.pass_s(1)
        if len(told.words) > len(dials) + 1:
            dials.append(second)
    gaps = [after - before for before, after in itertools.pairwise(dials)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 4 * gaps[0]


def test_a_network_module_that_says_nothing_is_told_again() -> None:
    station = central().station
    station.boot(0)
    assert [output.payload for output in station.poll(100)] == [b"DIAL ocpp1.6\n"]
    due = station.next_deadline_ms()
    assert due == 30_100
    assert station.poll(due) == []
    again = station.next_deadline_ms()
    assert again is not None
    assert [output.payload for output in station.poll(again)] == [b"DIAL ocpp1.6\n"]


def test_a_pulled_network_cable_hangs_up_and_does_not_dial() -> None:
    told = central().boot()
    told.hear(told.station.pull_network(told.now_ms, is_there=False))
    told.pass_s(4000)
    assert told.words == ["DIAL ocpp1.6", "HANGUP"]
    told.hear(told.station.pull_network(told.now_ms, is_there=True))
    assert told.words[-1] == "DIAL ocpp1.6"


def test_the_same_seed_makes_the_same_run_and_another_other_ids() -> None:
    def run(seed: bytes) -> list[str]:
        return central(seed=seed).boot().message_ids

    assert run(b"one") == run(b"one")
    assert not set(run(b"one")) & set(run(b"two"))


def test_message_ids_do_not_come_twice_over_a_power_cut() -> None:
    told = charging()
    told.boot()
    assert len(told.message_ids) == len(set(told.message_ids))


def test_a_cable_goes_where_there_is_an_outlet_and_none_yet() -> None:
    told = central().boot()
    told.hear(told.station.plug(1, 1_000, told.now_ms))
    for number in (1, 3):
        with pytest.raises(CallerError):
            told.station.plug(number, 1_000, told.now_ms)


def test_an_answer_of_the_wrong_form_is_no_answer() -> None:
    strange: dict[str, Any] = {"status": "Accepted", "currentTime": "yesterday", "interval": -5}
    told = central()
    told.is_deaf = True
    told.boot()
    told.is_deaf = False
    told.feed(json.dumps([3, told.message_ids[-1], strange]).encode())
    assert told.station.registration == "Accepted"
    assert told.station.heartbeat_s() == 300
    assert told.last("StatusNotification")["timestamp"].startswith("2026-01-01")
