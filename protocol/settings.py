"""What may be set on a terminal from afar: the names, their kinds and their limits.

Rule 1: backend and terminal check by this one table; the terminal checks again what it is sent.
Rule 2: a name is never given another meaning. A new one raises ``SCHEMA_VERSION``, so that the
        backend sees which terminals know it.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.errors import CallerError
from protocol.limits import SETTING_TEXT_CHARS_MAX
from protocol.messages.base import check_characters
from protocol.money import AMOUNT_MINOR_MAX

SCHEMA_VERSION = 1
SettingValue = bool | int | str | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that may be set. ``kind`` says which of the bounds count."""

    name: str
    kind: str
    """``whole`` (low to high), ``text`` (at most ``chars_max`` characters), ``switch``, ``choice``
    (one of ``choices``) or ``choices`` (some of them, at least one)."""
    meaning: str
    low: int = 0
    high: int = 0
    chars_max: int = 0
    choices: tuple[str, ...] = ()

    def check(self, value: object) -> SettingValue:
        """The value as it is kept; ``setting_invalid`` names the setting and its bounds."""
        fits = {
            "whole": self._is_whole,
            "text": self._is_text,
            "switch": lambda found: isinstance(found, bool),
            "choice": lambda found: found in self.choices,
            "choices": self._are_choices,
        }[self.kind]
        if not fits(value):
            raise CallerError("setting_invalid", f"{self.name}: {self.bounds()}")
        return value  # type: ignore[return-value]  # its kind was just checked

    def bounds(self) -> str:
        """What it takes, in words."""
        return {
            "whole": f"a whole number from {self.low} to {self.high}",
            "text": f"at most {self.chars_max} printable characters",
            "switch": "true or false",
            "choice": "one of " + ", ".join(self.choices),
            "choices": "a list of " + ", ".join(self.choices),
        }[self.kind]

    def _is_whole(self, value: object) -> bool:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return is_number and self.low <= value <= self.high  # type: ignore[operator]  # a number

    def _is_text(self, value: object) -> bool:
        if not isinstance(value, str) or len(value) > self.chars_max:
            return False
        try:
            check_characters(value)
        except ValueError:
            return False
        return True

    def _are_choices(self, value: object) -> bool:
        if not isinstance(value, list) or not value:
            return False
        return all(one in self.choices for one in value) and len(set(value)) == len(value)


_ALL = (
    Setting(name="language", kind="choice", choices=("zh", "en"),
            meaning="the till's language before a cashier has chosen one"),
    Setting(name="sound", kind="switch", meaning="whether the till says aloud what was paid"),
    Setting(name="idle_lock_s", kind="whole", low=30, high=3_600,
            meaning="without a touch for so long the till asks who is there"),
    Setting(name="methods", kind="choices",
            choices=("pay_code", "merchant_qr", "mandate", "offline_token"),
            meaning="how payers may pay here, the usual way first"),
    Setting(name="amount_minor_max", kind="whole", low=1, high=AMOUNT_MINOR_MAX,
            meaning="the largest sale"),
    Setting(name="biometric_above_minor", kind="whole", low=0, high=AMOUNT_MINOR_MAX,
            meaning="above this amount the payer's finger is asked for"),
    Setting(name="receipt_footer_zh", kind="text", chars_max=SETTING_TEXT_CHARS_MAX,
            meaning="the last line of a receipt in Chinese"),
    Setting(name="receipt_footer_en", kind="text", chars_max=SETTING_TEXT_CHARS_MAX,
            meaning="the last line of a receipt in English"),
)  # fmt: skip

SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in _ALL}


def setting_named(name: str) -> Setting:
    """The setting of this name; ``setting_unknown`` with the nearest name there is."""
    found = SETTINGS.get(name)
    if found is not None:
        return found
    near = difflib.get_close_matches(name, SETTINGS, n=1)
    hint = f"{name[:40]}: did you mean {near[0]}?" if near else f"{name[:40]}"
    raise CallerError("setting_unknown", hint)


def check_settings(values: Mapping[str, Any]) -> dict[str, SettingValue]:
    """The values, each within its bounds; ``setting_unknown`` or ``setting_invalid``."""
    return {name: setting_named(name).check(value) for name, value in sorted(values.items())}
