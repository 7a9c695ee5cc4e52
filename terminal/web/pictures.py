"""The merchant's QR code as pictures. ISO/IEC 18004 asks for a quiet zone of four modules."""

import io
import os
from pathlib import Path

import qrcode
from qrcode.image.svg import SvgPathFillImage

QUIET_MODULES = 4
_PNG_MODULE_PIXELS = 10


def svg(content: str) -> str:
    """The code as an SVG element, black on white, with its quiet zone."""
    code = qrcode.QRCode(border=QUIET_MODULES, image_factory=SvgPathFillImage)
    code.add_data(content)
    picture = code.make_image().to_string(encoding="unicode")
    return str(picture)


def png(content: str) -> bytes:
    """The code as a PNG."""
    code = qrcode.QRCode(border=QUIET_MODULES, box_size=_PNG_MODULE_PIXELS)
    code.add_data(content)
    stream = io.BytesIO()
    code.make_image().save(stream, "PNG")
    return stream.getvalue()


def write_png(path: Path, content: str | None) -> None:
    """Keep the picture in a file, whole at any moment; without content there is no file."""
    if content is None:
        path.unlink(missing_ok=True)
        return
    partial = path.with_suffix(".partial")
    partial.write_bytes(png(content))
    os.replace(partial, path)  # noqa: PTH105
