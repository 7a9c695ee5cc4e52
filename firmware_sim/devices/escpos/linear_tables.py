"""The characters of the linear codes, as widths of bars and gaps (a bar first), and Code 128's
sets. In ``CODE39``, ``CODABAR`` and ``ITF`` a 1 is a wide element."""


def _table(patterns: str) -> tuple[str, ...]:
    return tuple(patterns.split())


EAN_WIDTHS = ("3211", "2221", "2122", "1411", "1132", "1231", "1114", "1312", "1213", "3112")
"""Set L; set G is read backwards, and set R is set L with bars for gaps."""
EAN13_PARITY = (
    "LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL",
    "LGGLGL",
)  # fmt: skip
UPCE_PARITY = (
    "GGGLLL", "GGLGLL", "GGLLGL", "GGLLLG", "GLGGLL", "GLLGGL", "GLLLGG", "GLGLGL", "GLGLLG",
    "GLLGLG",
)  # fmt: skip
CODE39 = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. *$/+%",
        _table(
            "000110100 100100001 001100001 101100000 000110001 100110000 001110000 000100101 "
            "100100100 001100100 100001001 001001001 101001000 000011001 100011000 001011000 "
            "000001101 100001100 001001100 000011100 100000011 001000011 101000010 000010011 "
            "100010010 001010010 000000111 100000110 001000110 000010110 110000001 011000001 "
            "111000000 010010001 110010000 011010000 010000101 110000100 011000100 010010100 "
            "010101000 010100010 010001010 000101010"
        ),
        strict=True,
    )
)
CODABAR = dict(
    zip(
        "0123456789-$:/.+ABCD",
        _table(
            "0000011 0000110 0001001 1100000 0010010 1000010 0100001 0100100 0110000 1001000 "
            "0001100 0011000 1000101 1010001 1010100 0010101 0011010 0101001 0001011 0001110"
        ),
        strict=True,
    )
)
ITF = _table("00110 10001 01001 11000 00101 10100 01100 00011 10010 01010")

CODE93_PLAIN = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
CODE93_SHIFTED = (
    (44, 0x00, 0x00, "U"), (43, 0x01, 0x1A, "A"), (44, 0x1B, 0x1F, "A"), (45, 0x21, 0x2C, "A"),
    (45, 0x3A, 0x3A, "Z"), (44, 0x3B, 0x3F, "F"), (44, 0x40, 0x40, "V"), (44, 0x5B, 0x5F, "K"),
    (44, 0x60, 0x60, "W"), (46, 0x61, 0x7A, "A"), (44, 0x7B, 0x7F, "P"),
)  # fmt: skip
"""Shift, first and last ASCII byte, and the letter that stands for the first."""
CODE93 = _table(
    "131112 111213 111312 111411 121113 121212 121311 111114 131211 141111 211113 211212 211311 "
    "221112 221211 231111 112113 112212 112311 122112 132111 111123 111222 111321 121122 131121 "
    "212112 212211 211122 211221 221121 222111 112122 112221 122121 123111 121131 311112 311211 "
    "321111 112131 113121 211131 121221 312111 311121 122211"
)
CODE93_END = "111141"

CODE128 = _table(
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 "
    "122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 "
    "321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 "
    "211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 "
    "213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 "
    "121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 "
    "241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 "
    "412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 "
    "211214 211232 2331112"
)
CODE128_STOP = 106
_STARTS = {"A": 103, "B": 104, "C": 105}
_CHANGES = {"A": 101, "B": 100, "C": 99}
_FUNCTIONS = {0x31: 102, 0x32: 97, 0x33: 96}
_SHIFT = 98
_BRACE = 0x7B


class Code128Reader:
    """Reads Epson's notation into code values; ``ValueError`` for what no set can say."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self.text = bytearray()
        self._set = ""
        self._is_shifted = False

    def read(self, data: bytes) -> None:
        """All of it; it has to begin with ``{A``, ``{B`` or ``{C`` and say something."""
        at = 0
        while at < len(data):
            if data[at] == _BRACE:
                if at + 1 == len(data):
                    raise ValueError("a brace stands alone")
                self._command(data[at + 1])
                at += 2
            else:
                self._character(data[at])
                at += 1
        if not self.text:
            raise ValueError("an empty Code 128")

    def _command(self, letter: int) -> None:
        name = chr(letter)
        if name in _STARTS:
            self.values.append((_CHANGES if self.values else _STARTS)[name])
            self._set = name
        elif not self._set:
            raise ValueError("Code 128 begins with its set")
        elif letter == _BRACE:
            self._character(letter)
        elif letter == 0x53 and self._set in "AB":
            self.values.append(_SHIFT)
            self._is_shifted = True
        elif letter == 0x34 and self._set in "AB":
            self.values.append(_CHANGES[self._set])
        elif letter in _FUNCTIONS and (self._set in "AB" or letter == 0x31):
            self.values.append(_FUNCTIONS[letter])
        else:
            raise ValueError(f"set {self._set} knows no {{{name}")

    def _character(self, byte: int) -> None:
        if not self._set:
            raise ValueError("Code 128 begins with its set")
        if self._set == "C":
            if byte > 99:
                raise ValueError("set C holds pairs of digits as bytes 0 to 99")
            self.values.append(byte)
            self.text += b"%02d" % byte
            return
        chosen = {"A": "B", "B": "A"}[self._set] if self._is_shifted else self._set
        self._is_shifted = False
        self.values.append(_value(byte, chosen))
        self.text.append(byte)


def _value(byte: int, chosen: str) -> int:
    if 0x20 <= byte < 0x60 or (chosen == "B" and 0x60 <= byte < 0x80):
        return byte - 0x20
    if chosen == "A" and byte < 0x20:
        return byte + 0x40
    raise ValueError(f"set {chosen} does not hold byte {byte:02x}")
