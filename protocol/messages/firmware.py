"""Firmware of a device's controller board: what is wanted, and how far the device has come."""

from typing import Annotated, Literal

from pydantic import Field

from protocol.limits import COUNTER_MAX, FIRMWARE_BYTES_MAX, TEXT_CHARS_MAX
from protocol.messages.base import Body, Text

_Count = Annotated[int, Field(ge=0, le=COUNTER_MAX)]
_Short = Annotated[str, Field(max_length=TEXT_CHARS_MAX)]
_Digest = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
FirmwareStep = Literal[
    "waiting", "downloading", "installing", "trying", "confirmed", "refused", "failed"
]


class DeviceFirmware(Body):
    """How far a device has come with the wish of ``wanted_version``. ``number`` counts its reports;
    ``running_hash`` is the hash by which the board names what it runs, where that is known."""

    number: Annotated[int, Field(ge=1, le=COUNTER_MAX)]
    wanted_version: _Count
    state: FirmwareStep
    code: _Short = ""
    detail: Text = ""
    running_version: _Short = ""
    running_hash: _Digest = ""


class FirmwareWanted(Body):
    """What a device's board is to run; an empty digest: nothing is wanted. ``digest`` is SHA-256 of
    the file, which the store's hub hands out in pieces."""

    version: _Count
    digest: _Digest
    size: Annotated[int, Field(ge=0, le=FIRMWARE_BYTES_MAX)] = 0
