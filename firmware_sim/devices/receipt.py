"""What came out of a printer: lines, codes and pictures, independent of how they are drawn.

``Receipt.to_text`` is what a person would type off the paper; ``to_json`` keeps the styles.
"""

import hashlib
from dataclasses import asdict, dataclass, field

LINE_DOTS = 30
CELL_DOTS = (12, 24)


@dataclass(frozen=True, slots=True)
class Style:
    """How characters look."""

    bold: bool = False
    underline: int = 0
    width: int = 1
    height: int = 1
    reverse: bool = False
    font_b: bool = False
    chinese: bool = True

    def columns_of(self, character: str) -> int:
        """Two columns for all that the Chinese font ROM draws, which is all but ASCII."""
        return 2 if self.chinese and ord(character) >= 0x80 else 1


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters of one style."""

    text: str
    style: Style

    @property
    def columns(self) -> int:
        """Columns of font A that the run takes; Chinese characters take two each."""
        wide = sum(map(self.style.columns_of, self.text))
        return wide * self.style.width


@dataclass(frozen=True, slots=True)
class TextLine:
    """One printed line."""

    align: int
    spans: tuple[Span, ...]
    line_dots: int = LINE_DOTS

    @property
    def text(self) -> str:
        """The line's characters."""
        return "".join(span.text for span in self.spans)

    @property
    def dots(self) -> int:
        """The paper it takes: the line spacing, or more for tall characters."""
        tallest = max((span.style.height for span in self.spans), default=1)
        return max(self.line_dots, tallest * CELL_DOTS[1])


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code that the printer drew itself."""

    align: int
    payload: bytes
    module_dots: int
    correction: str

    @property
    def dots(self) -> int:
        """An estimate for the paper model; the picture shows the truth."""
        return (25 + 4 * (len(self.payload) // 20)) * self.module_dots


@dataclass(frozen=True, slots=True)
class Barcode:
    """A linear code that the printer drew itself."""

    align: int
    symbology: str
    payload: bytes
    dots: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A raster: rows of bytes, the left dot in the highest bit, 1 is black."""

    align: int
    row_bytes: int
    rows: bytes
    scale_x: int = 1
    scale_y: int = 1

    @property
    def height(self) -> int:
        """Rows before scaling."""
        return len(self.rows) // self.row_bytes if self.row_bytes else 0

    @property
    def dots(self) -> int:
        """Rows on paper."""
        return self.height * self.scale_y


@dataclass(frozen=True, slots=True)
class Blank:
    """White paper."""

    dots: int


Block = TextLine | QrCode | Barcode | Picture | Blank


@dataclass(frozen=True, slots=True)
class Receipt:
    """A piece of paper that was cut off."""

    number: int
    at_ms: int
    cut: str
    width_dots: int
    blocks: tuple[Block, ...] = field(default_factory=tuple)

    @property
    def codes(self) -> list[bytes]:
        """What the QR codes on it say."""
        return [block.payload for block in self.blocks if isinstance(block, QrCode)]

    def to_text(self) -> str:
        """The paper as characters, codes named in brackets."""
        rows = [_as_text(block, self.width_dots // CELL_DOTS[0]) for block in self.blocks]
        return "\n".join(row.rstrip() for row in rows if row is not None) + "\n"

    def to_json(self) -> dict[str, object]:
        """The paper as plain values; pictures by size and SHA-256."""
        return {
            "number": self.number,
            "at_ms": self.at_ms,
            "cut": self.cut,
            "width_dots": self.width_dots,
            "text": self.to_text(),
            "blocks": [_as_json(block) for block in self.blocks],
        }


def _as_text(block: Block, columns: int) -> str | None:
    match block:
        case TextLine():
            free = max(0, columns - sum(span.columns for span in block.spans))
            indent = {1: free // 2, 2: free}.get(block.align, 0)
            return " " * indent + block.text
        case QrCode():
            return f"[QR {block.payload.decode('utf-8', errors='backslashreplace')}]"
        case Barcode():
            payload = block.payload.decode("latin-1")
            return f"[{block.symbology} {payload}]"
        case Picture():
            return f"[picture {block.row_bytes * 8}x{block.height}]"
        case Blank():
            return "" if block.dots >= CELL_DOTS[1] else None


def _as_json(block: Block) -> dict[str, object]:
    match block:
        case TextLine():
            spans = [{"text": span.text, **asdict(span.style)} for span in block.spans]
            return {"kind": "text", "align": block.align, "spans": spans}
        case QrCode() | Barcode():
            kind = "qr" if isinstance(block, QrCode) else block.symbology
            payload = block.payload.decode("utf-8", errors="backslashreplace")
            return {"kind": kind, "align": block.align, "payload": payload}
        case Picture():
            digest = hashlib.sha256(block.rows).hexdigest()
            return {
                "kind": "picture", "align": block.align, "sha256": digest,
                "width": block.row_bytes * 8, "height": block.height,
            }  # fmt: skip
        case Blank():
            return {"kind": "blank", "dots": block.dots}
