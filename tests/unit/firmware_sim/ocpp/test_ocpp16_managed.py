"""How an OCPP 1.6 charge point is managed, and what it bears: availability, lists, settings,
firmware, logs, the line. Each message is held against the published schemas.
"""

import itertools
import json
from typing import Any

import pytest

from protocol.errors import CallerError
from tests.support.ocpp_central import TIME
from tests.support.ocpp_chargers import central_16 as central
from tests.support.ocpp_chargers import charging_16 as charging
from tests.support.ocpp_chargers import states_16 as states


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
    dials: list[int] = []
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
