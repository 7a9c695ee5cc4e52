"""The GM65 scanner on a board."""

import base64
import binascii
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from firmware_sim.devices.device import Output
from firmware_sim.devices.gm65 import Gm65
from firmware_sim.frames import Frame, Side, masked_number
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Kind, State
from firmware_sim.limits import CODE_CHARS_MAX, PICTURE_BASE64_CHARS_MAX
from firmware_sim.rendering import camera
from protocol.errors import CallerError
from protocol.framing import gm65


class ScannerEntry(DeviceEntry):
    """A GM65 code scanner."""

    kind: Literal["gm65"]


class PresentBody(ActBody):
    """A picture (``png``: base64 of PNG or JPEG) or the words that a QR code shall say."""

    png: Annotated[str, Field(max_length=PICTURE_BASE64_CHARS_MAX)] = ""
    text: Annotated[str, Field(max_length=CODE_CHARS_MAX)] = ""
    keep: bool = False

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if bool(self.png) == bool(self.text):
            raise ValueError("give either png or text")
        return self

    def picture(self) -> bytes:
        """The picture's bytes; raises ``CallerError`` for what is no picture."""
        if self.text:
            return camera.draw_code(self.text)
        try:
            png = base64.b64decode(self.png, validate=True)
        except binascii.Error as error:
            raise CallerError("field_invalid", "png is not base64") from error
        camera.open_picture(png)
        return png


class GmDecoder:
    """Commands of the host; replies and printed codes of the scanner."""

    def __init__(self) -> None:
        self._commands = gm65.CommandParser()
        self._replies = gm65.HostParser()

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        if side is Side.HOST:
            return [_command(command) for command in self._commands.feed(data, 0)]
        return [_said(item) for item in self._replies.feed(data)]


def _command(command: gm65.Command) -> Frame:
    fields: dict[str, str | int] = {
        "address": f"{command.address:04x}", "data": command.data.hex(),
    }  # fmt: skip
    return Frame(Side.HOST, gm65.encode_command(command), command.type.name.lower(), fields)


def _said(item: gm65.HostItem) -> Frame:
    match item:
        case gm65.Reply():
            fields: dict[str, str | int] = {"status": item.status, "data": item.data.hex()}
            return Frame(Side.DEVICE, gm65.encode_reply(item), "reply", fields)
        case gm65.Text():
            code = item.data.decode("ascii", errors="backslashreplace")
            return Frame(Side.DEVICE, item.data + gm65.TAIL, "code", {"text": masked_number(code)})
        case gm65.Damaged():
            return Frame(Side.DEVICE, b"", "junk", {"why": item.why}, is_valid=False)


def _state(scanner: Gm65) -> State:
    return {
        "is_reading": scanner.is_reading, "pictures_waiting": scanner.pictures_waiting,
        "codes_read": scanner.codes_read, "baud": scanner.baud,
    }  # fmt: skip


def _present(scanner: Gm65, body: PresentBody, now_ms: int) -> list[Output]:
    return scanner.present(body.picture(), now_ms, keep=body.keep)


KIND = Kind(
    name="gm65",
    summary="QR scanner GROW GM65",
    entry=ScannerEntry,
    build=lambda _entry, _seed: Gm65(camera.decode),
    state=_state,
    decoder=GmDecoder,
    counters=("codes_read",),
    acts=(
        Act("present", "hold a picture before the lens", _present, PresentBody),
        Act("take_away", "take it away", lambda scanner, _, __: scanner.take_away()),
        Act("press", "press the button", lambda scanner, _, now_ms: scanner.press_button(now_ms)),
    ),
)
