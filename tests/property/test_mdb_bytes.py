"""Goal: no bytes and no blocks crash the adapter or what hangs on its buses."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.devices.mdb.card_box import CardBox
from firmware_sim.devices.mdb.cashless import CashlessReader, EventKind, ReaderState
from firmware_sim.devices.mdb.changer import CoinChanger
from firmware_sim.devices.mdb.machine import Column, VendingMachine
from firmware_sim.devices.qibixx.adapter import QibixxAdapter
from firmware_sim.frames import Side
from firmware_sim.kinds.qibixx import LineDecoder
from protocol.errors import TillwayError
from protocol.framing import mdb, qibixx
from terminal.adapters.mdb_cashless import Machine
from terminal.adapters.serial_worker import AbandonedError, Dialogue
from terminal.ports import Selection
from tests.kit.babble import Babble

LINES = [
    b"V\n", b"C,1\n", b"C,0\n", b"C,SETCONF,mdb-always-idle=1\n", b"C,START,5\n", b"C,VEND,1.25\n",
    b"C,STOP\n", b"D,1\n", b"D,2\n", b"D,READER,1\n", b"D,REQ,1.25,1\n", b"D,END\n", b"D,END,-1\n",
    b"D,0\n", b"M,1\n", b"M,0\n", b"R,08\n", b"R,0B\n", b"R,0D,F0\n", b"R,13,00000a0001\n",
    b"X,1\n", b"x" * 300, b"\xff\n",
]  # fmt: skip
COMMANDS = [
    b"\x10", b"\x12", bytes.fromhex("110003100200"), bytes.fromhex("170400000020"), b"\x14\x01",
    b"\x14\x02", bytes.fromhex("1300007d0001"), b"\x13\x01", bytes.fromhex("13020001"), b"\x13\x03",
    b"\x13\x04", b"\x17\x00" + bytes(29), b"\x08", b"\x0b", b"\x09", b"\x0a", b"\x0d\x30",
    bytes.fromhex("0cffffffff"), b"\x0f\x05",
]  # fmt: skip
brisk = settings(max_examples=60)
blocks = st.one_of(
    st.sampled_from(COMMANDS).map(mdb.encode_command),
    st.sampled_from([mdb.MASTER_ACK, mdb.MASTER_NAK, mdb.MASTER_RET]),
    st.lists(st.integers(0, 0x1FF), max_size=40).map(tuple),
)


@brisk
@given(st.binary(min_size=1, max_size=35))
def test_blocks_come_out_as_they_went_in(data: bytes) -> None:
    assert mdb.parse_command(mdb.encode_command(data)) == data
    assert mdb.parse_answer(mdb.encode_answer(data)) == data


@brisk
@given(st.integers(0, 9_999_999), st.integers(0, 3))
def test_amounts_come_out_as_they_went_in(amount: int, decimals: int) -> None:
    assert qibixx.parse_amount(qibixx.format_amount(amount, decimals), decimals) == amount


@brisk
@given(
    stream=st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(LINES)), max_size=25),
    step_ms=st.integers(0, 400),
)
def test_the_adapter_takes_anything_and_gives_nothing_that_nobody_selected(
    stream: list[bytes], step_ms: int
) -> None:
    machine = VendingMachine({1: Column(125)})
    adapter = QibixxAdapter(machine, CardBox(), CoinChanger())
    decoder, now_ms = LineDecoder(), 0
    adapter.boot(0)
    for data in stream:
        until = now_ms + step_ms
        while (due := adapter.next_deadline_ms()) is not None and due <= until:
            now_ms = max(due, now_ms)
            for output in adapter.poll(now_ms):
                decoder.feed(Side.DEVICE, output.payload)
        now_ms = until
        for output in adapter.feed(data, now_ms):
            assert output.at_ms >= now_ms
            assert all(frame.is_valid for frame in decoder.feed(Side.DEVICE, output.payload))
        decoder.feed(Side.HOST, data)
        assert len(adapter._parser._buffer) <= 160
    assert machine.given == 0


@brisk
@given(st.lists(blocks, max_size=40))
def test_reader_and_changer_take_any_block_and_sell_only_what_was_approved(
    said: list[mdb.Block],
) -> None:
    reader, changer = CashlessReader(), CoinChanger()
    for block in said:
        for peripheral in (reader, changer):
            answer = peripheral.hear(block, 0)
            assert answer is None or len(answer) <= 36
        assert len(reader._sayings) <= 16
        assert len(changer._sayings) <= 16
    assert reader.state in ReaderState
    assert EventKind.SUCCEEDED not in [event.kind for event in reader.events]


@brisk
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.sampled_from(
                [
                    b"c,STATUS,VEND,3.00,1\r\n", b"c,STATUS,IDLE\r\n", b"c,STATUS,ENABLED\r\n",
                    b"c,VEND,SUCCESS\r\n", b"c,ERR,VEND 3\r\n", b"c,ERR,VEND 1\r\n",
                    b'c,ERR,"VEND -3"\r\n', b'c,ERR,"VEND -2"\r\n', b"ERR\r\n",
                ]
            ),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_the_driver_takes_anything_and_calls_given_only_what_the_machine_does(
    stream: list[bytes],
) -> None:
    port, machine = Babble(stream), Machine({1: "tea"}, "156")
    dialogue = Dialogue(port, port.is_silent)
    try:
        selection = machine.listen(dialogue)
        assert selection in (None, Selection("tea", 300))
        machine.give("tea", dialogue)
    except (TillwayError, AbandonedError):
        return
    assert b"c,VEND,SUCCESS" in b"".join(stream)
