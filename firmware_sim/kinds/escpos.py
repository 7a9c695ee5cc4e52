"""The ESC/POS receipt printer and its drawer on a board."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from firmware_sim.devices.device import Output
from firmware_sim.devices.escpos import EscPosPrinter, PrinterProfile
from firmware_sim.devices.escpos_parser import EscPosParser, Operation
from firmware_sim.frames import Frame, Side
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Keeper, Kind, State
from firmware_sim.limits import RECEIPTS_SHOWN_MAX, ROLL_MM_MAX
from firmware_sim.receipt_store import ReceiptStore
from firmware_sim.rendering.receipt_png import draw_receipt

_DOTS_WIDE = {58: 384, 80: 576}


class PrinterEntry(DeviceEntry):
    """A receipt printer with a drawer."""

    kind: Literal["escpos"]
    profile: Literal["gb18030", "western"] = "gb18030"
    baud: Literal[9600, 19200, 38400, 57600, 115200] = 115200
    width_mm: Literal[58, 80] = 80
    roll_mm: Annotated[int, Field(ge=0, le=ROLL_MM_MAX)] = 30_000
    realtime_inside_data: bool = False


class PaperBody(ActBody):
    """A roll put in; 0 takes the paper out."""

    millimetres: Annotated[int, Field(ge=0, le=ROLL_MM_MAX)]


class OperationDecoder:
    """The printer's operations; its answers are single bytes."""

    def __init__(self) -> None:
        self._parser = EscPosParser()

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        if side is Side.HOST:
            return [_operation(operation) for operation in self._parser.feed(data)]
        return [Frame(Side.DEVICE, bytes([value]), "status", {"bits": value}) for value in data]


def _operation(operation: Operation) -> Frame:
    name = operation.name.hex() or operation.kind.value
    fields: dict[str, str | int] = {"bytes": len(operation.data)}
    if not operation.name:
        fields["text"] = operation.data.decode("gb18030", errors="backslashreplace")
    return Frame(Side.HOST, operation.name + operation.data, name, fields)


def _build(entry: PrinterEntry, seed: bytes) -> EscPosPrinter:
    del seed
    profile = PrinterProfile(
        entry.profile, _DOTS_WIDE[entry.width_mm], entry.baud, entry.realtime_inside_data
    )
    return EscPosPrinter(profile, roll_mm=entry.roll_mm)


def _state(printer: EscPosPrinter) -> State:
    return {
        "online": printer.is_online, "paper": printer.paper, "paper_mm": printer.paper_mm,
        "cover_open": printer.is_cover_open, "drawer_open": printer.is_drawer_open,
        "drawer_kicks": printer.drawer_kicks, "receipts_cut": printer.receipts_cut,
        "operations_waiting": printer.operations_waiting,
        "unknown_commands": printer.unknown_commands,
        "receipts": [
            {"number": receipt.number, "text": receipt.to_text()}
            for receipt in list(printer.receipts)[-RECEIPTS_SHOWN_MAX:]
        ],
    }  # fmt: skip


def _pictures(printer: EscPosPrinter) -> Mapping[str, Callable[[], bytes]]:
    return {str(found.number): partial(draw_receipt, found) for found in printer.receipts}


def _keeper(state_dir: Path) -> Keeper:
    store = ReceiptStore(state_dir / "receipts")
    return lambda printer: store.keep(printer.receipts)


def _load_paper(printer: EscPosPrinter, body: PaperBody, now_ms: int) -> list[Output]:
    return printer.load_paper(body.millimetres, now_ms)


def _set_cover(printer: EscPosPrinter, _: ActBody, now_ms: int, *, is_open: bool) -> list[Output]:
    return printer.set_cover(now_ms, is_open=is_open)


KIND = Kind(
    name="escpos",
    summary="ESC/POS receipt printer with a cash drawer",
    entry=PrinterEntry,
    build=_build,
    state=_state,
    decoder=OperationDecoder,
    counters=("receipts_cut", "drawer_kicks", "unknown_commands"),
    pictures=_pictures,
    keeper=_keeper,
    acts=(
        Act("load_paper", "put in a roll", _load_paper, PaperBody),
        Act("open_cover", "open the cover", partial(_set_cover, is_open=True)),
        Act("close_cover", "close the cover", partial(_set_cover, is_open=False)),
        Act("close_drawer", "push the drawer in", lambda printer, _, at: printer.close_drawer(at)),
    ),
)
