"""Goal: our builders give the bytes of the captured reference."""

import pytest

from protocol.framing import escpos
from protocol.framing.escpos import QrStyle, StatusPage


def test_a_qr_code_is_the_captured_sequence() -> None:
    wanted = (
        "1D286B040031413200 1D286B0300314306 1D286B0300314530 1D286B0600315030 616263"
        "1D286B0300315130"
    )
    assert escpos.qr_code(b"abc", QrStyle(6, "L")) == bytes.fromhex(wanted)


@pytest.mark.parametrize("payload", [b"", bytes(3000)])
def test_a_qr_code_that_cannot_be_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError):
        escpos.qr_code(payload)


def test_status_is_asked_with_dle_eot() -> None:
    assert escpos.status_query(StatusPage.PAPER) == b"\x10\x04\x04"


@pytest.mark.parametrize(
    ("value", "is_status"),
    [(0x12, True), (0x7E, True), (0x00, False), (0xFF, False), (0x13, False)],
)
def test_a_status_byte_is_known_by_its_fixed_bits(value: int, is_status: bool) -> None:
    assert escpos.is_status(value) is is_status


def test_chinese_text_is_gb18030() -> None:
    assert escpos.text("收银") == bytes.fromhex("CAD5D2F8")


def test_a_lone_surrogate_does_not_stop_the_print() -> None:
    assert escpos.text("a\ud800b") == b"a?b"
