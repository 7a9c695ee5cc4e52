"""A piece of paper that was cut off, read as a person would and as plain values."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from firmware_sim.devices.paper import (
    CELL_DOTS,
    Area,
    Barcode,
    Blank,
    Block,
    Matrix,
    PageSheet,
    Picture,
    Piece,
    Placed,
    QrCode,
    Span,
    TextLine,
)

_COLUMN = CELL_DOTS[0]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A piece of paper that was cut off."""

    number: int
    at_ms: int
    cut: str
    width_dots: int
    blocks: tuple[Block, ...] = field(default_factory=tuple)

    @property
    def pieces(self) -> Iterator[Piece]:
        """Everything that stands on it, from the top."""
        for block in self.blocks:
            match block:
                case TextLine():
                    yield from block.pieces
                case PageSheet():
                    for area in block.areas:
                        yield from (placed.piece for placed in area.pieces)
                case QrCode() | Barcode() | Matrix() | Picture():
                    yield block
                case Blank():
                    pass

    @property
    def codes(self) -> list[bytes]:
        """What the QR codes on it say."""
        return [piece.payload for piece in self.pieces if isinstance(piece, QrCode)]

    @property
    def picture_bytes(self) -> int:
        """The memory that its pictures take."""
        return sum(len(piece.rows) for piece in self.pieces if isinstance(piece, Picture))

    @property
    def length_dots(self) -> int:
        """The paper it took."""
        return sum(block.dots for block in self.blocks)

    def to_text(self) -> str:
        """The paper as characters, each at its column; codes and pictures named in brackets."""
        rows = [row for block in self.blocks for row in _block_rows(block)]
        return "\n".join(row.rstrip() for row in rows) + "\n"

    def to_json(self) -> dict[str, object]:
        """The paper as plain values; pictures by size and SHA-256."""
        return {
            "number": self.number,
            "at_ms": self.at_ms,
            "cut": self.cut,
            "width_dots": self.width_dots,
            "length_dots": self.length_dots,
            "text": self.to_text(),
            "blocks": [_block_json(block) for block in self.blocks],
        }


def _block_rows(block: Block) -> list[str]:
    match block:
        case TextLine():
            return [_row([(piece.left_dots, piece) for piece in block.pieces])]
        case Blank():
            return [""] if block.dots >= CELL_DOTS[1] else []
        case PageSheet():
            return [row for area in block.areas for row in _area_rows(area)]
        case QrCode() | Barcode() | Matrix() | Picture():
            return [_words(block)]


def _area_rows(area: Area) -> list[str]:
    """An area's pieces line by line, read in the area's own direction."""
    rows: dict[int, list[tuple[int, Piece]]] = {}
    for placed in area.pieces:
        foot = placed.top_dots + placed.piece.height_dots
        rows.setdefault(foot, []).append((placed.left_dots, placed.piece))
    return [_row(rows[foot]) for foot in sorted(rows)]


def _row(pieces: list[tuple[int, Piece]]) -> str:
    row, end_dots = "", 0
    for left_dots, piece in sorted(pieces, key=lambda pair: pair[0]):
        row += " " * max(0, (left_dots - end_dots) // _COLUMN)
        row += _words(piece)
        end_dots = left_dots + piece.width_dots
    return row


def _words(piece: Piece) -> str:
    match piece:
        case Span():
            return piece.text
        case QrCode() | Barcode() | Matrix():
            name = "QR" if isinstance(piece, QrCode) else piece.symbology
            return f"[{name} {piece.payload.decode('utf-8', errors='backslashreplace')}]"
        case Picture():
            return f"[picture {piece.row_bytes * 8}x{piece.height}]"


def _block_json(block: Block) -> dict[str, object]:
    match block:
        case TextLine():
            return {
                "kind": "text", "align": block.align, "dots": block.dots,
                "is_upside_down": block.is_upside_down,
                "spans": [_piece_json(span) for span in block.spans],
                "pictures": [_piece_json(picture) for picture in block.pictures],
            }  # fmt: skip
        case Blank():
            return {"kind": "blank", "dots": block.dots}
        case PageSheet():
            areas = [_area_json(area) for area in block.areas]
            return {"kind": "page", "dots": block.dots, "areas": areas}
        case QrCode() | Barcode() | Matrix() | Picture():
            return _piece_json(block)


def _area_json(area: Area) -> dict[str, object]:
    return {
        "left_dots": area.left_dots, "top_dots": area.top_dots, "width_dots": area.width_dots,
        "height_dots": area.height_dots, "direction": area.direction,
        "pieces": [_placed_json(placed) for placed in area.pieces],
    }  # fmt: skip


def _placed_json(placed: Placed) -> dict[str, object]:
    place = {"left_dots": placed.left_dots, "top_dots": placed.top_dots}
    return {**_piece_json(placed.piece), **place}


def _piece_json(piece: Piece) -> dict[str, object]:
    match piece:
        case Span():
            return {"text": piece.text, **asdict(piece.style), "left_dots": piece.left_dots}
        case QrCode() | Barcode() | Matrix():
            shape = asdict(piece)
            shape.pop("bars", None)
            shape.pop("rows", None)
            kind = "qr" if isinstance(piece, QrCode) else piece.symbology
            payload = piece.payload.decode("utf-8", errors="backslashreplace")
            return {**shape, "kind": kind, "payload": payload, "width_dots": piece.width_dots}
        case Picture():
            shape = asdict(piece)
            shape.pop("rows")
            digest = hashlib.sha256(piece.rows).hexdigest()
            size = {"width": piece.row_bytes * 8, "height": piece.height}
            return {**shape, **size, "kind": "picture", "sha256": digest}
