"""Draws the codes whose rules the printer's own tables do not have, with zxing-cpp: one module of
the code to a dot."""

import zxingcpp
from PIL import Image

from firmware_sim.devices.escpos.symbols import Modules

_PDF417_ROW_DOTS = 3
_STACKED = ("PDF417", "CompactPDF417")


def draw_modules(symbology: str, payload: bytes) -> Modules | None:
    """The code's modules; ``None`` where it cannot say the payload. A stacked code has one row of
    modules for each of its rows."""
    is_stacked = symbology in _STACKED
    try:
        kind = zxingcpp.barcode_format_from_str(symbology)
        is_text = symbology.startswith("DataBar")
        content = payload.decode("ascii") if is_text else payload
        drawn = zxingcpp.create_barcode(content, kind).to_image(scale=1, add_quiet_zones=False)
    except (ValueError, RuntimeError):  # UnicodeDecodeError is a ValueError
        return None
    picture = Image.fromarray(drawn).convert("L")
    if is_stacked:
        size = (picture.width, picture.height // _PDF417_ROW_DOTS)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    black = picture.point(lambda ink: 255 * (ink < 128)).convert("1")
    return Modules(black.width, black.tobytes())
