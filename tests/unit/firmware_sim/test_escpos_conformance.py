"""Goal: each check of a printer holds on the simulated one and can be failed.

Method: the checks talk to the device itself, in made time; a tamperer stands on the wire.
"""

from collections.abc import Callable

import pytest
from pydantic import JsonValue

from firmware_sim.conformance.check import Check, CheckFailedError
from firmware_sim.conformance.escpos import CHECKS
from firmware_sim.devices.device import Output
from firmware_sim.devices.escpos import EscPosPrinter
from firmware_sim.kinds.escpos import KIND

Tamper = Callable[[bytes], bytes]


class Bench:
    """The wire and the person beside a simulated printer."""

    def __init__(self, tamper: Tamper = lambda data: data, *, is_dead: bool = False) -> None:
        self.printer = EscPosPrinter()
        self._tamper = tamper
        self._is_dead = is_dead
        self._said = b""
        self._now_ms = 0

    def _keep(self, outputs: list[Output]) -> None:
        self._said += b"".join(self._tamper(output.payload) for output in outputs)

    def send(self, data: bytes) -> None:
        """As ``Wire.send``."""
        self._keep(self.printer.feed(data, self._now_ms))
        self._said += self._tamper(b"")

    def receive(self, count: int, timeout_s: float) -> bytes:
        """As ``Wire.receive``."""
        self.pause(timeout_s)
        said, self._said = self._said[:count], self._said[count:]
        return said

    def drain(self, quiet_s: float) -> bytes:
        """As ``Wire.drain``."""
        self.pause(quiet_s)
        said, self._said = self._said, b""
        return said

    def set_baud(self, rate: int) -> None:
        """No rate here."""

    def now_s(self) -> float:
        """As ``Wire.now_s``."""
        return self._now_ms / 1000

    def pause(self, seconds: float) -> None:
        """As ``Wire.pause``."""
        self._now_ms += round(seconds * 1000)
        self._keep(self.printer.poll(self._now_ms))

    def do(self, act: str, /, **words: JsonValue) -> None:
        """As ``Person.do``; nothing moves where all is stuck."""
        deed = KIND.act(act)
        assert deed is not None
        if not self._is_dead:
            body = deed.body.model_validate(words)
            self._keep(list(deed.run(self.printer, body, self._now_ms) or ()))

    def sees(self, act: str, /, **words: JsonValue) -> bool:
        raise NotImplementedError


def _fails(check: Check, bench: Bench) -> bool:
    try:
        check.run(bench, bench)
    except CheckFailedError:
        return True
    return False


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_simulated_printer_holds_and_is_left_as_it_was(check: Check) -> None:
    bench = Bench()
    assert not _fails(check, bench)
    assert bench.printer.is_online
    assert not bench.printer.is_drawer_open
    assert bench.printer.set_cover(10**9, is_open=True) == []  # no status unasked


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_check_is_failed_by_some_broken_printer(check: Check) -> None:
    broken = [
        Bench(lambda _: b""),
        Bench(lambda data: bytes(value ^ 0x81 for value in data)),
        Bench(lambda data: data or b"\x12"),
        Bench(is_dead=True),
    ]
    assert any(_fails(check, bench) for bench in broken)


def test_a_printer_that_is_off_line_is_not_ready_and_prints_nothing() -> None:
    bench = Bench()
    bench.printer.load_paper(0, 0)
    failed = {check.id for check in CHECKS if _fails(check, bench)}
    assert {"escpos.ready", "escpos.buffered", "escpos.cut", "escpos.qr"} <= failed
    assert "escpos.status_paper" not in failed


def test_a_drawer_that_is_not_wired_fails_its_check_alone() -> None:
    bench = Bench()
    bench.printer.mechanism.drawer.pins = ()
    assert [check.id for check in CHECKS if _fails(check, bench)] == ["escpos.drawer"]


def test_a_jammed_cutter_fails_the_cut() -> None:
    bench = Bench()
    bench.printer.mechanism.jam_blade(is_jammed=True)
    assert _fails(next(check for check in CHECKS if check.id == "escpos.cut"), bench)
