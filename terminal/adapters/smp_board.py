"""A controller board that speaks SMP (MCUmgr) on a serial port.

Rule 1: what may be said twice without harm is: reading, uploading a piece (the board answers where
it is), asking for a trial, erasing, confirming. A reset is said once: a second would end a trial.
Rule 2: an answer counts only if its checksum holds and it is the answer to this question.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from protocol.errors import CallerError, OperatingError
from protocol.framing import smp
from protocol.framing.smp import Group, Op
from terminal.adapters.limits import (
    BOARD_ATTEMPTS_MAX,
    BOARD_CALL_S,
    BOARD_ERASE_S,
    BOARD_REPLY_ALL_S,
    BOARD_REPLY_GAP_S,
    BOARD_REPLY_S,
)
from terminal.adapters.serial_worker import Dialogue, Port, SerialWorker, open_serial
from terminal.ports import BoardImage

Fields = Mapping[int | str, Any]
_STATE, _UPLOAD, _ERASE, _RESET = 0, 1, 5, 5
_SEQUENCES = 256


class SmpSerialBoard:
    """``ControllerBoard`` over SMP on a serial line."""

    def __init__(
        self,
        path: str,
        *,
        baud: int = 115_200,
        open_port: Callable[[], Port] | None = None,
    ) -> None:
        self._sequence = 0
        self._worker = SerialWorker("controller", open_port or partial(open_serial, path, baud))

    async def images(self) -> tuple[BoardImage, ...]:
        """As ``ControllerBoard.images``."""
        return _images(await self._ask(Op.READ, Group.IMAGE, _STATE, {}))

    async def upload(self, offset: int, piece: bytes, *, length: int, sha: bytes) -> int:
        """As ``ControllerBoard.upload``."""
        first = {"len": length, "sha": sha, "image": 0} if offset == 0 else {}
        answer = await self._ask(
            Op.WRITE, Group.IMAGE, _UPLOAD, {"off": offset, "data": piece, **first}
        )
        reached = answer.get("off")
        if not isinstance(reached, int) or not 0 <= reached <= length:
            raise OperatingError("device_bad_frame", "controller: no offset")
        return reached

    async def try_out(self, digest: bytes) -> None:
        """As ``ControllerBoard.try_out``."""
        asked = {"hash": digest, "confirm": False}
        await self._ask(Op.WRITE, Group.IMAGE, _STATE, asked)

    async def erase(self) -> None:
        """As ``ControllerBoard.erase``."""
        await self._ask(Op.WRITE, Group.IMAGE, _ERASE, {}, reply_s=BOARD_ERASE_S)

    async def confirm(self) -> None:
        """As ``ControllerBoard.confirm``."""
        await self._ask(Op.WRITE, Group.IMAGE, _STATE, {"confirm": True})

    async def reset(self) -> None:
        """As ``ControllerBoard.reset``."""
        await self._ask(Op.WRITE, Group.OS, _RESET, {}, attempts=1)

    async def aclose(self) -> None:
        """As ``ControllerBoard.aclose``."""
        await self._worker.aclose()

    async def _ask(
        self,
        op: Op,
        group: Group,
        command: int,
        fields: Mapping[str, object],
        *,
        attempts: int = BOARD_ATTEMPTS_MAX,
        reply_s: float = BOARD_REPLY_S,
    ) -> Fields:
        self._sequence = (self._sequence + 1) % _SEQUENCES
        asked = smp.message(op, group, command, fields, sequence=self._sequence)
        job = partial(ask, asked=asked, attempts=attempts, reply_s=reply_s)
        return await self._worker.run(job, limit_s=BOARD_CALL_S)


def ask(
    dialogue: Dialogue, *, asked: smp.Message, attempts: int, reply_s: float = BOARD_REPLY_S
) -> Fields:
    """The fields of the answer; asks again, a bounded number of times, while none is sound."""
    is_damaged = False
    for _ in range(attempts):
        dialogue.discard_input()
        dialogue.send(smp.encode(asked))
        answer, has_damage = _first_answer(dialogue, asked, reply_s)
        if answer is not None:
            return _demand(answer)
        is_damaged = is_damaged or has_damage
    raise OperatingError("device_bad_frame" if is_damaged else "device_no_reply", "controller")


def _first_answer(
    dialogue: Dialogue, asked: smp.Message, reply_s: float
) -> tuple[smp.Message | None, bool]:
    """The answer to this question within the reply's time, and whether damage came."""
    parser, began = smp.LineParser(), time.monotonic()
    until, is_damaged = began + reply_s, False
    while data := dialogue.receive(until):
        for item in parser.feed(data):
            if isinstance(item, smp.Received) and _is_answer(item.message, asked):
                return item.message, is_damaged
            is_damaged = is_damaged or not isinstance(item, smp.ConsoleText)
        is_damaged = is_damaged or parser.is_mid_message
        until = min(began + max(reply_s, BOARD_REPLY_ALL_S), time.monotonic() + BOARD_REPLY_GAP_S)
    return None, is_damaged


def _is_answer(came: smp.Message, asked: smp.Message) -> bool:
    told = (came.op, came.group, came.command, came.sequence)
    return told == (asked.op + 1, asked.group, asked.command, asked.sequence)


def _demand(answer: smp.Message) -> Fields:
    fields = answer.fields()
    if fields is None:
        raise OperatingError("device_bad_frame", "controller: no map")
    error, code = fields.get("err"), fields.get("rc", 0)
    if isinstance(error, Mapping):
        raise CallerError("firmware_refused", f"group {error.get('group')} rc {error.get('rc')}")
    if code != 0:
        raise CallerError("firmware_refused", f"rc {code}")
    return fields


def _images(fields: Fields) -> tuple[BoardImage, ...]:
    entries = fields.get("images")
    if not isinstance(entries, list):
        raise OperatingError("device_bad_frame", "controller: no images")
    return tuple(_image(entry) for entry in entries)


def _image(entry: object) -> BoardImage:
    match entry:
        case {"slot": int(slot), "version": str(version), "hash": bytes(digest), **rest}:
            return BoardImage(
                slot=slot,
                version=version,
                digest=digest,
                is_pending=rest.get("pending") is True,
                is_confirmed=rest.get("confirmed") is True,
            )
    raise OperatingError("device_bad_frame", "controller: image without slot, version or hash")
