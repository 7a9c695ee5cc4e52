"""When a receipt counts as printed, on a port that answers as the test says."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from protocol.errors import OperatingError
from protocol.framing import escpos
from terminal.adapters import escpos_printer
from terminal.adapters.escpos_printer import EscPosSerialPrinter
from tests.kit.drivers import Opened

ON_LINE = b"\x12"
ADEQUATE = b"\x00"
PAPER_END = b"\x0c"


class Port:
    """A printer that is on line and answers GS r with these, one after another."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.is_cleared = False
        self._said = b""

    @property
    def in_waiting(self) -> int:
        """What can be read."""
        return len(self._said)

    def read(self, size: int, /) -> bytes:
        """At once."""
        out, self._said = self._said[:size], self._said[size:]
        return out

    def write(self, data: bytes, /) -> int:
        """Answer."""
        if data[:2] == escpos.status_query(escpos.StatusPage.PRINTER)[:2]:
            self._said = ON_LINE
        elif data == escpos.PAPER_QUERY_BUFFERED and self.answers:
            self._said = self.answers.pop(0)
        elif escpos.CLEAR_AND_RECOVER in data:
            self.is_cleared = True
        return len(data)

    def reset_input_buffer(self) -> None:
        """Forget."""
        self._said = b""

    def close(self) -> None:
        """Nothing to close."""


Plug = Callable[[list[bytes]], tuple[Port, EscPosSerialPrinter]]


@pytest_asyncio.fixture
async def plug(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Plug]:
    """A printer with these answers, and a driver that does not wait long."""
    monkeypatch.setattr(escpos_printer, "PRINTER_PRINT_S", 0.4)
    monkeypatch.setattr(escpos_printer, "PRINTER_PROBE_S", 0.05)
    monkeypatch.setattr(escpos_printer, "PRINTER_QUIET_S", 0.0)
    async with Opened() as opened:

        def plug(answers: list[bytes]) -> tuple[Port, EscPosSerialPrinter]:
            port = Port(answers)
            return port, opened(EscPosSerialPrinter("x", open_port=lambda: port))

        yield plug


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "answers",
    [
        [ADEQUATE, ADEQUATE],
        [b"", b"", ADEQUATE, ADEQUATE],
        [b"\x00\xff", ADEQUATE, ADEQUATE],
        [b"\x04", ADEQUATE, ADEQUATE],
        [b"\x03", b"\x03"],
    ],
    ids=["at once", "late", "behind noise", "a flipped bit", "paper near its end"],
)
async def test_two_answers_that_agree_say_that_the_receipt_is_printed(
    plug: Plug, answers: list[bytes]
) -> None:
    port, printer = plug(answers)
    await printer.print(b"receipt")
    assert not port.answers
    assert not port.is_cleared


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "answers",
    [[], [ADEQUATE], [ADEQUATE, b"", ADEQUATE], [b"\x00\x00"] * 99, [b"\x10"] * 99],
    ids=["silence", "one byte of noise", "two far apart", "two at once", "a fixed bit is wrong"],
)
async def test_what_two_single_answers_do_not_say_is_not_printed(
    plug: Plug, answers: list[bytes]
) -> None:
    port, printer = plug(answers)
    with pytest.raises(OperatingError, match="device_no_reply"):
        await printer.print(b"receipt")
    assert port.is_cleared


@pytest.mark.asyncio
async def test_an_answer_that_says_no_paper_is_no_proof_of_a_receipt(plug: Plug) -> None:
    port, printer = plug([PAPER_END, PAPER_END])
    with pytest.raises(OperatingError, match="printer_paper_end"):
        await printer.print(b"receipt")
    assert port.is_cleared


class BreakingPort(Port):
    """A port that is gone after so many bytes."""

    def __init__(self, bytes_left: int) -> None:
        super().__init__([ADEQUATE, ADEQUATE])
        self.bytes_left = bytes_left
        self.heard = b""

    def write(self, data: bytes, /) -> int:
        """Write, until it breaks."""
        self.heard += data[: self.bytes_left]
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            raise OSError(5, "gone")
        return super().write(data)


@pytest.mark.asyncio
async def test_after_a_print_that_broke_off_the_printer_is_led_out_of_its_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(escpos_printer, "PRINTER_QUIET_S", 0.0)
    ports = [BreakingPort(500), BreakingPort(100_000), BreakingPort(100_000)]
    opened_ports = iter(ports)
    async with Opened() as opened:
        driver = opened(EscPosSerialPrinter("x", open_port=lambda: next(opened_ports)))
        with pytest.raises(OperatingError, match="device_disconnected"):
            await driver.print(b"r" * 2000)
        await driver.print(b"second")
    assert escpos.OUT_OF_ANY_COMMAND not in ports[0].heard
    assert ports[1].heard.startswith(escpos.OUT_OF_ANY_COMMAND)
    assert ports[1].heard.count(escpos.OUT_OF_ANY_COMMAND) == 1


class StoppedPort(Port):
    """A printer whose blade was jammed: it waits until it is told to go on."""

    def __init__(self, *, is_still_jammed: bool) -> None:
        super().__init__([ADEQUATE, ADEQUATE])
        self._is_still_jammed = is_still_jammed

    def write(self, data: bytes, /) -> int:
        """Answer."""
        super().write(data)
        is_stopped = not self.is_cleared or self._is_still_jammed
        if is_stopped and data[:2] == b"\x10\x04":
            self._said = {1: b"\x3a", 2: b"\x52", 3: b"\x1a"}.get(data[2], ON_LINE)
        return len(data)


@pytest.mark.asyncio
async def test_a_printer_whose_blade_was_freed_is_told_to_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(escpos_printer, "PRINTER_QUIET_S", 0.0)
    async with Opened() as opened:
        freed = opened(
            EscPosSerialPrinter("x", open_port=lambda: StoppedPort(is_still_jammed=False))
        )
        await freed.print(b"receipt")
        stuck = opened(
            EscPosSerialPrinter("x", open_port=lambda: StoppedPort(is_still_jammed=True))
        )
        with pytest.raises(OperatingError, match="printer_error") as error:
            await stuck.print(b"receipt")
        assert error.value.detail == "cutter"
