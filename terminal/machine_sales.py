"""What people select at a machine becomes a sale, or is refused there.

Rule 1: what has been paid is the dispenser's affair; here only what will not be paid is refused.
Rule 2: the ways to pay are tried in their order: the next one only after a final no to the last.
Rule 3: a selection that takes too long is given up at the machine and at the backend: what was
        paid all the same goes back, because the dispenser no longer gives it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import structlog

from protocol.errors import OperatingError, TillwayError
from terminal.domain.screen import Screen
from terminal.inputs import Cancel, CashierInput, ChooseMethod, StartSale
from terminal.limits import SELECTION_RETRY_S, SELECTION_SALE_S
from terminal.ports import Selection, SelectionSource

log = structlog.get_logger("terminal.machine")
WishesOf = Callable[[Selection, int], Sequence[StartSale]]
"""The sale of a selection made at a time (ms), once for each way to pay it, the first first;
``CallerError`` for what is not sold so."""


class Till(Protocol):
    """What we use of the shell."""

    async def command(self, wish: CashierInput, /) -> Screen:
        """Do what is wished; the screen after it."""
        ...

    def screens(self, after: int) -> AsyncIterator[tuple[int, Screen]]:
        """Each new screen."""
        ...


class MachineSales:
    """Serves one machine."""

    def __init__(
        self,
        machine: SelectionSource,
        wishes_of: WishesOf,
        till: Till,
        now_ms: Callable[[], int],
        sale_s: float | None = None,
    ) -> None:
        """``sale_s`` is how long a selection may wait for its payment, where that is not the usual
        time."""
        self._machine = machine
        self._wishes_of = wishes_of
        self._till = till
        self._now_ms = now_ms
        self._sale_s = sale_s

    async def run(self) -> None:
        """Serve until cancelled. A machine that does not answer is tried again."""
        while True:
            try:
                selection = await self._machine.next_selection()
                if selection is not None:
                    await self._serve(selection)
            except OperatingError as error:
                log.warning("machine_silent", code=error.code, detail=error.detail)
                await asyncio.sleep(SELECTION_RETRY_S)

    async def _serve(self, selection: Selection) -> None:
        try:
            wishes = self._wishes_of(selection, self._now_ms())
            async with asyncio.timeout(self._sale_s or SELECTION_SALE_S):
                is_paid = await self._pay(wishes)
        except TimeoutError:
            is_paid = False
            log.info("selection_too_long", item=selection.item)
            await self._give_up()
        except TillwayError as refused:
            is_paid = False
            log.warning("selection_refused", item=selection.item, code=refused.code)
        if not is_paid:
            await self._machine.refuse(selection)

    async def _pay(self, wishes: Sequence[StartSale]) -> bool:
        """Whether the dispenser takes over."""
        for wish in wishes:
            screen = await self._till.command(wish)
            if await self._is_paid(screen.subject, wish.method or ""):
                return True
            log.info("selection_not_paid", payment_id=screen.subject, method=wish.method)
        return False

    async def _is_paid(self, payment_id: str | None, method: str) -> bool:
        """Whether the goods are owed, or anything after that; a code that was not read is asked
        for again."""
        async for _, screen in self._till.screens(after=0):
            if screen.subject != payment_id:
                return False
            if screen.delivery not in (None, "none"):
                return True
            if screen.is_final:
                return False
            if screen.kind == "choosing":
                await asyncio.sleep(SELECTION_RETRY_S)
                await self._till.command(ChooseMethod(method))
        return False

    async def _give_up(self) -> None:
        try:
            await self._till.command(Cancel())
        except TillwayError as error:
            log.info("nothing_to_give_up", code=error.code)
