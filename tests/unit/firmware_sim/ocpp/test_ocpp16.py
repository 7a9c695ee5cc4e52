"""The sessions of an OCPP 1.6 charge point, message by message, each held against the published
schemas: from boot and card to the end, also without a connection and over a power cut.
"""

import pytest

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
