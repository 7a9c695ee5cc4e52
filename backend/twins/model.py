"""A device's settings as one thing with two sides: wanted here, in force there.

Rule 1: the versions of one device only rise, above whatever the device has ever looked at, so that
        a device takes the wish of a backend whose database is younger than its journal.
Rule 2: drift is what the device says against what is wanted, name by name; nothing is concluded
        from a version alone.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from protocol.errors import CallerError
from protocol.limits import SETTINGS_PER_DEVICE_MAX
from protocol.settings import SettingValue, check_settings, setting_named

Values = dict[str, SettingValue]
Row = Mapping[str, Any]


class Standing(StrEnum):
    """How a device stands against what is wanted of it."""

    UNREPORTED = "unreported"
    """It has never said anything."""
    WAITING = "waiting"
    """It has not looked at the latest wish yet."""
    TRYING = "trying"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"


ENDED = frozenset({Standing.IN_FORCE, Standing.REFUSED, Standing.ROLLED_BACK})
"""A device that stands so has said all that it will say to this wish."""

AGAIN = frozenset({Standing.REFUSED, Standing.ROLLED_BACK})
"""The same wish may be made again."""

_BY_OUTCOME = {
    "trying": Standing.TRYING,
    "confirmed": Standing.IN_FORCE,
    "refused": Standing.REFUSED,
    "rolled_back": Standing.ROLLED_BACK,
}


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> Values:
    """The values with these changes; None takes a setting back to the machine's own. What is no
    setting, or out of its bounds, is ``setting_unknown`` or ``setting_invalid``."""
    kept = check_settings({name: value for name, value in changes.items() if value is not None})
    dropped = {setting_named(name).name for name, value in changes.items() if value is None}
    after = {name: value for name, value in values.items() if name not in dropped} | kept
    if len(after) > SETTINGS_PER_DEVICE_MAX:
        raise CallerError("field_invalid", "too many settings")
    return after


def next_version(row: Row | None) -> int:
    """The number of the next wish."""
    if row is None:
        return 1
    return int(max(row["wanted_version"], row["looked_at_version"])) + 1


def standing_of(row: Row) -> Standing:
    """How the device of this row stands."""
    if not row["reported_number"]:
        return Standing.UNREPORTED
    if row["looked_at_version"] < row["wanted_version"]:
        return Standing.WAITING
    return _BY_OUTCOME[row["outcome"]]


def drift_of(row: Row) -> dict[str, dict[str, Any]]:
    """Every wanted setting that is not in force as wanted: ``{name: {wanted, actual}}``."""
    wanted, actual = json.loads(row["wanted"]), json.loads(row["actual"])
    return {
        name: {"wanted": value, "actual": actual.get(name)}
        for name, value in wanted.items()
        if actual.get(name) != value
    }
