"""One question to one peripheral on a port: is it there, and does our driver get on with it?

A probe opens the driver, asks, closes it, and gives plain values that hold no secret. It is what
``tillway terminal probe`` runs, and what stands for our drivers wherever drivers are compared.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Literal

from protocol.errors import CallerError
from protocol.framing import escpos
from terminal.adapters.customer_display import SerialCustomerDisplay
from terminal.adapters.ef01_fingerprint import Ef01FingerprintSensor
from terminal.adapters.escpos_printer import EscPosSerialPrinter
from terminal.adapters.gm65_scanner import Gm65Scanner
from terminal.adapters.mdb_cashless import MdbCashless
from terminal.adapters.pn532_reader import Pn532Reader
from terminal.adapters.secure_element import SerialSecureElement
from terminal.adapters.smp_board import SmpSerialBoard
from terminal.adapters.ssi_scanner import SsiScanner
from terminal.adapters.telium_pinpad import TeliumPinPad
from terminal.ports import CodeScanner, CustomerView

Found = dict[str, object]
Probe = Callable[[str, float], Awaitable[Found]]
"""``probe(port, limit_s)``; raises a ``TillwayError`` with a peripheral's code."""

_PAY_CODE_DIGITS_MIN = 12  # with room for what a wallet may come to use
_VIEW = CustomerView("Tillway", "display test", digits="12345.67", lamp="total")
_PAPER = escpos.INIT + escpos.line("Tillway 打印测试") + escpos.feed(3) + escpos.CUT_PARTIAL


async def _scan(port: str, limit_s: float) -> Found:
    return await _scanned(Gm65Scanner(port), limit_s)


async def _scan_ssi(port: str, limit_s: float) -> Found:
    return await _scanned(SsiScanner(port), limit_s)


async def _tap(port: str, limit_s: float) -> Found:
    return await _scanned(Pn532Reader(port), limit_s)


async def _read_card(port: str, limit_s: float) -> Found:
    reader = Pn532Reader(port)
    try:
        return asdict(await reader.read_card(limit_s))
    finally:
        await reader.aclose()


async def _scanned(scanner: CodeScanner, limit_s: float) -> Found:
    try:
        code = await scanner.scan(limit_s)
        return {"code": _shown(code)}
    finally:
        await scanner.aclose()


def _shown(code: str) -> str:
    """A code as it may be shown: every wallet's pay codes are numbers, of 16 digits or more."""
    may_pay = code.isdigit() and len(code) >= _PAY_CODE_DIGITS_MIN
    return f"{code[:2]}****…{code[-4:]}" if may_pay else code


async def _print(port: str, limit_s: float) -> Found:
    del limit_s  # the printer's own limits are shorter
    printer = EscPosSerialPrinter(port)
    try:
        status = await printer.status()
        await printer.print(_PAPER)
        return {**asdict(status), "printed": True}
    finally:
        await printer.aclose()


async def _identify(port: str, limit_s: float) -> Found:
    sensor = Ef01FingerprintSensor(port)
    try:
        match = await sensor.identify(limit_s)
        return {"is_known": match is not None, "slot": match.slot if match else None}
    finally:
        await sensor.aclose()


async def _check_pinpad(port: str, limit_s: float) -> Found:
    del limit_s  # the pin pad's own limits are shorter
    pinpad = TeliumPinPad(port)
    try:
        await pinpad.check()
        return {"is_ready": True}
    finally:
        await pinpad.aclose()


def _showing(kind: Literal["epson_vfd", "cd5220", "led8"]) -> Probe:
    async def show(port: str, limit_s: float) -> Found:
        del limit_s  # there is nothing to wait for: a display never answers
        display = SerialCustomerDisplay(port, kind)
        try:
            await display.show(_VIEW)
        finally:
            await display.aclose()
        return {"written": True, **asdict(_VIEW)}

    return show


async def _list_firmware(port: str, limit_s: float) -> Found:
    del limit_s  # the board's own limits hold
    board = SmpSerialBoard(port)
    try:
        images = await board.images()
        return {"images": [{**asdict(image), "digest": image.digest.hex()} for image in images]}
    finally:
        await board.aclose()


async def _ask_element(port: str, limit_s: float) -> Found:
    del limit_s  # the element's own limits hold
    element = SerialSecureElement(port)
    try:
        return asdict(await element.status())
    finally:
        await element.aclose()


async def _check_machine(port: str, limit_s: float) -> Found:
    del limit_s  # the adapter's own limits are shorter
    machine = MdbCashless(port, {})
    try:
        return dict(await machine.check())
    finally:
        await machine.aclose()


PROBES: dict[str, Probe] = {
    "gm65": _scan,
    "ssi": _scan_ssi,
    "pn532": _read_card,
    "pn532_code": _tap,
    "escpos": _print,
    "ef01": _identify,
    "secure_element": _ask_element,
    "smp_board": _list_firmware,
    "telium": _check_pinpad,
    "epson_vfd": _showing("epson_vfd"),
    "cd5220": _showing("cd5220"),
    "led8": _showing("led8"),
    "qibixx": _check_machine,
}


def probe_named(kind: str) -> Probe:
    """The probe of a kind of peripheral; raises ``CallerError`` that names those there are."""
    if kind not in PROBES:
        there = ", ".join(sorted(PROBES))
        raise CallerError("field_invalid", f"there is no driver for {kind!r}; there are: {there}")
    return PROBES[kind]
