"""The charge point's settings: OCPP 1.6's configuration keys, OCPP 2.0.1's variables.

Both are the same thing with other names: a key with a text, a type that the text must have, and
whether the central system may change it. A 2.0.1 key is ``Component.Variable``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from firmware_sim.devices.ocpp.limits import SETTING_CHARS_MAX


class Kind(Enum):
    """The type of a setting's text."""

    WHOLE = "integer"
    FLAG = "boolean"
    TEXT = "string"
    CHOICE = "OptionList"
    MEMBERS = "MemberList"


class Change(Enum):
    """What came of a change."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REBOOT = "reboot"
    UNKNOWN = "unknown"
    READ_ONLY = "read_only"


@dataclass(frozen=True, slots=True)
class Row:
    """One setting as the maker made it."""

    key: str
    value: str
    kind: Kind = Kind.TEXT
    is_read_only: bool = False
    minimum: int = 0
    maximum: int = 2**31 - 1
    choices: tuple[str, ...] = ()
    needs_reboot: bool = False
    unit: str = ""


@dataclass(slots=True)
class Settings:
    """The settings now; they are in flash, each change at once."""

    rows: dict[str, Row]
    _values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def made_of(cls, rows: Iterable[Row]) -> "Settings":
        """Settings as the maker made them."""
        return cls({row.key: row for row in rows})

    def text(self, key: str) -> str:
        """A setting's text."""
        return self._values.get(key, self.rows[key].value)

    def whole(self, key: str) -> int:
        """A setting that is a number."""
        return int(self.text(key))

    def flag(self, key: str) -> bool:
        """A setting that is a truth value."""
        return self.text(key).lower() == "true"

    def members(self, key: str) -> list[str]:
        """A setting that is a list divided by commas."""
        return [word.strip() for word in self.text(key).split(",") if word.strip()]

    def change(self, key: str, value: str) -> Change:
        """What the central system does to a setting."""
        row = self.rows.get(key)
        if row is None:
            return Change.UNKNOWN
        if row.is_read_only:
            return Change.READ_ONLY
        if not fits(row, value):
            return Change.REJECTED
        self._values[key] = value
        return Change.REBOOT if row.needs_reboot else Change.ACCEPTED

    def put(self, key: str, value: str) -> None:
        """What the charger itself does to a setting; the value must fit."""
        assert fits(self.rows[key], value), key
        self._values[key] = value


def fits(row: Row, value: str) -> bool:
    """Whether a text has the setting's type and lies within its bounds."""
    if len(value) > SETTING_CHARS_MAX:
        return False
    match row.kind:
        case Kind.WHOLE:
            is_whole = value.isascii() and value.isdigit() and len(value) <= 10
            return is_whole and row.minimum <= int(value) <= row.maximum
        case Kind.FLAG:
            return value.lower() in {"true", "false"}
        case Kind.CHOICE:
            return value in row.choices
        case Kind.MEMBERS:
            words = [word.strip() for word in value.split(",") if word.strip()]
            return set(words) <= set(row.choices)
    return True
