"""Goal: npm's node-thermal-printer, which nobody here wrote, prints on the simulated printer over
TCP as on a real one."""

import json
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from firmware_sim.board_file import board_with
from firmware_sim.devices.escpos import EscPosPrinter
from firmware_sim.devices.paper import Picture
from firmware_sim.devices.receipt import Receipt
from firmware_sim.hosting import HostedBoard
from firmware_sim.rendering.receipt_png import draw_receipt

LIBRARY = Path(sys.prefix) / "npm_readers" / "node_modules" / "node-thermal-printer"
RUNNER = Path(__file__).parents[2] / "support" / "thermal_printer.js"


def _last_receipt(hosted: HostedBoard) -> Receipt:
    printer = hosted.call(lambda board: board.link("device").device)
    assert isinstance(printer, EscPosPrinter)
    return hosted.call(lambda _: printer.receipts[-1])


def test_node_thermal_printer_prints_a_receipt(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (LIBRARY / "package.json").is_file():
        pytest.skip(
            "node or npm's node-thermal-printer is not installed: make test does so where it can"
        )
    with HostedBoard(board_with("escpos", transport="tcp:0"), state_dir=tmp_path) as hosted:
        address = hosted.paths["device"].removeprefix("socket://")
        run = subprocess.run(
            [node, str(RUNNER), str(LIBRARY), address],
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        receipt, state = _last_receipt(hosted), hosted.state("device")
    assert json.loads(run.stdout) == {"isConnected": True, "answer": [0]}
    rows = receipt.to_text().splitlines()
    assert rows[0].strip() == "收银小票"
    assert rows[1] == "Cola 2x" + " " * 37 + "7.00"
    assert rows[2] == "-" * 48
    assert receipt.cut == "full"
    assert [piece.width_dots for piece in receipt.pieces if isinstance(piece, Picture)] == [24]
    assert state["unknown_commands"] == 1  # the 01 that its drawer command leaves over
    assert (state["beeps"], state["pulses"]) == (2, [{"pin": 2, "on_ms": 54}])
    with Image.open(BytesIO(draw_receipt(receipt))) as paper:
        codes = {code.text for code in zxingcpp.read_barcodes(paper)}
    assert codes == {"pay_1", "TILL-7", "6901234567892"}
