"""The scanner's eye: finds a code in a PNG with zxing-cpp."""

import io

import qrcode
import zxingcpp
from PIL import Image, UnidentifiedImageError

from firmware_sim.devices.sight import Sighting
from firmware_sim.limits import PICTURE_BYTES_MAX, PICTURE_PIXELS_MAX
from protocol.errors import CallerError

QR = "QRCode"


def decode(png: bytes) -> Sighting | None:
    """The first code in the picture, or ``None`` where there is none."""
    found = zxingcpp.read_barcodes(open_picture(png))
    return Sighting(found[0].format.name, found[0].text) if found else None


def draw_code(text: str, symbology: str = QR) -> bytes:
    """A PNG with a code that says ``text``; ``CallerError("field_invalid")`` where it cannot."""
    stream = io.BytesIO()
    if symbology == QR:
        qrcode.make(text).save(stream)
        return stream.getvalue()
    try:
        kind = zxingcpp.barcode_format_from_str(symbology)
        drawn = zxingcpp.create_barcode(text, kind).to_image(scale=3, add_quiet_zones=True)
    except (ValueError, RuntimeError) as error:
        raise CallerError(
            "field_invalid",
            f"no {symbology} can say that: {error}",
            detail_zh=f"{symbology} 码说不出这些内容：{error}",
        ) from error
    Image.fromarray(drawn).save(stream, format="PNG")
    return stream.getvalue()


def open_picture(png: bytes) -> Image.Image:
    """The picture in grey; raises ``CallerError("field_invalid")`` for what is not a picture."""
    if not 1 <= len(png) <= PICTURE_BYTES_MAX:
        raise CallerError(
            "field_invalid",
            f"a picture has 1 to {PICTURE_BYTES_MAX} bytes",
            detail_zh=f"图片须有 1 到 {PICTURE_BYTES_MAX} 字节",
        )
    try:
        picture = Image.open(io.BytesIO(png), formats=["PNG", "JPEG"])
        if picture.width * picture.height > PICTURE_PIXELS_MAX:
            raise CallerError(
                "field_invalid",
                f"at most {PICTURE_PIXELS_MAX} pixels",
                detail_zh=f"最多 {PICTURE_PIXELS_MAX} 像素",
            )
        return picture.convert("L")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise CallerError(
            "field_invalid",
            "the body is not a PNG or JPEG picture",
            detail_zh="这不是 PNG 或 JPEG 图片",
        ) from error
