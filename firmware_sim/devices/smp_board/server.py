"""The SMP server of the board's firmware, and of its bootloader while it has no firmware to run.

Source: Zephyr "SMP protocol specification": versions, errors, what is answered at all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_sim.devices.smp_board.image_group import (
    Answer,
    Command,
    Fields,
    ImageGroup,
    RefusedError,
)
from firmware_sim.devices.smp_board.os_group import OsGroup
from firmware_sim.devices.smp_board.slots import Areas
from protocol import cbor
from protocol.framing.smp import Error, ImageError, Message, Op

# What the first protocol, which has no codes of groups, says instead; all else is INVALID.
_OLD_CODES: dict[int, Error] = {
    ImageError.HASH_NOT_FOUND: Error.NO_ENTRY,
    ImageError.NO_FREE_SLOT: Error.BAD_STATE,
    ImageError.CURRENT_IS_NEWER: Error.BAD_STATE,
    ImageError.ALREADY_PENDING: Error.BAD_STATE,
    ImageError.TEST_OF_ACTIVE: Error.BAD_STATE,
}


@dataclass(slots=True)
class SmpServer:
    """Answers requests. Its OS group's ``wants_reset`` is for the board to act on."""

    areas: Areas
    is_recovery: bool
    erases_pending: bool = False
    os: OsGroup = field(default_factory=OsGroup)
    _commands: dict[Command, Callable[[Fields], Answer]] = field(init=False)

    def __post_init__(self) -> None:
        images = ImageGroup(self.areas, self.is_recovery, self.erases_pending)
        self._commands = {**self.os.commands, **images.commands}

    def answer(self, request: Message, now_ms: int) -> Message | None:
        """The answer; ``None`` for what is no request. ``PowerCutError`` may come instead."""
        if request.op not in (Op.READ, Op.WRITE):
            return None
        self.os.now_ms = now_ms
        fields = self._answer_fields(request)
        version = min(request.version, 1)
        return Message(
            request.op + 1, request.group, request.command, cbor.encode(fields),
            request.sequence, version,
        )  # fmt: skip

    def _answer_fields(self, request: Message) -> Answer:
        try:
            if request.version > 1:
                raise RefusedError(Error.TOO_NEW)
            work = self._commands.get((request.group, request.command, request.op))
            if work is None:
                raise RefusedError(Error.NOT_SUPPORTED)
            fields = request.fields()
            if fields is None:
                raise RefusedError(Error.INVALID)
            return work(fields)
        except RefusedError as refused:
            if refused.group is None:
                return {"rc": refused.code}
            if request.version == 0:
                return {"rc": int(_OLD_CODES.get(refused.code, Error.INVALID))}
            return {"err": {"group": int(refused.group), "rc": refused.code}}
