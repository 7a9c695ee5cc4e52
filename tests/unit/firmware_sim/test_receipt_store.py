"""Goal: every receipt is on disk once, and a second run does not write over the first."""

import json
from pathlib import Path

from firmware_sim.devices.escpos import EscPosPrinter
from firmware_sim.receipt_store import ReceiptStore
from protocol.framing import escpos


def _printer(*words: str) -> EscPosPrinter:
    printer = EscPosPrinter()
    for word in words:
        printer.feed(escpos.line(word) + escpos.CUT_FULL, 0)
    return printer


def test_each_receipt_is_written_once_in_three_forms(tmp_path: Path) -> None:
    store, printer = ReceiptStore(tmp_path), _printer("一", "二")
    store.keep(printer.receipts)
    store.keep(printer.receipts)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"00000{n}.{kind}" for n in (1, 2) for kind in ("json", "png", "txt")]
    assert (tmp_path / "000002.txt").read_text() == "二\n"
    assert json.loads((tmp_path / "000001.json").read_text())["text"] == "一\n"
    assert len(store.files) == 2


def test_a_second_run_goes_on_counting(tmp_path: Path) -> None:
    ReceiptStore(tmp_path).keep(_printer("first").receipts)
    ReceiptStore(tmp_path).keep(_printer("second").receipts)
    assert (tmp_path / "000001.txt").read_text() == "first\n"
    assert (tmp_path / "000002.txt").read_text() == "second\n"
