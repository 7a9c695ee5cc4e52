"""Settings from afar: tried out before they are kept. A table, asked by everybody.

Rule 1: a version is looked at once. What was refused or rolled back comes back under a new number.
        One that is refused ends no trial of another, and the end of that says nothing of it.
Rule 2: the settings in force are the confirmed ones, or those on trial; a trial that fails, or that
        a restart cuts short, leaves the confirmed ones in force as they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from protocol.clock import SECOND_MS
from protocol.errors import CallerError
from protocol.settings import SettingValue
from terminal.profile import Profile

Values = Mapping[str, SettingValue]


class SettingsState(StrEnum):
    """Which settings are in force."""

    CONFIRMED = "confirmed"
    TRYING = "trying"


class SettingsStep(StrEnum):
    """What can happen to settings."""

    OFFER = "offer"
    REFUSE = "refuse"
    CONFIRM = "confirm"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: SettingsState
    event: str


_S, _T = SettingsState, SettingsStep
_REFUSED = "SettingsRefused"

TRANSITIONS: dict[tuple[SettingsState, SettingsStep], Edge] = {
    (_S.CONFIRMED, _T.OFFER): Edge(_S.TRYING, "SettingsTried"),
    (_S.CONFIRMED, _T.REFUSE): Edge(_S.CONFIRMED, _REFUSED),
    (_S.TRYING, _T.OFFER): Edge(_S.TRYING, "SettingsTried"),
    (_S.TRYING, _T.REFUSE): Edge(_S.TRYING, _REFUSED),
    (_S.TRYING, _T.CONFIRM): Edge(_S.CONFIRMED, "SettingsConfirmed"),
    (_S.TRYING, _T.FAIL): Edge(_S.CONFIRMED, "SettingsRolledBack"),
}

_OUTCOMES = {
    _T.OFFER: "trying",
    _T.REFUSE: "refused",
    _T.CONFIRM: "confirmed",
    _T.FAIL: "rolled_back",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a terminal stands with its settings; all that is kept of them."""

    state: SettingsState = SettingsState.CONFIRMED
    version: int = 0
    values: Values = field(default_factory=dict)
    trial_version: int = 0
    trial_values: Values = field(default_factory=dict)
    wanted_version: int = 0
    """The latest that was looked at, with its outcome."""
    outcome: str = "confirmed"
    code: str = ""
    detail: str = ""

    @property
    def in_force(self) -> tuple[int, Values]:
        """The version and the values that count now."""
        if self.state is SettingsState.TRYING:
            return self.trial_version, self.trial_values
        return self.version, self.values

    def offered(self, version: int, values: Values) -> "Standing":
        """New settings are put to the test."""
        after = self._step(_T.OFFER, version)
        return replace(after, trial_version=version, trial_values=values)

    def refused(self, version: int, error: CallerError) -> "Standing":
        """New settings are not even tried."""
        return replace(self._step(_T.REFUSE, version), code=error.code, detail=error.detail)

    def confirmed(self) -> "Standing":
        """The trial is over, and all is well."""
        after = self._step(_T.CONFIRM, self.trial_version)
        return replace(after, version=self.trial_version, values=self.trial_values)

    def failed(self, code: str, detail: str = "") -> "Standing":
        """The trial has failed: back to what was confirmed."""
        after = self._step(_T.FAIL, self.trial_version)
        if self.trial_version < self.wanted_version:
            return after
        return replace(after, code=code, detail=detail)

    def _step(self, step: SettingsStep, version: int) -> "Standing":
        edge = TRANSITIONS.get((self.state, step))
        if edge is None:
            raise CallerError("field_invalid", f"{step} in {self.state}")
        moved = replace(self, state=edge.state)
        if version < self.wanted_version:
            return moved
        return replace(moved, wanted_version=version, outcome=_OUTCOMES[step], code="", detail="")


_FIELDS = {
    "language": "language",
    "sound": "is_spoken",
    "amount_minor_max": "amount_minor_max",
    "biometric_above_minor": "biometric_above_minor",
    "receipt_footer_zh": "receipt_footer_zh",
    "receipt_footer_en": "receipt_footer_en",
}
"""The settings that stand in the profile as they are."""


def applied(own: Profile, values: Values) -> Profile:
    """The machine's own profile with these settings over it; ``setting_unfit`` for what this
    terminal has no use for."""
    if "mandate" in values.get("methods", ()) and own.mandate_id is None:  # type: ignore[operator]  # a list
        raise CallerError("setting_unfit", "methods: no mandate here")
    changes: dict[str, object] = {
        name: values[setting] for setting, name in _FIELDS.items() if setting in values
    }
    if "methods" in values:
        changes["methods"] = tuple(values["methods"])  # type: ignore[arg-type]  # a list
    if "idle_lock_s" in values:
        changes["idle_lock_ms"] = int(values["idle_lock_s"]) * SECOND_MS  # type: ignore[arg-type]
    return replace(own, **changes)  # type: ignore[arg-type]  # their kinds were checked


def effective(profile: Profile) -> dict[str, SettingValue | None]:
    """Every setting as it is in force, whoever set it. None: it has no value here."""
    plain: dict[str, SettingValue | None] = {
        setting: getattr(profile, name) for setting, name in _FIELDS.items()
    }
    plain["methods"] = list(profile.methods)
    plain["idle_lock_s"] = profile.idle_lock_ms // SECOND_MS
    return plain
