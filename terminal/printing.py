"""Prints one receipt after another, and tells whoever waits for one how it went."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog

from protocol.errors import TillwayError
from terminal.effects import PrintReceipt
from terminal.inputs import ReceiptFailed, ReceiptPrinted
from terminal.ports import ReceiptPrinter

log = structlog.get_logger("terminal")
_Told = ReceiptPrinted | ReceiptFailed


class Printing:
    """The printer of one terminal, or that there is none."""

    def __init__(
        self,
        printer: ReceiptPrinter | None,
        render: Callable[[Mapping[str, Any]], bytes],
        tell: Callable[[_Told], None],
    ) -> None:
        """``tell`` is told of every receipt."""
        self._printer = printer
        self._render = render
        self._tell = tell
        self._wanted: asyncio.Queue[PrintReceipt] = asyncio.Queue()
        self._watched: defaultdict[int, set[asyncio.Future[_Told]]] = defaultdict(set)

    def put(self, wanted: PrintReceipt) -> None:
        """Print this when its turn comes."""
        self._wanted.put_nowait(wanted)

    async def run(self) -> None:
        """Print until cancelled."""
        while True:
            wanted = await self._wanted.get()
            told = await self._print(wanted)
            self._tell(told)
            for future in self._watched.pop(wanted.receipt_id, ()):
                if not future.done():
                    future.set_result(told)

    @contextmanager
    def watched(self, receipt_id: int) -> "Iterator[asyncio.Future[_Told]]":
        """A future that tells how the next print of this receipt went."""
        future: asyncio.Future[_Told] = asyncio.get_running_loop().create_future()
        self._watched[receipt_id].add(future)
        try:
            yield future
        finally:
            future.cancel()
            self._watched[receipt_id].discard(future)
            if not self._watched[receipt_id]:
                del self._watched[receipt_id]

    async def _print(self, wanted: PrintReceipt) -> _Told:
        if self._printer is None:
            return ReceiptFailed(wanted.receipt_id, "device_disconnected")
        try:
            await self._printer.print(self._render(wanted.facts))
            if wanted.facts.get("opens_drawer") and not wanted.facts.get("is_copy"):
                await self._printer.open_drawer()
        except TillwayError as failed:
            log.warning("receipt_failed", receipt_id=wanted.receipt_id, code=failed.code)
            return ReceiptFailed(wanted.receipt_id, failed.code)
        return ReceiptPrinted(wanted.receipt_id)
