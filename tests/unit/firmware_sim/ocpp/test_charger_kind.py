"""Goal: a charger is reached through its kind: board file, acts, what can be seen, its wire."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from firmware_sim.board_file import board_with
from firmware_sim.devices.ocpp.wall_clock import WallClock
from firmware_sim.frames import Side
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.ocpp_wire import OcppDecoder, masked_token
from firmware_sim.kinds.registry import kind_named
from firmware_sim.transports.spec import open_line
from protocol.errors import CallerError

NAME = "device"


def answer(board: VirtualBoard, payload: Mapping[str, object]) -> str:
    """Take the device's next call and answer it; the call's action."""
    line = b""
    while not line.endswith(b"\n"):
        piece = board.receive(NAME, 1)
        assert piece, "the charger said nothing"
        line += piece
    _, message_id, action, _ = json.loads(line)
    board.send(NAME, json.dumps([3, message_id, payload]).encode() + b"\n")
    return str(action)


def test_a_charger_runs_in_virtual_time_and_shows_what_can_be_seen() -> None:
    with VirtualBoard(board_with("ocpp16"), seed=1) as board:
        assert board.receive(NAME, 13) == b"DIAL ocpp1.6\n"
        board.send(NAME, b"CONNECT ocpp1.6\n")
        accepted = {"status": "Accepted", "currentTime": "2026-05-04T12:00:00Z", "interval": 60}
        assert answer(board, accepted) == "BootNotification"
        assert [answer(board, {}) for _ in range(2)] == ["StatusNotification"] * 2
        board.do(NAME, "plug", power_w=7_000)
        assert answer(board, {}) == "StatusNotification"
        board.do(NAME, "tap", token="0123456789")
        info = {"idTagInfo": {"status": "Accepted"}}
        assert answer(board, info) == "Authorize"
        assert answer(board, {}) == "StatusNotification"
        assert answer(board, {**info, "transactionId": 1}) == "StartTransaction"
        board.pass_time(60_000)
        seen = board.state(NAME)
    assert seen["online"] is True
    assert seen["outlets"] == [{
        "outlet": 1, "state": "Charging", "is_plugged": True, "power_w": 7_000,
        "limit_w": None,
        "energy_wh": 116, "token": "******6789", "cost": "",
    }]  # fmt: skip


def test_a_chargers_clock_jumps_until_it_is_set_right() -> None:
    clock = WallClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.jump(-7_200)
    assert clock.text(0) == "2025-12-31T22:00:00.000Z"
    clock.set_right("2026-01-01T00:00:00Z", 0)
    assert clock.text(0) == "2026-01-01T00:00:00.000Z"
    with pytest.raises(CallerError, match="field_invalid"):
        clock.jump(200 * 366 * 86_400)


def test_a_setting_that_the_charger_does_not_take_is_refused_by_its_name() -> None:
    kind = kind_named("ocpp16")
    entry = kind.entry.model_validate({
        "kind": "ocpp16", "settings": {"ConnectionTimeOut": "soon"},
    })  # fmt: skip
    with pytest.raises(CallerError, match="ConnectionTimeOut"):
        kind.build(entry, b"")


def test_an_act_for_an_outlet_that_is_not_there_is_refused() -> None:
    with VirtualBoard(board_with("ocpp16")) as board, pytest.raises(CallerError, match="1 to 1"):
        board.do(NAME, "plug", outlet=2)


def test_the_wire_is_read_by_name_and_cards_are_kept_secret() -> None:
    decoder = OcppDecoder()
    call = b'[2,"m1","Authorize",{"idTag":"CARD-0001"}]\n'
    (asked,) = decoder.feed(Side.DEVICE, call)
    assert (asked.name, asked.fields) == ("Authorize", {"idTag": "*****0001"})
    assert b"CARD-".hex() not in asked.hex()
    (told,) = decoder.feed(Side.HOST, b'[3,"m1",{"idTagInfo":{"status":"Blocked"}}]\n')
    assert (told.name, told.fields) == ("Authorize.result", {"status": "Blocked"})
    frames = decoder.feed(Side.DEVICE, b"DIAL ocpp1.6\n[]\nwhat\n" + call[:10])
    assert [frame.name for frame in frames] == ["dial", "junk", "junk"]
    assert [frame.is_valid for frame in frames] == [True, False, False]


def test_a_network_module_s_words_are_told_whole_with_no_field_that_they_do_not_have() -> None:
    decoder = OcppDecoder()
    said = b"CONNECT ocpp1.6\nNO CARRIER\nNO CARRIERS\n"
    frames = [*decoder.feed(Side.HOST, said), *decoder.feed(Side.DEVICE, b"HANGUP\n")]
    assert [(frame.name, frame.fields) for frame in frames] == [
        ("connect", {"subprotocol": "ocpp1.6"}), ("no_carrier", {}), ("junk", {}), ("hangup", {}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "call",
    [
        b'[2,"m","ChangeConfiguration",{"key":"AuthorizationKey","value":"S3cret-of-it"}]\n',
        (
            b'[2,"m","SetVariables",{"setVariableData":[{"attributeValue":"S3cret-of-it",'
            b'"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}]\n'
        ),
    ],
)
def test_a_password_that_is_set_is_not_kept(call: bytes) -> None:
    (frame,) = OcppDecoder().feed(Side.HOST, call)
    assert frame.is_valid
    assert b"S3cret".hex() not in frame.hex()
    assert "S3cret" not in frame.describe()


def test_a_short_token_is_masked_whole() -> None:
    assert masked_token("1234567") == "*******"
    assert masked_token("12345678") == "****5678"


def test_a_transport_that_is_no_address_is_refused_without_its_password() -> None:
    for wrong in ("ws:///charger", "ws://user:secret@host:port/charger", "ws://[secret"):
        with pytest.raises(CallerError, match="no ws") as refused:
            open_line(wrong)
        assert "secret" not in str(refused.value)
    line = open_line("wss://user:secret@central.example/CP-1")
    assert line.client_path == "wss://central.example/CP-1"
