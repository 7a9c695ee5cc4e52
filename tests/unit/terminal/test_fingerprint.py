"""The terminal says what it is made of: once per line, when it changes, and now and then."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from protocol import envelope
from protocol.envelope import Envelope
from protocol.errors import CallerError
from protocol.messages import DeviceFingerprint
from terminal.adapters.memory_link import MemoryLink
from terminal.adapters.system import SystemClock, SystemEntropy
from terminal.agent import Agent
from terminal.effects import ReadItself
from terminal.inputs import ItselfRead, LinkDown, LinkUp, StartSale, Undelivered
from terminal.journal.store import Journal
from terminal.limits import FINGERPRINT_LOOK_GAP_MS, FINGERPRINT_SEND_GAP_MS
from terminal.ports import Value
from terminal.shell import Shell, ShellPorts
from terminal.slip import receipt_bytes
from tests.kit.patience import PATIENCE_S
from tests.support.tills import FakeBackend
from tests.unit.terminal.fakes import DEVICE_KEY, TID, Bench, opened, profile, sign, trust

FINGERPRINT = "device.fingerprint"
SALE = StartSale(amount_minor=100, currency="CNY", method="merchant_qr")


def reading(noise: int = 0, **changed: Value) -> ItselfRead:
    """A reading of one device, measured once more."""
    attrs: dict[str, Value] = {
        "cpu_serial": "10000000c0ffee", "modules": ["a", "b"], "tpm_ek_hash": None,
        "clock_skew_ppb": 1_200 + noise, "compute_ns": [9_000_000 + noise, 40_000],
    }  # fmt: skip
    return ItselfRead(attrs | changed)


def asked(bench: Bench) -> int:
    return sum(isinstance(effect, ReadItself) for effect in bench.others)


def test_a_line_that_comes_up_is_told_what_the_terminal_is_made_of() -> None:
    bench = Bench(has_reader=True)
    assert asked(bench) == 1
    bench.feed(reading())
    sent = opened(bench.sent_of(FINGERPRINT)[0])
    body = DeviceFingerprint.from_map(sent.body)
    assert body.attrs == reading().attrs
    assert sent.fingerprint == body.digest  # each envelope carries it from this one on


def test_every_request_carries_the_digest_of_what_was_said() -> None:
    bench = Bench(has_reader=True)
    bench.feed(SALE)
    before = opened(bench.sent_of("payment.create")[0])
    assert before.fingerprint == b""
    bench = Bench(has_reader=True)
    bench.feed(reading())
    bench.feed(SALE)
    said = DeviceFingerprint.from_map(opened(bench.sent_of(FINGERPRINT)[0]).body)
    assert opened(bench.sent_of("payment.create")[0]).fingerprint == said.digest


def test_noise_alone_is_not_worth_a_message_but_a_change_is() -> None:
    bench = Bench(has_reader=True)
    bench.feed(reading())
    bench.wait(FINGERPRINT_LOOK_GAP_MS)
    assert asked(bench) == 2
    bench.feed(reading(7))
    assert len(bench.sent_of(FINGERPRINT)) == 1
    bench.feed(reading(9, modules=["a", "b", "hide"]))
    assert len(bench.sent_of(FINGERPRINT)) == 2


def test_after_long_a_new_reading_is_sent_though_nothing_has_changed() -> None:
    bench = Bench(has_reader=True)
    bench.feed(reading())
    bench.wait(FINGERPRINT_SEND_GAP_MS)
    bench.feed(reading(3))
    assert len(bench.sent_of(FINGERPRINT)) == 2


def test_a_reading_is_never_sent_twice_nor_kept_after_the_next() -> None:
    bench = Bench(has_reader=True)
    bench.feed(reading())
    first = bench.sent_of(FINGERPRINT)[0]
    bench.feed(Undelivered(first.request_id))
    bench.wait(10 * 60_000)
    assert len(bench.sent_of(FINGERPRINT)) == 1
    bench.feed(LinkDown())
    bench.feed(reading(5))  # taken while nobody can be told
    assert len(bench.sent_of(FINGERPRINT)) == 1
    bench.feed(LinkUp())
    bench.feed(reading(6, cpu_serial="other"))
    assert len(bench.sent_of(FINGERPRINT)) == 2
    kept = bench.journal.request(first.request_id)
    assert kept is not None
    assert kept.body is None


def test_an_answer_settles_it_and_a_refusal_does_no_harm() -> None:
    bench = Bench(has_reader=True)
    bench.feed(reading())
    parcel = bench.sent_of(FINGERPRINT)[0]
    bench.answer(sign("pong", {"now_ms": 1}, request_id=parcel.request_id))
    row = bench.journal.request(parcel.request_id)
    assert row is not None
    assert row.state == "answered"
    assert not bench.agent.refused_answers


def test_a_terminal_without_a_reader_says_nothing() -> None:
    bench = Bench()
    assert asked(bench) == 0
    bench.feed(reading())
    assert bench.sent_of(FINGERPRINT) == []


def sample(**changed: Any) -> Envelope:
    fields: dict[str, Any] = {
        "message_type": "device.hello", "request_id": "req_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "device": "pos-1", "store": "store-1", "boot_epoch": 1, "counter": 1, "sent_at_ms": 1,
        "nonce": bytes(12), "reply_to": "x", "body": {}, "trace_id": "t",
    }  # fmt: skip
    return Envelope(**(fields | changed))


def test_the_envelope_is_as_it_was_where_no_fingerprint_is_known() -> None:
    bare = envelope.encode_payload(sample())
    assert envelope.decode_payload(bare).fingerprint == b""
    whole = envelope.encode_payload(sample(fingerprint=bytes(range(16))))
    assert envelope.decode_payload(whole).fingerprint == bytes(range(16))
    assert envelope.decode_payload(whole).extra == {}
    assert len(whole) == len(bare) + 18
    with pytest.raises(CallerError, match="envelope_malformed"):
        envelope.decode_payload(envelope.encode_payload(sample(fingerprint=b"short")))


class SlowReader:
    """A system whose files answer when the test lets them."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        self.reads = 0

    def read(self) -> dict[str, Value]:
        self.reads += 1
        self.has_begun.set()
        self.may_end.wait(PATIENCE_S)
        return {"cpu_serial": "1", "clock_skew_ppb": self.reads}


class HearingBackend(FakeBackend):
    """Tells when it has heard what a terminal is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.has_heard = asyncio.Event()

    def __call__(self, data: bytes) -> list[bytes]:
        answers = super().__call__(data)
        if self.seen[-1] == FINGERPRINT:
            self.has_heard.set()
        return answers


@pytest.mark.asyncio
async def test_a_slow_reading_holds_nobody_up_and_is_taken_once(tmp_path: Path) -> None:
    clock, reader = SystemClock(), SlowReader()
    journal = Journal(tmp_path / "journal.db", tid=TID, now_ms=clock.now_ms())
    agent = Agent(
        profile=profile(), key=DEVICE_KEY, trust=trust(), journal=journal, clock=clock,
        entropy=SystemEntropy(), has_reader=True,
    )  # fmt: skip
    backend = HearingBackend()
    shell = Shell(
        ShellPorts(
            agent=agent, link=MemoryLink(backend), clock=clock, render=receipt_bytes,
            reader=reader,
        )
    )  # fmt: skip
    task = asyncio.create_task(shell.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.to_thread(reader.has_begun.wait, PATIENCE_S)
            screen = await shell.command(SALE)
            assert screen.kind  # the loop goes on while the file does not answer
            reader.may_end.set()
            await backend.has_heard.wait()
    finally:
        reader.may_end.set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        journal.close()
    assert reader.reads == 1
