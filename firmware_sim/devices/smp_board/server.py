"""The SMP server of the board's firmware, and of its bootloader while it has no firmware to run.

Source: Zephyr "SMP protocol", group "Default/OS management", and its rules for errors.
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
from firmware_sim.devices.smp_board.slots import Areas
from firmware_sim.limits import SMP_BUFFER_BYTES
from protocol import cbor
from protocol.framing.smp import Error, Group, ImageError, Message, Op

MODE_SWAP_USING_SCRATCH = 1
OS_QUERY_UNKNOWN = 3
BUFFERS = 2

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
    """Answers requests. ``wants_reset`` and ``wants_recovery`` are for the board to act on."""

    areas: Areas
    is_recovery: bool
    wants_reset: bool = False
    wants_recovery: bool = False
    _commands: dict[Command, Callable[[Fields], Answer]] = field(init=False)

    def __post_init__(self) -> None:
        self._commands = {
            (Group.OS, 0, Op.READ): self._echo,
            (Group.OS, 0, Op.WRITE): self._echo,
            (Group.OS, 5, Op.WRITE): self._reset,
            (Group.OS, 6, Op.READ): self._parameters,
            (Group.OS, 8, Op.READ): self._bootloader,
            **ImageGroup(self.areas, self.is_recovery).commands,
        }

    def answer(self, request: Message) -> Message | None:
        """The answer; ``None`` for what is no request. ``PowerCutError`` may come instead."""
        if request.op not in (Op.READ, Op.WRITE):
            return None
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

    def _echo(self, fields: Fields) -> Answer:
        said = fields.get("d")
        if not isinstance(said, str):
            raise RefusedError(Error.INVALID)
        return {"r": said}

    def _reset(self, fields: Fields) -> Answer:
        self.wants_reset, self.wants_recovery = True, fields.get("boot_mode") == 1
        return {}

    def _parameters(self, _: Fields) -> Answer:
        return {"buf_size": SMP_BUFFER_BYTES, "buf_count": BUFFERS}

    def _bootloader(self, fields: Fields) -> Answer:
        query = fields.get("query")
        if query is None:
            return {"bootloader": "MCUboot"}
        if query != "mode":
            raise RefusedError(OS_QUERY_UNKNOWN, Group.OS)
        return {"mode": MODE_SWAP_USING_SCRATCH, "no-downgrade": True}
