"""Pictures as the commands bring them, turned into rows; and the places where they are kept."""

from dataclasses import dataclass, field, replace

from firmware_sim.devices.paper import Picture
from firmware_sim.limits import NV_PICTURE_BYTES_MAX

_COLUMN_SCALES = {0: (2, 3), 1: (1, 3), 32: (2, 1), 33: (1, 1)}
"""ESC * m: single and double density, in dots of the head."""


def raster(data: bytes) -> Picture:
    """GS v 0 m xL xH yL yH d…: m's bits are double width and double height."""
    mode, row_bytes = data[0], data[1] | data[2] << 8
    return Picture(0, row_bytes, data[5:], 2 if mode & 1 else 1, 2 if mode & 2 else 1)


def column_image(data: bytes) -> Picture | None:
    """ESC * m nL nH d…: columns of 8 or 24 dots. ``None`` for a mode that does not exist."""
    if data[0] not in _COLUMN_SCALES:
        return None
    deep = 3 if data[0] in (32, 33) else 1
    scale_x, scale_y = _COLUMN_SCALES[data[0]]
    return replace(from_columns(data[3:], deep), scale_x=scale_x, scale_y=scale_y)


def from_columns(columns: bytes, deep: int) -> Picture:
    """Columns of ``deep`` bytes, the upper dot in the highest bit, as rows."""
    width = len(columns) // deep if deep else 0
    row_bytes = (width + 7) // 8
    rows = bytearray(row_bytes * deep * 8)
    for at, value in enumerate(columns[: width * deep]):
        if not value:
            continue
        x, top = at // deep, at % deep * 8
        for y in range(8):
            if value & 0x80 >> y:
                rows[(top + y) * row_bytes + x // 8] |= 0x80 >> x % 8
    return Picture(0, row_bytes, bytes(rows))


def magnify(picture: Picture, mode: int) -> Picture:
    """GS / m and FS p n m: bit 0 doubles the width, bit 1 the height."""
    return replace(picture, scale_x=2 if mode & 1 else 1, scale_y=2 if mode & 2 else 1)


def crop(picture: Picture, width_dots: int) -> Picture:
    """What the head can print of it: no more bytes across than the paper has."""
    most = max(1, -(-width_dots // (8 * picture.scale_x)))
    if picture.row_bytes <= most:
        return picture
    rows = (
        picture.rows[start : start + most]
        for start in range(0, len(picture.rows), picture.row_bytes)
    )
    return replace(picture, row_bytes=most, rows=b"".join(rows))


@dataclass(slots=True)
class PictureStore:
    """Pictures for later: one of GS ( L and one of GS * until power goes, and those of FS q,
    which stay."""

    graphic: Picture | None = None
    downloaded: Picture | None = None
    kept: dict[int, Picture] = field(default_factory=dict)

    def store_graphic(self, data: bytes) -> bool:
        """GS ( L, from m on: functions 112 (rows) and 113 (columns). Whether it was one."""
        if len(data) < 10 or data[1] not in (112, 113):
            return False
        width, height = data[6] | data[7] << 8, data[8] | data[9] << 8
        if data[1] == 112:
            row_bytes = width + 7 >> 3
            stored = Picture(0, row_bytes, data[10 : 10 + row_bytes * height])
        else:
            deep = height + 7 >> 3
            stored = from_columns(data[10 : 10 + width * deep], deep)
        self.graphic = magnify(stored, (data[3] == 2) | (data[4] == 2) << 1)
        return True

    def download(self, data: bytes) -> None:
        """GS * x y d…: x times 8 columns of y bytes."""
        self.downloaded = from_columns(data[2:], data[1]) if data[0] and data[1] else None

    def keep(self, data: bytes) -> None:
        """FS q n …: these replace all that were kept; beyond the memory's size none is."""
        if len(data) > NV_PICTURE_BYTES_MAX:
            return
        self.kept = {}
        at = 1
        for number in range(1, data[0] + 1):
            across, deep = data[at] | data[at + 1] << 8, data[at + 2] | data[at + 3] << 8
            at += 4
            size = across * 8 * deep
            if size:
                self.kept[number] = from_columns(data[at : at + size], deep)
            at += size
