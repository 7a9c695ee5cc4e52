"""Receipts on disk: one text, one JSON and one PNG file each."""

import json
from collections.abc import Iterable
from pathlib import Path

import structlog

from firmware_sim.devices.receipt import Receipt
from firmware_sim.limits import RECEIPTS_KEPT_MAX
from firmware_sim.rendering.receipt_png import draw_receipt

log = structlog.get_logger()


class ReceiptStore:
    """Writes each receipt once. Numbers go on after those of an earlier run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written = 0
        self._first = self._last_number() + 1
        self.files: list[dict[str, str]] = []

    def keep(self, receipts: Iterable[Receipt]) -> None:
        """Write those not yet written."""
        for receipt in receipts:
            if receipt.number > self._written:
                self._write(receipt)
                self._written = receipt.number

    def _write(self, receipt: Receipt) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = f"{self._first + receipt.number - 1:06d}"
        contents = {
            "txt": receipt.to_text().encode(),
            "json": json.dumps(receipt.to_json(), ensure_ascii=False, indent=2).encode(),
            "png": draw_receipt(receipt),
        }
        paths = {}
        for suffix, content in contents.items():
            path = self._folder / f"{stem}.{suffix}"
            path.write_bytes(content)
            paths[suffix] = str(path)
        self.files = [*self.files, paths][-RECEIPTS_KEPT_MAX:]
        log.info("sim_receipt_cut", number=receipt.number, file=stem, blocks=len(receipt.blocks))

    def _last_number(self) -> int:
        stems = (path.stem for path in self._folder.glob("*.png"))
        return max((int(stem) for stem in stems if stem.isdigit()), default=0)
