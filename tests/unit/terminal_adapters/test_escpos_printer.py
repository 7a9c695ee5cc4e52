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
        elif data == escpos.CLEAR_AND_RECOVER:
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
