"""An ESC/POS receipt printer on a serial port, or over TCP.

Rule 1: silence is never good news. What the printer did not say is ``device_no_reply``.
Rule 2: a status byte has no checksum, so each is asked for until two answers agree.
Rule 3: a receipt counts as printed when the printer answers the buffered query (GS r) that
follows it, for that answer comes only after all before it. Rule 2 holds for it, too, and an answer
that says "no paper" is no good news either.
Rule 4: a print that broke off may have left the printer in the middle of a command, where it takes
the next receipt for that command's data. The first thing said on the next connection ends that.
"""

import time
from collections.abc import Callable
from functools import partial

from protocol.errors import OperatingError
from protocol.framing import escpos
from protocol.framing.escpos import StatusPage
from terminal.adapters.limits import (
    PRINTER_ATTEMPTS_MAX,
    PRINTER_CHUNK_BYTES,
    PRINTER_PRINT_LIMIT_S,
    PRINTER_PRINT_S,
    PRINTER_PROBE_S,
    PRINTER_QUIET_S,
    PRINTER_RECEIPT_BYTES_MAX,
    PRINTER_REPLY_S,
    PRINTER_SILENCES_MAX,
    PRINTER_STATUS_LIMIT_S,
)
from terminal.adapters.port_names import is_tcp, opener_of
from terminal.adapters.serial_worker import AbandonedError, Dialogue, Flow, Port, SerialWorker
from terminal.ports import Paper, PrinterStatus

_BITS_PER_BYTE = 10
_MAY_BE_HELD = ("device_no_reply", "device_bad_frame")
_NO_AUTO_STATUS = escpos.GS + b"a\x00"


class EscPosSerialPrinter:
    """``ReceiptPrinter`` on the port of a name (``port_names.py``); raises
    ``CallerError("config_invalid")`` for a name that cannot be one."""

    def __init__(
        self,
        path: str,
        *,
        baud: int = 115_200,
        flow: Flow = "none",
        open_port: Callable[[], Port] | None = None,
    ) -> None:
        self._baud = baud
        self._may_hold = flow != "none" or is_tcp(path)
        self._is_begun = False  # touched by the port's thread only
        opener = open_port or opener_of(path, baud, flow)
        self._worker = SerialWorker("printer", opener, self._greet)

    @property
    def is_connected(self) -> bool:
        """Whether the port was open when last looked at."""
        return self._worker.is_connected

    async def print(self, receipt: bytes) -> None:
        """As ``ReceiptPrinter.print``."""
        if not 1 <= len(receipt) <= PRINTER_RECEIPT_BYTES_MAX:
            raise ValueError(f"a receipt has 1 to {PRINTER_RECEIPT_BYTES_MAX} bytes")
        job = partial(self._print, receipt)
        await self._worker.run(job, limit_s=PRINTER_PRINT_LIMIT_S)

    async def status(self) -> PrinterStatus:
        """As ``ReceiptPrinter.status``."""
        return await self._worker.run(_status, limit_s=PRINTER_STATUS_LIMIT_S)

    async def open_drawer(self) -> None:
        """As ``ReceiptPrinter.open_drawer``."""
        await self._worker.run(_open_drawer, limit_s=PRINTER_STATUS_LIMIT_S)

    async def aclose(self) -> None:
        """As ``ReceiptPrinter.aclose``."""
        await self._worker.aclose()

    def _greet(self, dialogue: Dialogue) -> None:
        if self._is_begun:
            dialogue.send(escpos.OUT_OF_ANY_COMMAND)
            dialogue.pause(len(escpos.OUT_OF_ANY_COMMAND) * _BITS_PER_BYTE / self._baud)
            self._is_begun = False
        dialogue.send(_NO_AUTO_STATUS)

    def _print(self, receipt: bytes, dialogue: Dialogue) -> None:
        _demand_ready(dialogue, is_to_recover=True)
        self._is_begun = True
        try:
            for start in range(0, len(receipt), PRINTER_CHUNK_BYTES):
                dialogue.send(receipt[start : start + PRINTER_CHUNK_BYTES])
            _await_printed(dialogue, may_hold=self._may_hold)
        except (OperatingError, AbandonedError) as error:
            # What is left in the buffer must not come out before, or beside, a second print. A
            # printer that fell silent may have lost a byte and wait for the rest of a command.
            is_lost = isinstance(error, OperatingError) and error.code == "device_no_reply"
            words = escpos.OUT_OF_ANY_COMMAND if is_lost else escpos.CLEAR_AND_RECOVER
            dialogue.send(words)
            self._is_begun = False
            raise
        self._is_begun = False


def _await_printed(dialogue: Dialogue, *, may_hold: bool) -> None:
    """Ask until it is printed. A printer that may hold us back hears no question while it does, so
    that its silence is no fault before the time is over."""
    deadline = time.monotonic() + PRINTER_PRINT_S
    last: int | None = None
    while time.monotonic() < deadline:
        dialogue.discard_input()
        dialogue.send(escpos.PAPER_QUERY_BUFFERED)
        answer = dialogue.receive(time.monotonic() + PRINTER_PROBE_S)
        if not answer:
            last = None
            _explain_silence(dialogue, may_hold=may_hold)
            continue
        answer += dialogue.receive(time.monotonic() + PRINTER_QUIET_S)
        is_sound = len(answer) == 1 and not answer[0] & escpos.BUFFERED_FIXED_MASK
        if is_sound and answer[0] == last:
            if last & escpos.BUFFERED_END:
                raise OperatingError("printer_paper_end")
            return
        last = answer[0] if is_sound else None
    raise OperatingError("device_no_reply", "printer: receipt not confirmed")


def _explain_silence(dialogue: Dialogue, *, may_hold: bool) -> None:
    """Paper may have ended: raise that. So is silence to this question, unless we are held back;
    then answers to it may come all at once later."""
    try:
        _demand_ready(dialogue)
    except OperatingError as error:
        if not (may_hold and error.code in _MAY_BE_HELD):
            raise


def _open_drawer(dialogue: Dialogue) -> None:
    _status_byte(dialogue, StatusPage.PRINTER)
    dialogue.send(escpos.DRAWER_KICK)


def _demand_ready(dialogue: Dialogue, *, is_to_recover: bool = False) -> None:
    """Raise what keeps the printer from printing. Before a receipt, a printer that waits to be told
    so, since its blade was jammed, is told to go on."""
    printer = _status_byte(dialogue, StatusPage.PRINTER)
    if is_to_recover and printer & escpos.PRINTER_WAITING:
        dialogue.send(escpos.CLEAR_AND_RECOVER)
        printer = _status_byte(dialogue, StatusPage.PRINTER)
    if not printer & escpos.PRINTER_OFFLINE:
        return
    offline = _status_byte(dialogue, StatusPage.OFFLINE)
    if offline & escpos.OFFLINE_COVER:
        raise OperatingError("printer_cover_open")
    if offline & escpos.OFFLINE_PAPER_END:
        raise OperatingError("printer_paper_end")
    raise OperatingError("printer_error", _fault(_status_byte(dialogue, StatusPage.ERROR)))


def _fault(error: int) -> str:
    """What the printer reports as wrong, for the error's detail."""
    bits = {
        escpos.ERROR_CUTTER: "cutter", escpos.ERROR_FATAL: "broken", escpos.ERROR_AUTO: "hot head",
    }  # fmt: skip
    return ", ".join(name for bit, name in bits.items() if error & bit) or f"error {error:#04x}"


def _status(dialogue: Dialogue) -> PrinterStatus:
    printer = _status_byte(dialogue, StatusPage.PRINTER)
    offline = _status_byte(dialogue, StatusPage.OFFLINE)
    paper = _status_byte(dialogue, StatusPage.PAPER)
    return PrinterStatus(
        is_online=not printer & escpos.PRINTER_OFFLINE,
        paper=_paper(paper),
        is_cover_open=bool(offline & escpos.OFFLINE_COVER),
        is_drawer_open=bool(printer & escpos.PRINTER_DRAWER),
    )


def _paper(status: int) -> Paper:
    if status & escpos.PAPER_END:
        return "end"
    return "near_end" if status & escpos.PAPER_NEAR_END else "adequate"


def _status_byte(dialogue: Dialogue, page: StatusPage) -> int:
    """Ask until two answers in a row agree."""
    last: int | None = None
    silent = 0
    for attempt in range(1, PRINTER_ATTEMPTS_MAX + 1):
        dialogue.discard_input()
        dialogue.send(escpos.status_query(page))
        answer = dialogue.receive(time.monotonic() + PRINTER_REPLY_S)
        if not answer:
            silent += 1
            if silent == attempt == PRINTER_SILENCES_MAX:
                break
            continue
        answer += dialogue.receive(time.monotonic() + PRINTER_QUIET_S)
        is_sound = len(answer) == 1 and escpos.is_status(answer[0])
        if is_sound and answer[0] == last:
            return answer[0]
        last = answer[0] if is_sound else None
    code = "device_no_reply" if silent == attempt else "device_bad_frame"
    raise OperatingError(code, f"printer: {page.name}")
