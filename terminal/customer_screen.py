"""Keeps the payer's display in step with the cashier's screen.

Rule: trouble with it never reaches a sale. It is logged, and the newest view is tried again.
"""

import asyncio
from collections.abc import AsyncIterator

import structlog

from protocol.errors import TillwayError
from terminal.customer_view import customer_view
from terminal.domain.screen import Screen
from terminal.limits import CUSTOMER_REFRESH_S, CUSTOMER_RETRY_S
from terminal.ports import CustomerDisplay, CustomerView

log = structlog.get_logger("terminal")


class CustomerScreen:
    """One display and the screens that it follows; ``name`` is the shop's."""

    def __init__(
        self,
        display: CustomerDisplay,
        *,
        name: str,
        refresh_s: float = CUSTOMER_REFRESH_S,
        retry_s: float = CUSTOMER_RETRY_S,
    ) -> None:
        self._display = display
        self._name = name
        self._refresh_s, self._retry_s = refresh_s, retry_s
        self._view: CustomerView | None = None
        self._changed = asyncio.Event()

    async def run(self, screens: AsyncIterator[tuple[int, Screen]]) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(screens))
            group.create_task(self._show_all())

    async def _follow(self, screens: AsyncIterator[tuple[int, Screen]]) -> None:
        async for _, screen in screens:
            view = customer_view(screen, name=self._name)
            if view != self._view:
                self._view = view
                self._changed.set()

    async def _show_all(self) -> None:
        """Show each new view at once, and the last one again and again."""
        wait_s = self._refresh_s
        while True:
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            wait_s = await self._show()

    async def _show(self) -> float:
        """Show the view, if there is one; after how long to do it again."""
        if self._view is None:
            return self._refresh_s
        try:
            await self._display.show(self._view)
        except TillwayError as failed:
            log.warning("customer_display_failed", code=failed.code, detail=failed.detail)
            return self._retry_s
        return self._refresh_s
