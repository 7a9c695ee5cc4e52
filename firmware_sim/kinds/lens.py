"""What people do to any device with a lens: hold a code before it, take it away."""

import base64
import binascii
from typing import Annotated, Protocol, Self

from pydantic import Field, model_validator

from firmware_sim.devices.device import Output
from firmware_sim.kinds.kind import Act, ActBody, Hand
from firmware_sim.limits import CODE_CHARS_MAX, PICTURE_BASE64_CHARS_MAX
from firmware_sim.rendering import camera
from protocol.errors import CallerError


class Seeing(Protocol):
    """A device with a lens."""

    def present(self, png: bytes, now_ms: int, *, keep: bool = False) -> list[Output]:
        """Hold a picture before it."""
        ...

    def take_away(self, now_ms: int) -> list[Output]:
        """Take all pictures away."""
        ...


class PresentBody(ActBody):
    """A picture (``png``: base64 of PNG or JPEG) or the words that a code shall say.

    ``symbology`` is what the words are drawn as; ``keep`` leaves the picture there when it is read.
    """

    png: Annotated[
        str,
        Field(
            max_length=PICTURE_BASE64_CHARS_MAX,
            json_schema_extra={"contentEncoding": "base64", "contentMediaType": "image/png"},
        ),
    ] = ""
    text: Annotated[str, Field(max_length=CODE_CHARS_MAX)] = ""
    symbology: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{3,20}$")] = camera.QR
    keep: bool = False

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if bool(self.png) == bool(self.text):
            raise ValueError("give either png or text")
        return self

    def picture(self) -> bytes:
        """The picture's bytes; raises ``CallerError`` for what is no picture or no such code."""
        if self.text:
            return camera.draw_code(self.text, self.symbology)
        try:
            png = base64.b64decode(self.png, validate=True)
        except binascii.Error as error:
            raise CallerError(
                "field_invalid", "png is not base64", detail_zh="png 不是 base64"
            ) from error
        camera.open_picture(png)
        return png


def _present(device: Seeing, body: PresentBody, now_ms: int) -> list[Output]:
    return device.present(body.picture(), now_ms, keep=body.keep)


def _take_away(device: Seeing, _: ActBody, now_ms: int) -> list[Output]:
    return device.take_away(now_ms)


LENS_ACTS = (
    Act("present", "hold a picture before the lens", _present, PresentBody),
    Act("take_away", "take every picture away", _take_away),
)
LENS_HANDS = (Hand("TILLWAY-0001", "present", {"text": "TILLWAY-0001"}),)
