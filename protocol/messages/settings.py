"""Settings of a device: what is wanted of it, and what it has made of that."""

from typing import Annotated, Any, Literal

from pydantic import Field

from protocol.limits import COUNTER_MAX, SETTINGS_PER_DEVICE_MAX, TEXT_CHARS_MAX
from protocol.messages.base import Body, Name, Text

_Count = Annotated[int, Field(ge=0, le=COUNTER_MAX)]
SettingText = Annotated[str, Field(max_length=TEXT_CHARS_MAX)]
SettingList = Annotated[list[SettingText], Field(max_length=SETTINGS_PER_DEVICE_MAX)]
SettingValues = Annotated[
    dict[Name, bool | int | SettingText | SettingList | None],
    Field(max_length=SETTINGS_PER_DEVICE_MAX),
]
SettingsOutcome = Literal["confirmed", "trying", "refused", "rolled_back"]


class DeviceSettings(Body):
    """What a terminal has made of the settings it was sent.

    ``number`` counts its reports; ``version`` is in force with these ``values``, the machine's own
    among them; ``wanted_version`` is the latest that it looked at, with its ``outcome``, and
    ``code`` and ``detail`` where that one is not in force.
    """

    number: Annotated[int, Field(ge=1, le=COUNTER_MAX)]
    schema_version: _Count
    version: _Count
    wanted_version: _Count
    outcome: SettingsOutcome
    code: SettingText = ""
    detail: Text = ""
    values: SettingValues


class SettingsWanted(Body):
    """What a device is to be set to; what is not named stays as its own machine says. The values
    are checked by ``protocol.settings``, which names the one that is wrong."""

    version: _Count
    values: Annotated[dict[SettingText, Any], Field(max_length=SETTINGS_PER_DEVICE_MAX)]
