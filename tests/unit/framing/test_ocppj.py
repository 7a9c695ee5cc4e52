"""OCPP-J on a byte line: the standard's own examples, and what is none."""

import pytest

from protocol.framing import ocppj
from protocol.framing.limits import OCPP_LINE_BYTES_MAX
from protocol.framing.ocppj import BadMessage, Call, CallError, CallResult, LineParser

BOOT = (
    b'[2,"19223201","BootNotification",'
    b'{"chargePointVendor":"VendorX","chargePointModel":"SingleSocketCharger"}]\n'
)
"""OCPP 1.6 J, §4.2.1."""
ACCEPTED = (
    b'[3,"19223201",{"status":"Accepted",'
    b'"currentTime":"2013-02-01T20:53:32.486Z","interval":300}]\n'
)
"""OCPP 1.6 J, §4.2.2."""


def test_the_standard_s_examples_are_read_and_written_alike() -> None:
    for line, kind in ((BOOT, Call), (ACCEPTED, CallResult)):
        message = ocppj.decode(line)
        assert isinstance(message, kind)
        assert ocppj.encode(message) == line
    error = b'[4,"162376037","NotSupported","SetDisplayMessageRequest not implemented",{}]\n'
    message = ocppj.decode(error)
    assert isinstance(message, CallError)
    assert ocppj.encode(message) == error


def test_what_cannot_be_ascii_is_escaped() -> None:
    line = ocppj.encode(CallResult("m", {"text": "充电\n\ud800"}))
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert ocppj.decode(line) == CallResult("m", {"text": "充电\n\ud800"})


@pytest.mark.parametrize(
    ("line", "message_id"),
    [
        (b"", ""), (b"[", ""), (b"7", ""), (b"[2]", ""), (b'[2,5,"A",{}]', ""),
        (b'[2,"","A",{}]', ""), (b'[2,"m","A",{},1]', "m"), (b'[true,"m","A",{}]', "m"),
        (b'[2,"m",5,{}]', "m"), (b'[2,"m","A",[]]', "m"), (b'[3,"m",5]', "m"),
        (b'[4,"m",5,"",{}]', "m"), (b'[2,"m","A",{"n":Infinity}]', ""),
        (b'[2,"m","A",{"n":1e999}]', ""), (b"[" * 60_000, ""),
        (b'[2,"m","A",{"n":' + b"9" * 5000 + b"}]", ""),
    ],
)  # fmt: skip
def test_what_is_no_message_says_so_with_its_id_where_it_has_one(
    line: bytes, message_id: str
) -> None:
    found = ocppj.decode(line)
    assert isinstance(found, BadMessage)
    assert found.message_id == message_id
    assert found.reason


def test_lines_come_whole_however_they_are_cut() -> None:
    stream = BOOT + b"\r\n" + ACCEPTED
    parser = LineParser()
    found = [line for value in stream for line in parser.feed(bytes([value]))]
    assert found == LineParser().feed(stream) == [BOOT.strip(), ACCEPTED.strip()]


def test_a_line_that_is_too_long_is_dropped_whole() -> None:
    parser = LineParser()
    assert parser.feed(b"x" * OCPP_LINE_BYTES_MAX) == []
    assert parser.feed(b"x") == []
    assert parser.feed(b'[3,"m",{}]\nNO CARRIER\n') == [b"NO CARRIER"]
    assert parser.overlong_lines == 1


def test_the_words_to_the_network_module_are_lines() -> None:
    assert ocppj.module_line(ocppj.DIAL, "ocpp1.6") == b"DIAL ocpp1.6\n"
    assert ocppj.module_line(ocppj.NO_CARRIER) == b"NO CARRIER\n"
