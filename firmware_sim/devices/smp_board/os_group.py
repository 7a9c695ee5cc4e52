"""The OS and enumeration groups of the board's SMP server.

Source: Zephyr "SMP protocol", groups "Default/OS management" and "Enumeration management".
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from firmware_sim.devices.smp_board.image_group import Answer, Command, Fields, RefusedError
from firmware_sim.limits import SMP_BUFFER_BYTES
from protocol.framing.smp import Error, Group, Op

MODE_SWAP_USING_SCRATCH = 1
BUFFERS = 2
GROUPS = (Group.OS, Group.IMAGE, Group.ENUMERATION)
NAMES = {Group.OS: "os mgmt", Group.IMAGE: "img mgmt", Group.ENUMERATION: "enum mgmt"}
OS_INVALID_FORMAT, OS_QUERY_UNKNOWN, OS_CLOCK_NOT_SET = 2, 3, 4
ENUMERATION_INDEX_TOO_LARGE = 4

# What the letters of a format stand for, in the order they are answered in.
_ABOUT = {
    "s": "Tillway",
    "n": "controller",
    "r": "1.0.0",
    "v": "1.0.0",
    "m": "simulated",
    "p": "none",
    "i": "smp_board",
    "o": "Tillway",
}


@dataclass(slots=True)
class OsGroup:
    """Answers both groups. ``wants_reset`` and ``wants_recovery`` are for the board to act on; its
    clock is lost with the power, as without a battery."""

    now_ms: int = 0
    wants_reset: bool = False
    wants_recovery: bool = False
    _clock: tuple[datetime, int] | None = None

    @property
    def commands(self) -> dict[Command, Callable[[Fields], Answer]]:
        """Group, command and operation of each."""
        return {
            (Group.OS, 0, Op.READ): self._echo,
            (Group.OS, 0, Op.WRITE): self._echo,
            (Group.OS, 4, Op.READ): self._read_clock,
            (Group.OS, 4, Op.WRITE): self._set_clock,
            (Group.OS, 5, Op.WRITE): self._reset,
            (Group.OS, 6, Op.READ): self._parameters,
            (Group.OS, 7, Op.READ): self._about,
            (Group.OS, 8, Op.READ): self._bootloader,
            (Group.ENUMERATION, 0, Op.READ): self._count,
            (Group.ENUMERATION, 1, Op.READ): self._list,
            (Group.ENUMERATION, 2, Op.READ): self._at,
            (Group.ENUMERATION, 3, Op.READ): self._details,
        }

    def _echo(self, fields: Fields) -> Answer:
        said = fields.get("d")
        if not isinstance(said, str):
            raise RefusedError(Error.INVALID)
        return {"r": said}

    def _read_clock(self, _: Fields) -> Answer:
        if self._clock is None:
            raise RefusedError(OS_CLOCK_NOT_SET, Group.OS)
        told, at_ms = self._clock
        try:
            now = told + timedelta(milliseconds=self.now_ms - at_ms)
        except OverflowError:  # the year 9999 is over
            raise RefusedError(OS_CLOCK_NOT_SET, Group.OS) from None
        return {"datetime": now.isoformat(timespec="milliseconds").removesuffix("+00:00")}

    def _set_clock(self, fields: Fields) -> Answer:
        told = fields.get("datetime")
        try:
            wanted = datetime.fromisoformat(told if isinstance(told, str) else "")
        except ValueError:
            raise RefusedError(Error.INVALID) from None
        self._clock = wanted.replace(tzinfo=UTC), self.now_ms
        return {}

    def _reset(self, fields: Fields) -> Answer:
        self.wants_reset, self.wants_recovery = True, fields.get("boot_mode") == 1
        return {}

    def _parameters(self, _: Fields) -> Answer:
        return {"buf_size": SMP_BUFFER_BYTES, "buf_count": BUFFERS}

    def _about(self, fields: Fields) -> Answer:
        letters = fields.get("format", "s")
        if not isinstance(letters, str) or not letters or set(letters) - set(_ABOUT) - {"a"}:
            raise RefusedError(OS_INVALID_FORMAT, Group.OS)
        wanted = _ABOUT if "a" in letters else letters
        return {"output": " ".join(text for letter, text in _ABOUT.items() if letter in wanted)}

    def _bootloader(self, fields: Fields) -> Answer:
        query = fields.get("query")
        if query is None:
            return {"bootloader": "MCUboot"}
        if query != "mode":
            raise RefusedError(OS_QUERY_UNKNOWN, Group.OS)
        return {"mode": MODE_SWAP_USING_SCRATCH, "no-downgrade": True}

    def _count(self, _: Fields) -> Answer:
        return {"count": len(GROUPS)}

    def _list(self, _: Fields) -> Answer:
        return {"groups": list(GROUPS)}

    def _at(self, fields: Fields) -> Answer:
        index = fields.get("index", 0)
        if type(index) is not int or not 0 <= index < len(GROUPS):
            raise RefusedError(ENUMERATION_INDEX_TOO_LARGE, Group.ENUMERATION)
        answer: Answer = {"group": int(GROUPS[index])}
        return answer | ({"end": True} if index == len(GROUPS) - 1 else {})

    def _details(self, fields: Fields) -> Answer:
        wanted = fields.get("groups", list(GROUPS))
        if not isinstance(wanted, list):
            raise RefusedError(Error.INVALID)
        return {
            "groups": [
                {"group": int(group), "name": name} for group, name in NAMES.items()
                if group in wanted
            ]
        }  # fmt: skip
