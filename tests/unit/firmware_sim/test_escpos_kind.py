"""Goal: a board file builds the printer it describes, people can do all that people do, and the
wire is read for people without showing what may pay."""

import pytest

from firmware_sim.devices.escpos import EscPosPrinter
from firmware_sim.frames import Frame, Side
from firmware_sim.kinds.escpos import KIND
from firmware_sim.kinds.escpos_frames import EscPosDecoder
from protocol.framing import escpos

CODE = "134567890123456789"


def _printer(**options: object) -> EscPosPrinter:
    built = KIND.build(KIND.entry.model_validate({"kind": "escpos", **options}), b"")
    assert isinstance(built, EscPosPrinter)
    built.boot(0)
    return built


def _do(printer: EscPosPrinter, name: str, **words: object) -> bytes:
    act = KIND.act(name)
    assert act is not None
    outputs = act.run(printer, act.body.model_validate(words), 0) or ()
    return b"".join(output.payload for output in outputs)


def _heard(side: Side, *pieces: bytes) -> list[Frame]:
    decoder = EscPosDecoder()
    return [frame for piece in pieces for frame in decoder.feed(side, piece)]


def test_a_board_file_sets_every_switch() -> None:
    printer = _printer(
        profile="western", baud=19200, width_mm=58, roll_mm=500, speed_mm_s=150,
        buffer_bytes=4096, flow="xonxoff", busy_off_line=True, drawer_pins=[5],
        drawer_open_level="low",
    )  # fmt: skip
    assert printer.baud == 19200
    assert KIND.state(printer)["paper"] == "near_end"
    printer.feed(b"x" * 33 + escpos.DRAWER_KICK, 0)
    assert not printer.is_drawer_open
    assert _do(printer, "open_cover") == b"\x13"
    [status] = printer.feed(b"\x10\x04\x01", 0)
    assert status.payload == b"\x1e"


@pytest.mark.parametrize("act", [act.name for act in KIND.acts])
def test_every_act_changes_what_can_be_seen_or_printed(act: str) -> None:
    printer = _printer()
    undone = {
        "close_cover": "open_cover",
        "close_drawer": "open_drawer",
        "free_cutter": "jam_cutter",
    }
    words = {"load_paper": {"millimetres": 5}, "overheat": {"milliseconds": 9}}.get(act, {})
    if act in undone:
        _do(printer, undone[act])
    printer.feed(b"paid\n", 0)
    before = KIND.state(printer)
    jammed_before = printer.mechanism.is_blade_jammed
    _do(printer, act, **words)
    changed = KIND.state(printer) != before or printer.mechanism.is_blade_jammed != jammed_before
    assert changed


def test_state_names_codes_pulses_refusals_and_errors() -> None:
    printer = _printer()
    printer.feed(escpos.qr_code(b"pay_1") + escpos.CUT_FULL + escpos.DRAWER_KICK, 0)
    printer.feed(b"\x1dk\x02bad\x00", 0)
    _do(printer, "break_down")
    state = KIND.state(printer)
    assert state["receipts"] == [
        {"number": 1, "text": "[QR pay_1]\n", "cut": "full", "length_mm": 15, "codes": ["pay_1"]}
    ]
    assert state["pulses"] == [{"pin": 2, "on_ms": 50}]
    assert (state["refused_codes"], state["errors"]) == (1, ["broken"])


def test_operations_have_names_and_words() -> None:
    frames = _heard(
        Side.HOST,
        escpos.INIT + escpos.align(escpos.Align.CENTRE) + "收银 12".encode("gb18030"),
        b".80\n\x1dv0\x00\x02\x00\x01\x00ab" + escpos.CUT_FULL + b"\x1b(A\x02\x00ab\x1b\x01",
    )
    assert [frame.name for frame in frames] == [
        "initialise", "align", "text", "line_feed", "raster", "cut", "command_1b28",
    ]  # fmt: skip
    assert frames[1].fields == {"n": 1}
    assert frames[2].fields == {"text": "收银 12.80"}
    assert frames[4].fields == {"width": 16, "height": 1}
    assert b"".join(frame.raw for frame in frames) == (
        escpos.INIT + escpos.align(escpos.Align.CENTRE) + "收银 12.80\n".encode("gb18030")
        + b"\x1dv0\x00\x02\x00\x01\x00ab" + escpos.CUT_FULL + b"\x1b(A\x02\x00ab"
    )  # fmt: skip


@pytest.mark.parametrize(
    "pieces",
    [
        (CODE.encode() + b"\n",),
        (CODE[:9].encode(), CODE[9:].encode() + b"\n"),
        (escpos.qr_code(CODE.encode()),),
        (escpos.qr_code(b"https://pay.example/t/8f14e45fceea167a"),),
        (b"\x1dk\x49\x14{B" + CODE.encode(),),
        (b"\x1dk\x04" + CODE.encode() + b"\x00",),
    ],
)
def test_what_may_pay_is_shown_by_its_ends_only(pieces: tuple[bytes, ...]) -> None:
    frames = _heard(Side.HOST, *pieces)
    shown = " ".join(frame.describe() for frame in frames)
    for secret in (CODE, CODE.encode().hex(), "8f14e45f", b"8f14e45f".hex(), CODE[4:12]):
        assert secret not in shown
    assert CODE.encode()[4:12].hex() not in shown


def test_answers_are_told_apart() -> None:
    decoder = EscPosDecoder()
    decoder.feed(Side.HOST, b"\x10\x04\x04\x10\x04\x01\x1dr\x01\x1dI\x01\x1dIB\x1da\xff")
    said = b"\x12\x1a\x03\x20_TILLWAY\x00\x18\x00\x0f\x00\x13\x11\x37\x25\x00\x92"
    frames = [frame for value in said for frame in decoder.feed(Side.DEVICE, bytes([value]))]
    assert [(frame.name, frame.is_valid) for frame in frames] == [
        ("realtime_status", True), ("realtime_status", True), ("status", True),
        ("identity", True), ("identity", True), ("auto_status", True), ("xoff", True),
        ("xon", True), ("block", True), ("junk", False),
    ]  # fmt: skip
    assert [frame.fields.get("page") for frame in frames[:2]] == [4, 1]
    assert frames[4].fields == {"text": "TILLWAY"}


def test_the_real_printers_answers_are_read_without_junk() -> None:
    printer, decoder = _printer(), EscPosDecoder()
    asked = (
        b"\x1da\xff\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04\x1dr\x01\x1dIC\x1d(k\x03\x001R0"
    )
    decoder.feed(Side.HOST, asked)
    outputs = printer.feed(asked, 0)
    frames = [found for out in outputs for found in decoder.feed(Side.DEVICE, out.payload)]
    assert len(frames) == 8
    assert all(frame.is_valid and frame.name != "junk" for frame in frames)


def test_long_words_are_shown_in_bounded_pieces() -> None:
    decoder = EscPosDecoder()
    for _ in range(100):
        decoder.feed(Side.HOST, b"x" * 1000)
        decoder.feed(Side.DEVICE, b"_" * 1000)
    assert len(decoder._words) <= 5096
    assert len(decoder._answer) <= 258
