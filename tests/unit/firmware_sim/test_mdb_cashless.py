"""Goal: the cashless reader keeps chapter 7 of MDB 4.2, and its owner learns what happened."""

from collections.abc import Callable

import pytest

from firmware_sim.devices.mdb.bus import Bus
from firmware_sim.devices.mdb.cashless import (
    CashlessReader,
    EventKind,
    ReaderProfile,
    ReaderState,
)
from protocol.errors import CallerError
from protocol.framing import mdb

OPTIONS_IDLE_ALWAYS = bytes.fromhex("170400000020")
REQUEST = bytes.fromhex("1300007d0005")  # 1.25 for item 5
SUCCESS, FAILURE, COMPLETE = bytes.fromhex("13020005"), b"\x13\x03", b"\x13\x04"
VMC_ID = b"\x17\x00" + bytes(29)


class _Bench:
    """A reader alone on a bus, asked by hand."""

    def __init__(self, profile: ReaderProfile | None = None) -> None:
        self.reader = CashlessReader(profile or ReaderProfile())
        self.bus = Bus([self.reader])

    def ask(self, command: bytes) -> bytes | None:
        """One command; the answer's data, ``b""`` for ACK."""
        return self.bus.ask(command, 0)

    def poll(self) -> bytes | None:
        """What the reader has to say."""
        return self.ask(b"\x12")

    def enable(self, options: bytes = OPTIONS_IDLE_ALWAYS) -> "_Bench":
        """As every machine does after power-up."""
        assert self.ask(b"\x10") == b""
        assert self.poll() == b"\x00"
        self.ask(bytes.fromhex("110003100200"))
        self.poll()
        self.ask(bytes.fromhex("110103e80064"))
        self.ask(VMC_ID)
        self.poll()
        self.ask(options)
        assert self.ask(b"\x14\x01") == b""
        assert self.reader.state is ReaderState.ENABLED
        self.reader.events.clear()
        return self

    def state(self) -> ReaderState:
        """The reader's, now."""
        return self.reader.state

    def kinds(self) -> list[EventKind]:
        """What the owner has got to know, but the states."""
        return [event.kind for event in self.reader.events if event.kind is not EventKind.STATE]


def test_the_configuration_is_the_one_of_the_standards_layout() -> None:
    bench = _Bench()
    bench.ask(b"\x10")
    bench.poll()
    assert bench.ask(bytes.fromhex("110003100200")) == b""
    assert bench.poll() == bytes.fromhex("0103115601021e00")
    assert bench.state() is ReaderState.DISABLED


def test_the_identity_has_thirty_bytes_and_the_options() -> None:
    bench = _Bench()
    bench.ask(b"\x10")
    bench.poll()
    bench.ask(VMC_ID)
    said = bench.poll()
    assert said is not None
    assert (len(said), said[0], said[-1]) == (34, 0x09, 0x20)
    level_two = _Bench(ReaderProfile(level=2))
    level_two.ask(b"\x10")
    level_two.poll()
    level_two.ask(VMC_ID)
    assert len(level_two.poll() or b"") == 30


def test_before_set_up_a_reader_keeps_silent_on_vends() -> None:
    bench = _Bench()
    bench.ask(b"\x10")
    assert bench.ask(REQUEST) is None


def test_a_session_begins_when_the_master_has_heard_of_it() -> None:
    bench = _Bench().enable(options=bytes.fromhex("170400000000"))
    bench.reader.begin_session(500)
    assert bench.state() is ReaderState.ENABLED
    assert bench.poll() == bytes.fromhex("0301f400000000000000")
    assert bench.state() is ReaderState.IDLE
    assert bench.ask(REQUEST) == b""
    assert bench.kinds() == [EventKind.REQUESTED]


def test_without_a_session_a_request_is_out_of_sequence_unless_always_idle() -> None:
    bench = _Bench().enable(options=bytes.fromhex("170400000000"))
    assert bench.ask(REQUEST) == b""
    assert bench.poll() == b"\x0b"
    assert _Bench().enable().ask(REQUEST) == b""


def test_a_vend_goes_from_request_to_success() -> None:
    bench = _Bench().enable()
    bench.ask(REQUEST)
    bench.reader.approve(125)
    assert bench.poll() == bytes.fromhex("05007d")
    assert bench.ask(SUCCESS) == b""
    assert bench.state() is ReaderState.IDLE
    bench.ask(COMPLETE)
    assert bench.poll() == b"\x07"
    assert bench.state() is ReaderState.ENABLED
    assert bench.kinds() == [EventKind.REQUESTED, EventKind.SUCCEEDED]


def test_a_denial_and_a_failure_leave_the_session_open() -> None:
    bench = _Bench().enable()
    bench.ask(REQUEST)
    bench.reader.deny()
    assert bench.poll() == b"\x06"
    assert bench.state() is ReaderState.IDLE
    bench.ask(REQUEST)
    bench.reader.approve(125)
    bench.poll()
    assert bench.ask(FAILURE) == b""
    assert bench.kinds()[-1] is EventKind.FAILED


def test_a_cancelled_request_is_denied_even_if_the_approval_was_on_its_way() -> None:
    bench = _Bench().enable()
    bench.ask(REQUEST)
    bench.reader.approve(125)
    assert bench.ask(b"\x13\x01") == b""
    assert bench.poll() == b"\x06"
    assert bench.poll() == b""
    assert bench.kinds() == [EventKind.REQUESTED, EventKind.CANCELLED]


def test_success_before_the_approval_is_out_of_sequence() -> None:
    bench = _Bench().enable()
    bench.ask(REQUEST)
    bench.ask(SUCCESS)
    assert bench.poll() == b"\x0b"
    assert EventKind.SUCCEEDED not in bench.kinds()


def test_a_reset_between_approved_and_success_counts_as_success() -> None:
    bench = _Bench().enable()
    bench.ask(REQUEST)
    bench.reader.approve(125)
    bench.poll()
    bench.ask(b"\x10")
    assert bench.kinds() == [EventKind.REQUESTED, EventKind.SUCCEEDED]


def test_a_reset_before_the_approval_was_heard_sells_nothing() -> None:
    bench = _Bench().enable()
    bench.ask(REQUEST)
    bench.reader.approve(125)
    bench.ask(b"\x10")
    assert bench.kinds() == [EventKind.REQUESTED, EventKind.RESET_IN_VEND]


def test_an_answer_that_was_not_acknowledged_is_said_again() -> None:
    bench = _Bench().enable()
    bench.ask(REQUEST)
    bench.reader.approve(125)
    poll = mdb.encode_command(b"\x12")
    said = bench.reader.hear(poll, 0)
    assert bench.reader.hear(mdb.MASTER_RET, 0) == said
    bench.reader.hear(mdb.MASTER_NAK, 0)
    assert bench.reader.hear(poll, 0) == said
    bench.reader.hear(mdb.MASTER_ACK, 0)
    assert bench.reader.hear(poll, 0) == mdb.ANSWER_ACK


def test_a_spoiled_answer_is_asked_for_again_and_a_spoiled_command_gets_silence() -> None:
    bench = _Bench().enable()
    bench.ask(REQUEST)
    bench.reader.approve(125)
    spoiled = iter([False, True])
    bench.bus.spoil = lambda block: (*block[:-1], block[-1] ^ next(spoiled, False))
    assert bench.poll() == bytes.fromhex("05007d")
    bench.bus.spoil = lambda block: (*block[:-1], block[-1] ^ 1)
    assert bench.poll() is None


def test_what_an_owner_may_not_do_now_is_the_callers_mistake() -> None:
    bench = _Bench()
    wishes: tuple[Callable[[], object], ...] = (
        lambda: bench.reader.begin_session(1),
        lambda: bench.reader.approve(1),
        bench.reader.deny,
        bench.reader.end_session,
    )
    for wish in wishes:
        with pytest.raises(CallerError, match="field_invalid"):
            wish()


def test_the_owner_ends_a_session() -> None:
    bench = _Bench().enable()
    bench.reader.begin_session(500)
    bench.poll()
    bench.reader.end_session()
    assert bench.poll() == b"\x04"
    bench.ask(COMPLETE)
    assert bench.poll() == b"\x07"
    assert bench.state() is ReaderState.ENABLED


def test_the_reader_is_disabled_and_cancelled() -> None:
    bench = _Bench().enable()
    assert bench.ask(b"\x14\x00") == b""
    assert bench.state() is ReaderState.DISABLED
    assert bench.ask(b"\x14\x02") == b"\x08"


def test_cash_sales_are_made_known() -> None:
    bench = _Bench().enable()
    assert bench.ask(bytes.fromhex("13050096000a")) == b""
    assert (bench.reader.events[-1].amount, bench.reader.events[-1].item) == (150, 10)
