"""A text as a code to be scanned: an SVG element, drawn by the server."""

import io

import qrcode
from markupsafe import Markup
from qrcode.image.svg import SvgPathFillImage

_QUIET_MODULES = 4  # ISO/IEC 18004


def code_picture(content: str) -> Markup:
    """The code as an SVG element, black on white, with its quiet zone."""
    code = qrcode.QRCode(border=_QUIET_MODULES, image_factory=SvgPathFillImage)
    code.add_data(content)
    stream = io.BytesIO()
    code.make_image().save(stream)
    text = stream.getvalue().decode()
    return Markup(text[text.index("<svg") :])  # noqa: S704  # drawn from modules
