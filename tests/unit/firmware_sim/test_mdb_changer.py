"""Goal: the coin changer keeps chapter 5 of MDB 4.2."""

import pytest

from firmware_sim.devices.mdb.bus import Bus
from firmware_sim.devices.mdb.changer import PAYOUT_MS_PER_COIN, ChangerProfile, CoinChanger
from protocol.errors import CallerError

ACCEPT_ALL = bytes.fromhex("0cffffffff")


class _Bench:
    """A changer alone on a bus, reset and set to accept all coins."""

    def __init__(self, tubes: tuple[int | None, ...] = (20, 79, None)) -> None:
        self.changer = CoinChanger(ChangerProfile(tubes=tubes))
        self.bus = Bus([self.changer])
        self.now_ms = 0
        assert self.ask(b"\x08") == b""
        assert self.poll() == b"\x0b"
        assert self.ask(ACCEPT_ALL) == b""

    def ask(self, command: bytes) -> bytes | None:
        """One command; the answer's data, ``b""`` for ACK."""
        return self.bus.ask(command, self.now_ms)

    def poll(self) -> bytes | None:
        """What happened since."""
        return self.ask(b"\x0b")


@pytest.fixture
def bench() -> _Bench:
    """A bench."""
    return _Bench()


def test_set_up_is_twenty_three_bytes(bench: _Bench) -> None:
    assert bench.ask(b"\x09") == bytes.fromhex("03 1156 0a 02 0003 01050a") + bytes(13)


def test_coins_go_into_tubes_then_the_box(bench: _Bench) -> None:
    assert bench.changer.insert(1) == "tube"
    assert bench.poll() == b"\x51\x50"
    assert bench.changer.insert(1) == "box"
    assert bench.changer.insert(2) == "box"
    assert bench.poll() == b"\x41\x50\x42\x00"
    assert bench.poll() == b""
    assert bench.ask(b"\x0a") == bytes.fromhex("0002 1450") + bytes(14)


def test_a_coin_that_is_not_accepted_falls_through(bench: _Bench) -> None:
    bench.ask(bytes.fromhex("0c0001ffff"))
    assert bench.changer.insert(1) == "return"
    assert bench.poll() == b"\x71\x4f"
    bench.ask(bytes.fromhex("0c0000ffff"))
    assert bench.changer.insert(1) == "return"
    assert bench.poll() == b""


def test_a_payout_takes_its_time_and_only_what_is_there_falls(bench: _Bench) -> None:
    assert bench.ask(b"\x0d\x30") == b""
    assert bench.poll() == b"\x02"
    bench.now_ms = 3 * PAYOUT_MS_PER_COIN
    assert bench.poll() == b""
    assert (bench.changer.tubes[0], bench.changer.paid_out[0]) == (17, 3)
    bench.ask(b"\x0d\x32")
    assert bench.changer.paid_out[2] == 0
    few = _Bench(tubes=(2, None, None))
    few.ask(b"\x0d\xf0")
    assert (few.changer.tubes[0], few.changer.paid_out[0]) == (0, 2)


def test_lever_and_manual_keys_are_reported(bench: _Bench) -> None:
    bench.changer.pull_lever()
    bench.changer.take_by_hand(0)
    assert bench.poll() == b"\x01\x90\x13"
    bench.ask(bytes.fromhex("0cffff0000"))
    with pytest.raises(CallerError, match="field_invalid"):
        bench.changer.take_by_hand(0)
    with pytest.raises(CallerError, match="no coin type 3"):
        bench.changer.insert(3)


def test_a_poll_says_at_most_sixteen_bytes_and_nothing_is_lost(bench: _Bench) -> None:
    bench.changer.pull_lever()
    for _ in range(9):
        bench.changer.insert(0)
    first, second = bench.poll(), bench.poll()
    assert first is not None
    assert second is not None
    assert (len(first), len(second)) == (15, 4)
    assert second[-2:] == b"\x50\x1d"


def test_a_report_that_was_not_acknowledged_is_said_again(bench: _Bench) -> None:
    bench.changer.insert(0)
    spoiled = iter([False, True, False, False, True])
    bench.bus.spoil = lambda block: (*block[:-1], block[-1] ^ next(spoiled, False))
    assert bench.poll() == b"\x50\x15"


def test_identity_features_and_diagnosis(bench: _Bench) -> None:
    assert len(bench.ask(b"\x0f\x00") or b"") == 33
    assert bench.ask(bytes.fromhex("0f0100000000")) == b""
    assert bench.ask(b"\x0f\x05") == b"\x03\x00"
    assert bench.ask(b"\x0f\x77") is None


def test_power_keeps_the_coins_and_forgets_what_is_accepted(bench: _Bench) -> None:
    bench.changer.insert(0)
    bench.changer.power_up()
    assert bench.poll() == b"\x0b"
    assert bench.changer.insert(0) == "return"
    assert bench.changer.tubes[0] == 21
