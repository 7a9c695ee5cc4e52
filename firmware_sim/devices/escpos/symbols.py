"""Codes that the printer draws itself: what GS k and GS ( k have set, and what they print.

Rule 1: what a code cannot hold, or the paper is too narrow for, is not printed at all, as on the
real machine; ``SymbolRefusedError`` says why, for people who wonder at the white paper.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from firmware_sim.devices.escpos import linear
from firmware_sim.devices.escpos.numbers import number_of
from firmware_sim.devices.paper import Barcode, Matrix, QrCode

_BARCODES = (
    "UPCA", "UPCE", "EAN13", "EAN8", "Code39", "ITF", "Codabar", "Code93", "Code128", "GS1-128",
)  # fmt: skip
"""GS k m: 0 to 6 with a NUL at the end, 65 to 74 with a length."""
_FIRST_OLD_MAX, _FIRST_NEW = 6, 65
_DATABARS = {75: "DataBar", 76: "DataBar", 77: "DataBarLimited", 78: "DataBarExpanded"}
"""GS k m; 76 is 75 with less height, which GS h says anyway."""
PDF417 = 48
MATRICES = {PDF417: "PDF417", 53: "Aztec", 54: "DataMatrix"}
"""GS ( k cn, beside QR."""
_CORRECTION = {48: "L", 49: "M", 50: "Q", 51: "H"}
QR_BYTES_BY_VERSION: dict[str, tuple[int, ...]] = {
    "L": (17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718,
          792, 858, 929, 1003, 1091, 1171, 1273, 1367, 1465, 1528, 1628, 1732, 1840, 1952, 2068,
          2188, 2303, 2431, 2563, 2699, 2809, 2953),
    "M": (14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560,
          624, 666, 711, 779, 857, 911, 997, 1059, 1125, 1190, 1264, 1370, 1452, 1538, 1628,
          1722, 1809, 1911, 1989, 2099, 2213, 2331),
    "Q": (11, 20, 32, 46, 60, 74, 86, 108, 130, 151, 177, 203, 241, 258, 292, 322, 364, 394, 442,
          482, 509, 565, 611, 661, 715, 751, 805, 868, 908, 982, 1030, 1112, 1168, 1228, 1283,
          1351, 1423, 1499, 1579, 1663),
    "H": (7, 14, 24, 34, 44, 58, 64, 84, 98, 119, 137, 155, 177, 194, 220, 250, 280, 310, 338,
          382, 403, 439, 461, 511, 535, 593, 625, 658, 698, 742, 790, 842, 898, 958, 983, 1051,
          1093, 1139, 1219, 1273),
}  # fmt: skip
"""ISO/IEC 18004, table 7: bytes that versions 1 to 40 hold, by level of correction."""


class SymbolRefusedError(Exception):
    """Why a code is not printed."""


@dataclass(frozen=True, slots=True)
class Modules:
    """A code drawn one module to a bit: rows of bytes, the left one in the highest bit."""

    width: int
    rows: bytes

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return (self.width + 7) // 8

    def bars(self) -> tuple[int, ...]:
        """Widths of bars and gaps of the first row, in modules, from its first bar to its last."""
        row = self.rows[: self.row_bytes]
        marks = [row[at // 8] >> (7 - at % 8) & 1 for at in range(self.width)]
        edges = [at for at, (one, after) in enumerate(pairwise([0, *marks, 0])) if one != after]
        return tuple(right - left for left, right in pairwise(edges))


DrawModules = Callable[[str, bytes], Modules | None]
"""Draws a code of a symbology that is not in the printer's own tables; ``None`` where it cannot."""


@dataclass(slots=True)
class _MatrixSettings:
    module_dots: int = 3
    row_modules: int = 3
    is_truncated: bool = False
    payload: bytes = b""


@dataclass(slots=True)
class Symbols:
    """The settings of all codes, and the data stored last for each kind of them."""

    draw: DrawModules
    bar_dots: int = 162
    module_dots: int = 3
    hri: int = 0
    is_hri_font_b: bool = False
    qr_module_dots: int = 3
    qr_correction: str = "L"
    qr_payload: bytes = b""
    _matrices: dict[int, _MatrixSettings] = field(
        default_factory=lambda: {kind: _MatrixSettings() for kind in MATRICES}
    )

    def set_bar_height(self, data: bytes) -> None:
        """GS h n."""
        self.bar_dots = data[0] or self.bar_dots

    def set_module(self, data: bytes) -> None:
        """GS w n: 2 to 6 dots; many clones take 1, too."""
        if 1 <= data[0] <= 6:
            self.module_dots = data[0]

    def set_hri(self, data: bytes) -> None:
        """GS H n: words none, above, below, both."""
        number = number_of(data[0], 3)
        self.hri = self.hri if number is None else number

    def set_hri_font(self, data: bytes) -> None:
        """GS f n."""
        number = number_of(data[0], 1)
        self.is_hri_font_b = self.is_hri_font_b if number is None else number == 1

    def barcode(self, data: bytes) -> Barcode:
        """GS k, both forms."""
        if data[0] in _DATABARS:
            return self._databar(_DATABARS[data[0]], data[2:])
        is_old = data[0] <= _FIRST_OLD_MAX
        kind = data[0] - (0 if is_old else _FIRST_NEW)
        if not 0 <= kind < len(_BARCODES):
            raise SymbolRefusedError(f"GS k knows no code {data[0]}")
        name, payload = _BARCODES[kind], data[1:-1] if is_old else data[2:]
        try:
            code = linear.encode(name, payload)
        except ValueError as error:
            raise SymbolRefusedError(f"{name}: {error}") from error
        return Barcode(
            align=0, symbology=name, payload=code.text, bars=code.bars(self.module_dots),
            bar_dots=self.bar_dots, words=code.words, hri=self.hri, hri_font_b=self.is_hri_font_b,
        )  # fmt: skip

    def _databar(self, name: str, payload: bytes) -> Barcode:
        bars = tuple(width * self.module_dots for width in self._drawn(name, payload).bars())
        return Barcode(
            align=0, symbology=name, payload=payload, bars=bars, bar_dots=self.bar_dots,
            words=payload.decode("latin-1"), hri=self.hri, hri_font_b=self.is_hri_font_b,
        )  # fmt: skip

    def _drawn(self, name: str, payload: bytes) -> Modules:
        modules = self.draw(name, payload)
        if modules is None:
            raise SymbolRefusedError(f"{name}: cannot say these {len(payload)} bytes")
        return modules

    def set_matrix(self, kind: int, function: int, arguments: bytes) -> None:
        """GS ( k for PDF417, Aztec and Data Matrix: 67 module, 68 height of a row in modules, 70
        truncated, 80 store. Columns, rows and correction are left to whoever draws."""
        settings = self._matrices[kind]
        if function == 80:
            settings.payload = arguments[1:]
        elif function == 67 and arguments and 2 <= arguments[0] <= 16:
            settings.module_dots = arguments[0]
        elif function == 68 and arguments and 2 <= arguments[0] <= 8:
            settings.row_modules = arguments[0]
        elif function == 70 and arguments:
            settings.is_truncated = bool(arguments[0] & 1)

    def matrix(self, kind: int) -> Matrix:
        """What function 81 prints of such a kind."""
        settings, name = self._matrices[kind], MATRICES[kind]
        if kind == PDF417 and settings.is_truncated:
            name = "CompactPDF417"
        if not settings.payload:
            raise SymbolRefusedError(f"{name}: nothing is stored")
        modules = self._drawn(name, settings.payload)
        row_dots = settings.module_dots * (settings.row_modules if kind == PDF417 else 1)
        return Matrix(
            align=0, symbology=name, payload=settings.payload, columns=modules.width,
            rows=modules.rows, module_dots=settings.module_dots, row_dots=row_dots,
        )  # fmt: skip

    def set_qr(self, function: int, arguments: bytes) -> None:
        """GS ( k, functions 167 (67) size, 169 (69) correction, 180 (80) store."""
        if function == 67 and arguments and 1 <= arguments[0] <= 16:
            self.qr_module_dots = arguments[0]
        elif function == 69 and arguments:
            self.qr_correction = _CORRECTION.get(arguments[0], self.qr_correction)
        elif function == 80:
            self.qr_payload = arguments[1:]

    def qr_code(self) -> QrCode:
        """What functions 81 (print) and 82 (how large would it be) speak of."""
        size, level = len(self.qr_payload), self.qr_correction
        if not size:
            raise SymbolRefusedError("QR: nothing is stored")
        fitting = (at for at, most in enumerate(QR_BYTES_BY_VERSION[level], 1) if size <= most)
        version = next(fitting, None)
        if version is None:
            raise SymbolRefusedError(f"QR: {size} bytes are too many for level {level}")
        return QrCode(0, self.qr_payload, self.qr_module_dots, level, version)
