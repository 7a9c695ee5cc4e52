"""Goal: the reader's driver gives the right code or card, or a clear error in stated time.

Method: the driver on a simulated chip in virtual time: cards of each kind, and every byte of whole
conversations lost, spoilt or late, in both directions.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from firmware_sim.devices.device import Output
from firmware_sim.devices.pn532.chip import Pn532
from firmware_sim.devices.pn532.emv import SCHEMES, EmvSoftware
from firmware_sim.devices.pn532.iso_dep import IsoDepCard
from firmware_sim.devices.pn532.mifare_classic import MifareClassic
from firmware_sim.devices.pn532.ntag213 import Ntag213
from firmware_sim.devices.pn532.phone import PhoneSoftware
from protocol.errors import TillwayError
from protocol.framing import ndef, pn532
from terminal.adapters import pn532_chip, pn532_reader, serial_worker
from terminal.adapters.serial_worker import Dialogue
from terminal.ports import CardFacts
from tests.kit.virtual_port import Spoil, VirtualPort, flip, lose, noise

CODE = "134567890123456789"
UNIONPAY = CardFacts("A000000333010101", "UNIONPAY DEBIT", "620000******0005", "0005")
TIMEOUT_S, OVERTIME_MS = 5, 8_000
UID = bytes.fromhex("08010203")


class _Pause(threading.Event):
    """A pause passes in the port's time; nobody cancels."""

    def __init__(self, port: VirtualPort) -> None:
        super().__init__()
        self._port = port

    def wait(self, timeout: float | None = None) -> bool:
        until = self._port.now_ms + round((timeout or 0) * 1000)
        while self._port.now_ms < until:
            self._port._go_on(until)
        return False


def _tag(text: str = CODE) -> Ntag213:
    tag = Ntag213(bytes.fromhex("04112233445566"))
    tag.write_message(ndef.encode([ndef.text_record(text)]))
    return tag


def _bank_card(*names: str, is_blocked: bool = False) -> IsoDepCard:
    return IsoDepCard(UID, EmvSoftware([SCHEMES[name] for name in names], is_blocked=is_blocked))


def _phone(text: str = CODE) -> IsoDepCard:
    return IsoDepCard(UID, PhoneSoftware(ndef.encode([ndef.text_record(text)])))


class _Counter:
    """A reader on a line, its driver, and people with cards."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **cards: object) -> None:
        self.chip = Pn532(dict(cards))  # type: ignore[arg-type]
        self.chip.boot(0)
        self.port = VirtualPort(self.chip)
        self.port.rule(monkeypatch, pn532_chip, pn532_reader, serial_worker)
        self.dialogue = Dialogue(self.port, _Pause(self.port))
        self._is_greeted = False

    def present(self, name: str, at_ms: int = 0) -> None:
        """Hold a card to the reader at a time."""

        def deed(now_ms: int) -> Sequence[Output]:
            return self.chip.present(name, now_ms)

        self.port.at(at_ms, deed)

    def remove(self, name: str, at_ms: int) -> None:
        """Take it away."""

        def deed(_: int) -> Sequence[Output]:
            self.chip.remove(name)
            return []

        self.port.at(at_ms, deed)

    def scan(self, timeout_s: float = TIMEOUT_S) -> str:
        """As the driver does on the port's thread."""
        code: str = self._run(pn532_reader._code, "scan_timeout", timeout_s)
        return code

    def read_card(self, timeout_s: float = TIMEOUT_S) -> CardFacts:
        """As the driver does on the port's thread."""
        facts: CardFacts = self._run(pn532_reader._facts, "card_timeout", timeout_s)
        return facts

    def _run(self, read: Callable[..., Any], nothing: str, timeout_s: float) -> Any:
        if not self._is_greeted:
            pn532_reader._greet(self.dialogue)
            self._is_greeted = True
        return pn532_reader._until_read(timeout_s, read, nothing, self.dialogue)


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> _Counter:
    """People with one card of each kind."""
    return _Counter(
        monkeypatch,
        tag=_tag(), phone=_phone(), classic=MifareClassic(b"\xde\xad\xbe\xef"),
        bank=_bank_card("unionpay", "visa"), blank=Ntag213(bytes.fromhex("04FFFFFFFFFFFF")),
        visa=_bank_card("visa"), mastercard=_bank_card("mastercard"),
        blocked=_bank_card("visa", is_blocked=True), chinese=_tag("付款码"), long=_tag("1" * 120),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["tag", "phone"])
def test_a_code_is_read_from_a_tag_and_from_a_telephone(counter: _Counter, name: str) -> None:
    counter.present(name, at_ms=2_000)
    assert counter.scan() == CODE
    assert 2_000 <= counter.port.now_ms < 2_500
    assert not counter.chip.is_field_on


def test_a_long_text_is_read_page_by_page(counter: _Counter) -> None:
    counter.present("long")
    assert counter.scan() == "1" * 120


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("bank", UNIONPAY),
        ("visa", CardFacts("A0000000031010", "VISA CREDIT", "424242******4242", "4242")),
        ("mastercard", CardFacts("A0000000041010", "MASTERCARD", "555555******4444", "4444")),
    ],
)
def test_a_payment_card_is_told_masked(counter: _Counter, name: str, facts: CardFacts) -> None:
    counter.present(name)
    assert counter.read_card() == facts


def test_no_card_is_a_timeout_and_the_field_goes_off(counter: _Counter) -> None:
    with pytest.raises(TillwayError, match="scan_timeout"):
        counter.scan(1)
    with pytest.raises(TillwayError, match="card_timeout"):
        counter.read_card(1)
    assert 2_000 <= counter.port.now_ms < 2_600
    assert not counter.chip.is_field_on


@pytest.mark.parametrize("name", ["classic", "bank", "blank", "chinese"])
def test_a_card_without_a_code_is_unreadable_and_another_is_waited_for(
    counter: _Counter, name: str
) -> None:
    counter.present(name)
    with pytest.raises(TillwayError, match="card_unreadable"):
        counter.scan(1)
    counter.remove(name, at_ms=counter.port.now_ms + 500)
    counter.present("phone" if name != "bank" else "tag", at_ms=counter.port.now_ms + 800)
    assert counter.scan() == CODE


@pytest.mark.parametrize("name", ["tag", "phone", "blocked", "classic"])
def test_no_payment_card_or_a_closed_one_is_unreadable(counter: _Counter, name: str) -> None:
    counter.present(name)
    with pytest.raises(TillwayError, match="card_unreadable"):
        counter.read_card(1)


def test_a_card_held_too_briefly_is_read_when_it_comes_again(counter: _Counter) -> None:
    counter.port.byte_ms = 5  # so slow that the card is gone before it is read
    counter.present("tag", at_ms=1_500)
    counter.remove("tag", at_ms=1_800)
    counter.present("tag", at_ms=3_000)
    assert counter.scan() == CODE
    assert counter.port.now_ms > 3_000


def test_a_chip_that_restarts_is_woken_and_set_up_anew(counter: _Counter) -> None:
    counter.port.at(1_000, counter.chip.boot)
    counter.present("tag", at_ms=2_000)
    assert counter.scan() == CODE


def test_a_silent_reader_is_no_reply_within_two_seconds(counter: _Counter) -> None:
    counter.port.to_host = lambda _place, _value: ()
    with pytest.raises(TillwayError, match="device_no_reply"):
        counter.scan()
    assert counter.port.now_ms <= 2_100


def test_fifty_milliseconds_between_bytes_are_borne(counter: _Counter) -> None:
    counter.port.byte_ms = 50
    counter.present("tag")
    assert counter.scan() == CODE


def test_a_line_cut_in_the_middle_is_an_error_of_the_line(counter: _Counter) -> None:
    counter.present("bank")
    counter.port.byte_ms, counter.port.cut_at = 5, 900
    with pytest.raises(OSError, match="gone"):  # which the port's worker tells as disconnected
        counter.read_card()


SPOILT = [lose, noise, lambda at: flip(at, at % 8)]


@pytest.mark.parametrize("spoil", SPOILT, ids=["lost", "noise", "flipped"])
@pytest.mark.parametrize("way", ["to_device", "to_host"])
@pytest.mark.parametrize(("name", "wanted"), [("tag", CODE), ("bank", UNIONPAY)])
def test_whatever_byte_is_spoilt_the_answer_is_right_or_an_error(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    wanted: object,
    way: str,
    spoil: Callable[[int], Spoil],
) -> None:
    reached, right = 1, 0
    for at in range(600):
        if at > reached:
            break
        counter = _Counter(monkeypatch, tag=_tag(), bank=_bank_card("unionpay", "visa"))
        setattr(counter.port, way, spoil(at))
        counter.present(name)
        try:
            assert (counter.scan() if name == "tag" else counter.read_card()) == wanted
            right += 1
        except TillwayError as error:
            assert error.code in ("device_bad_frame", "device_no_reply", "card_unreadable")
        assert counter.port.now_ms <= TIMEOUT_S * 1000 + OVERTIME_MS
        reached = counter.port.written if way == "to_device" else counter.port.said
    assert right * 100 >= at * 97, "one spoilt byte is got over nearly always"


@pytest.mark.parametrize("way", ["to_device", "to_host"])
def test_a_line_that_spoils_every_frame_is_an_error_in_time(counter: _Counter, way: str) -> None:
    setattr(counter.port, way, lambda place, value: (value ^ 1,) if place % 7 == 5 else (value,))
    counter.present("tag")
    with pytest.raises(TillwayError, match=r"device_bad_frame|device_no_reply"):
        counter.scan()
    assert counter.port.now_ms < 9_000


def test_another_command_s_answer_is_never_taken(counter: _Counter) -> None:
    counter.present("tag")
    foreign = pn532.answer(pn532.Code.IN_DATA_EXCHANGE, b"\x00" + bytes(16))
    pn532_reader._greet(counter.dialogue)
    counter.port._heard += foreign
    assert counter.scan() == CODE
