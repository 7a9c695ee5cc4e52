"""The ESC/POS receipt printer and its drawer on a board."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from firmware_sim.devices.device import Output
from firmware_sim.devices.escpos import EscPosPrinter, PrinterProfile
from firmware_sim.devices.escpos.mechanism import Mechanism
from firmware_sim.kinds.escpos_frames import EscPosDecoder
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Hand, Keeper, Kind, NoBody, State
from firmware_sim.limits import (
    FEED_BUTTON_MS_MAX,
    HEAD_HOT_MS_MAX,
    PRINTER_BUFFER_BYTES_MAX,
    PRINTER_BUFFER_BYTES_MIN,
    PRINTER_SPEED_MM_S_MAX,
    RECEIPTS_SHOWN_MAX,
    ROLL_MM_MAX,
)
from firmware_sim.receipt_store import ReceiptStore
from firmware_sim.rendering.modules import draw_modules
from firmware_sim.rendering.receipt_png import draw_receipt

_DOTS_WIDE = {58: 384, 80: 576}


class PrinterEntry(DeviceEntry):
    """A receipt printer with a drawer. ``speed_mm_s`` 0 prints at once. On a network the host is
    held while the buffer is full, whatever ``flow`` says."""

    kind: Literal["escpos"]
    profile: Literal["gb18030", "western"] = "gb18030"
    baud: Literal[9600, 19200, 38400, 57600, 115200] = 115200
    width_mm: Literal[58, 80] = 80
    roll_mm: Annotated[int, Field(ge=0, le=ROLL_MM_MAX)] = 30_000
    realtime_inside_data: bool = False
    speed_mm_s: Annotated[int, Field(ge=0, le=PRINTER_SPEED_MM_S_MAX)] = 0
    buffer_bytes: Annotated[
        int, Field(ge=PRINTER_BUFFER_BYTES_MIN, le=PRINTER_BUFFER_BYTES_MAX)
    ] = PRINTER_BUFFER_BYTES_MAX
    flow: Literal["none", "dtr", "xonxoff"] = "none"
    busy_off_line: bool = False
    drawer_pins: tuple[Literal[2, 5], ...] = (2, 5)
    drawer_open_level: Literal["high", "low"] = "high"


class PaperBody(ActBody):
    """A roll put in; 0 takes the paper out."""

    millimetres: Annotated[int, Field(ge=0, le=ROLL_MM_MAX)]


class FeedBody(ActBody):
    """How long the feed button is held."""

    milliseconds: Annotated[int, Field(ge=1, le=FEED_BUTTON_MS_MAX)] = 200


class HeatBody(ActBody):
    """How long the head is too hot."""

    milliseconds: Annotated[int, Field(ge=1, le=HEAD_HOT_MS_MAX)]


def _build(entry: PrinterEntry, seed: bytes) -> EscPosPrinter:
    del seed
    is_on_network = entry.flow == "none" and entry.transport.startswith("tcp:")
    profile = PrinterProfile(
        name=entry.profile, width_dots=_DOTS_WIDE[entry.width_mm], baud=entry.baud,
        realtime_inside_data=entry.realtime_inside_data, speed_mm_s=entry.speed_mm_s,
        buffer_bytes=entry.buffer_bytes, flow="dtr" if is_on_network else entry.flow,
        is_busy_off_line=entry.busy_off_line,
        drawer_pins=entry.drawer_pins, is_drawer_open_high=entry.drawer_open_level == "high",
    )  # fmt: skip
    return EscPosPrinter(profile, roll_mm=entry.roll_mm, draw=draw_modules)


def _state(printer: EscPosPrinter) -> State:
    refused, reasons = printer.refusals
    return {
        "online": printer.is_online, "paper": printer.paper, "paper_mm": printer.paper_mm,
        "cover_open": printer.is_cover_open, "drawer_open": printer.is_drawer_open,
        "drawer_kicks": printer.drawer_kicks, "receipts_cut": printer.receipts_cut,
        "operations_waiting": printer.operations_waiting, "busy": printer.is_busy,
        "overrun_bytes": printer.overrun_bytes, "beeps": printer.beeps,
        "errors": list(printer.mechanism.condition.errors),
        "pulses": [
            {"pin": pulse.pin, "on_ms": pulse.on_ms} for pulse in printer.mechanism.drawer.pulses
        ],
        "unknown_commands": printer.unknown_commands,
        "refused_codes": refused, "refusals": list(reasons),
        "receipts": [
            {
                "number": receipt.number, "text": receipt.to_text(), "cut": receipt.cut,
                "length_mm": receipt.length_dots // 8,
                "codes": [code.decode("utf-8", "backslashreplace") for code in receipt.codes],
            }
            for receipt in printer.receipts[-RECEIPTS_SHOWN_MAX:]
        ],
    }  # fmt: skip


def _pictures(printer: EscPosPrinter) -> Mapping[str, Callable[[], bytes]]:
    return {str(found.number): partial(draw_receipt, found) for found in printer.receipts}


def _keeper(state_dir: Path) -> Keeper:
    store = ReceiptStore(state_dir / "receipts")
    return lambda printer: store.keep(printer.receipts)


def _load_paper(printer: EscPosPrinter, body: PaperBody, now_ms: int) -> list[Output]:
    return printer.load_paper(body.millimetres, now_ms)


def _press_feed(printer: EscPosPrinter, body: FeedBody, now_ms: int) -> list[Output]:
    return printer.press_feed(now_ms, milliseconds=body.milliseconds)


def _overheat(printer: EscPosPrinter, body: HeatBody, now_ms: int) -> list[Output]:
    until_ms = now_ms + body.milliseconds
    return printer.by_hand(lambda mechanism: mechanism.overheat(until_ms), now_ms)


def _by_hand(name: str, summary: str, deed: Callable[[Mechanism], None]) -> Act:
    def run(printer: EscPosPrinter, _: NoBody, now_ms: int) -> list[Output]:
        return printer.by_hand(deed, now_ms)

    return Act(name, summary, run)


KIND = Kind(
    name="escpos",
    summary="ESC/POS receipt printer with a cash drawer",
    entry=PrinterEntry,
    build=_build,
    state=_state,
    decoder=EscPosDecoder,
    counters=("receipts_cut", "drawer_kicks", "unknown_commands", "refused_codes"),
    pictures=_pictures,
    keeper=_keeper,
    hands=lambda _entry, _printer: (Hand("30 m", "load_paper", {"millimetres": 30_000}),),
    acts=(
        Act("load_paper", "put in a roll", _load_paper, PaperBody),
        Act("tear_off", "tear the paper off", lambda printer, _, at: printer.tear_off(at)),
        Act("press_feed", "hold the feed button", _press_feed, FeedBody),
        Act("overheat", "let the head be too hot for a while", _overheat, HeatBody),
        _by_hand("open_cover", "open the cover", lambda part: part.move_cover(is_open=True)),
        _by_hand("close_cover", "close the cover", lambda part: part.move_cover(is_open=False)),
        _by_hand("open_drawer", "open the drawer by its key", lambda part: part.drawer.unlock()),
        _by_hand("close_drawer", "push the drawer in", lambda part: part.drawer.close()),
        _by_hand("jam_cutter", "jam the blade", lambda part: part.jam_blade(is_jammed=True)),
        _by_hand("free_cutter", "free the blade", lambda part: part.jam_blade(is_jammed=False)),
        _by_hand("break_down", "break it until power is cut", lambda part: part.break_down()),
    ),
)
