"""Renewing the controller board's firmware because the backend wants it: fetch, wait, install.

Rule 1: nothing is installed while somebody is at the terminal: the board moves what they pay for.
Rule 2: a hub that does not answer is asked again for as long as the wish stands; a board that does
        not keep the firmware ends it.
Rule 3: what is wanted no more is not left at the board to be tried at its next start, where the
        board lets go of it (Zephyr: ``MCUMGR_GRP_IMG_ALLOW_ERASE_PENDING``; else an operator is
        told). Nothing is started to get rid of it.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from protocol.errors import CallerError, OperatingError
from terminal.board_update import BoardUpdate, Pause, take_back
from terminal.domain.firmware import FirmwareStep
from terminal.domain.schedule import gap_ms
from terminal.effects import RenewBoard
from terminal.inputs import BoardStep
from terminal.limits import BOARD_BOOT_WAIT_S, FIRMWARE_RETRY_GAPS_MS
from terminal.ports import ControllerBoard, FirmwareSource

log = structlog.get_logger("terminal")
Tell = Callable[[BoardStep], Awaitable[None]]


class BoardRenewal:
    """Does the work of one wish at a time."""

    def __init__(
        self,
        source: FirmwareSource | None,
        board: ControllerBoard | None,
        *,
        is_idle: Callable[[], bool],
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._source = source
        self._board = board
        self._is_idle = is_idle
        self._pause = pause

    async def run(self, wish: RenewBoard, tell: Tell) -> None:
        """From the first byte to the end; each step is told."""
        if self._source is None or self._board is None:
            await tell(_step(wish, FirmwareStep.REFUSE, "firmware_unfit"))
            return
        try:
            data = await self._fetch(self._source, wish)
            await tell(_step(wish, FirmwareStep.RECEIVE))
            await self._until_idle()
        except CallerError as error:
            await tell(_step(wish, FirmwareStep.REFUSE, error.code, error.detail))
            return
        await self._install(self._board, wish, data, tell)
        self._source.forget(wish.digest)

    async def take_back(self, wish: RenewBoard, tell: Tell) -> None:
        """Nothing is wanted any more."""
        if self._board is None:
            return
        step = None
        tries = 0
        while step is None:
            await self._until_idle()
            try:
                kept = await take_back(self._board)
                step = _step(wish, FirmwareStep.LET_GO)
                if kept is not None:
                    step = _step(wish, FirmwareStep.LINGER, "firmware_lingers", kept.version)
            except CallerError as error:
                step = _step(wish, FirmwareStep.LINGER, error.code, error.detail)
            except OperatingError as error:
                log.warning("firmware_not_taken_back", code=error.code, detail=error.detail)
                await self._pause(gap_ms(FIRMWARE_RETRY_GAPS_MS, tries) / 1000)
                tries += 1
        await tell(step)

    async def _until_idle(self) -> None:
        while not self._is_idle():
            await self._pause(BOARD_BOOT_WAIT_S)

    async def _install(
        self, board: ControllerBoard, wish: RenewBoard, data: bytes, tell: Tell
    ) -> None:
        update: BoardUpdate | None = None
        try:
            update = BoardUpdate(board, data, self._pause, lambda: tell(_trial(wish)))
            updated = await update.run()
        except (CallerError, OperatingError) as error:
            has_tried = update is not None and update.has_tried
            is_no = isinstance(error, CallerError) and not has_tried
            step = FirmwareStep.REFUSE if is_no else FirmwareStep.FAIL
            await tell(_step(wish, step, error.code, error.detail))
        else:
            await tell(
                BoardStep(
                    version=wish.version,
                    step=FirmwareStep.CONFIRM,
                    running_version=updated.version,
                    running_hash=updated.digest,
                )
            )

    async def _fetch(self, source: FirmwareSource, wish: RenewBoard) -> bytes:
        tries = 0
        while True:
            try:
                return await asyncio.to_thread(source.fetch, wish.digest, wish.size)
            except OperatingError as error:
                log.warning("firmware_not_fetched", code=error.code, detail=error.detail)
                await self._pause(gap_ms(FIRMWARE_RETRY_GAPS_MS, tries) / 1000)
                tries += 1


def _step(wish: RenewBoard, step: FirmwareStep, code: str = "", detail: str = "") -> BoardStep:
    return BoardStep(version=wish.version, step=step, code=code, detail=detail)


def _trial(wish: RenewBoard) -> BoardStep:
    return _step(wish, FirmwareStep.TRY_OUT)
