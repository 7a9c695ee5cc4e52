"""New firmware for a controller board: uploaded, tried out, and kept only once it has answered.

Rule 1: each step begins by asking the board where it is, so that after a power cut, a lost answer
or a start of this program the work goes on from there and nothing is done twice.
Rule 2: firmware that the board does not start, or that does not answer, is never confirmed: the
board goes back to the old one by itself.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from protocol.crypto.hashes import sha256
from protocol.errors import CallerError, OperatingError
from protocol.framing import mcuboot
from protocol.framing.mcuboot import Flaw, Image
from terminal.limits import (
    BOARD_BOOT_WAIT_S,
    BOARD_BOOTS_WAITED_MAX,
    BOARD_FAILURES_MAX,
    BOARD_PIECE_BYTES,
    BOARD_STEPS_MAX,
    BOARD_TRIALS_MAX,
)
from terminal.ports import BoardImage, ControllerBoard

log = structlog.get_logger("terminal")
Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Updated:
    """What runs now, confirmed. ``was_there`` if there was nothing to do."""

    version: str
    digest: str
    was_there: bool


async def take_back(board: ControllerBoard) -> BoardImage | None:
    """Have nothing tried at the board's next start; what it tries all the same."""
    if (pending := await _pending(board)) is None:
        return None
    try:
        await board.erase()
    except CallerError as refused:
        log.warning("board_keeps_pending", version=pending.version, detail=refused.detail)
    return await _pending(board)


async def _pending(board: ControllerBoard) -> BoardImage | None:
    return next((image for image in await board.images() if image.is_pending), None)


class BoardUpdate:
    """One update of one board. ``pause`` waits so many seconds."""

    def __init__(
        self,
        board: ControllerBoard,
        data: bytes,
        pause: Pause,
        on_trial: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """``CallerError("firmware_file_invalid")`` if the bytes are no firmware image.
        ``on_trial`` is called before the board starts it for the first time."""
        image = mcuboot.read_image(data)
        if isinstance(image, Flaw) or not image.digest:
            raise CallerError(
                "firmware_file_invalid", f"no firmware image: {image or Flaw.BAD_TLVS}"
            )
        self._board = board
        self._data = data[: image.total_bytes]
        self._image: Image = image
        self._pause = pause
        self._on_trial = on_trial
        self._trials = 0
        self._has_acted = False

    @property
    def has_tried(self) -> bool:
        """Whether the board was told to start it."""
        return self._trials > 0

    async def run(self) -> Updated:
        """Do all that is needed. ``firmware_refused`` if the board does not take or start it;
        the port's errors once they came ``BOARD_FAILURES_MAX`` times in a row."""
        failures = 0
        for _ in range(BOARD_STEPS_MAX):
            try:
                if await self._step():
                    version = str(self._image.header.version)
                    return Updated(version, self._image.digest.hex(), not self._has_acted)
                failures = 0
            except OperatingError as error:
                failures += 1
                log.warning("board_update_interrupted", code=error.code, failures=failures)
                if failures >= BOARD_FAILURES_MAX:
                    raise
                await self._pause(BOARD_BOOT_WAIT_S)
        raise OperatingError("device_no_reply", "controller: the update came to no end")

    async def _step(self) -> bool:
        """Take the next step; whether the new firmware runs and is confirmed."""
        images = {image.slot: image for image in await self._board.images()}
        running, waiting = images.get(0), images.get(1)
        if self._is_ours(running):
            if running is not None and running.is_confirmed:
                return True
            self._has_acted = True
            await self._board.confirm()
            return False
        self._has_acted = True
        if not self._is_ours(waiting):
            await self._upload()
        elif waiting is not None and (waiting.is_pending or waiting.is_confirmed):
            # Confirmed in this slot: what runs is on trial, and the board goes back to ours.
            await self._reset()
        else:
            await self._board.try_out(self._image.digest)
        return False

    def _is_ours(self, image: BoardImage | None) -> bool:
        return image is not None and image.digest == self._image.digest

    async def _upload(self) -> None:
        """Upload the whole image; the board says each time which byte it wants next."""
        if self._trials >= BOARD_TRIALS_MAX:
            raise CallerError("firmware_refused", "the board did not start it")
        data, sha, offset = self._data, sha256(self._data), 0
        for _ in range(2 * len(data) // BOARD_PIECE_BYTES + 2):
            piece = data[offset : offset + BOARD_PIECE_BYTES]
            reached = await self._board.upload(offset, piece, length=len(data), sha=sha)
            if reached == len(data):
                return
            offset = reached
        raise OperatingError("device_bad_frame", "controller: the upload does not get on")

    async def _reset(self) -> None:
        """Reset, and wait until the board answers. Firmware that the board went back from counts
        as one that did not start."""
        if self._trials >= BOARD_TRIALS_MAX:
            raise CallerError("firmware_refused", "the board went back to its old firmware")
        if not self.has_tried and self._on_trial is not None:
            await self._on_trial()
        self._trials += 1
        await self._board.reset()
        for _ in range(BOARD_BOOTS_WAITED_MAX):
            await self._pause(BOARD_BOOT_WAIT_S)
            try:
                await self._board.images()
            except OperatingError:
                continue
            return
