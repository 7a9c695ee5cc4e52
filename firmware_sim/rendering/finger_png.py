"""What the sensor's image buffer holds, as a picture."""

import io

from PIL import Image


def draw_finger(picture: bytes, size: tuple[int, int]) -> bytes:
    """A PNG of a picture of 4 bits a point, ``size`` points wide and high."""
    points = bytes(shade * 17 for pair in picture for shade in (pair >> 4, pair & 0xF))
    stream = io.BytesIO()
    Image.frombytes("L", size, points).save(stream, "PNG")
    return stream.getvalue()
