"""What people select at a machine's own keys becomes a sale, or is refused there.

Rule 1: the machine asks the price that we sell at, or nothing is sold.
Rule 2: what has been paid is the dispenser's affair; here only what will not be paid is refused.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import structlog

from protocol.errors import CallerError, OperatingError, TillwayError
from terminal import vending
from terminal.domain.screen import Screen
from terminal.inputs import StartSale
from terminal.limits import SELECTION_RETRY_S, SELECTION_SALE_S
from terminal.ports import Selection, SelectionSource
from terminal.profile import Profile

log = structlog.get_logger("terminal.machine")


class Till(Protocol):
    """What we use of the shell."""

    async def command(self, wish: StartSale, /) -> Screen:
        """Do what is wished; the screen after it."""
        ...

    def screens(self, after: int) -> AsyncIterator[tuple[int, Screen]]:
        """Each new screen."""
        ...


class MachineSales:
    """Serves one machine."""

    def __init__(self, machine: SelectionSource, profile: Profile, till: Till) -> None:
        self._machine = machine
        self._profile = profile
        self._till = till

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
            wish = vending.select(self._profile, selection.item)
            if wish.amount_minor != selection.amount_minor:
                raise CallerError("amount_invalid", "the machine asks another price")
            screen = await self._till.command(wish)
        except TillwayError as refused:
            log.warning("selection_refused", item=selection.item, code=refused.code)
            await self._machine.refuse(selection)
            return
        if not await self._is_paid(screen.subject):
            log.info("selection_not_paid", item=selection.item, payment_id=screen.subject)
            await self._machine.refuse(selection)

    async def _is_paid(self, payment_id: str | None) -> bool:
        """Whether the dispenser takes over: the goods are owed, or anything after that."""
        try:
            async with asyncio.timeout(SELECTION_SALE_S):
                async for _, screen in self._till.screens(after=0):
                    if screen.subject != payment_id:
                        return False
                    if screen.delivery not in (None, "none"):
                        return True
                    if screen.is_final:
                        return False
        except TimeoutError:
            pass
        return False
