"""A font ROM's view of a byte stream: GB18030 in Chinese mode, one code page otherwise, and the
national sets of ESC R, which put other characters in twelve places of ASCII.

A code page that Python does not know prints as replacement characters above 7F; below, every page
is ASCII.
"""

REPLACEMENT = "\ufffd"
CODE_PAGES: dict[int, str] = {
    0: "cp437", 1: "katakana", 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 13: "cp857",
    14: "cp737", 15: "iso8859_7", 16: "cp1252", 17: "cp866", 18: "cp852", 19: "cp858",
    21: "tis_620", 26: "tis_620", 32: "cp720", 33: "cp775", 34: "cp855", 35: "cp861", 36: "cp862",
    37: "cp864", 38: "cp869", 39: "iso8859_2", 40: "iso8859_15", 44: "cp1125", 45: "cp1250",
    46: "cp1251", 47: "cp1253", 48: "cp1254", 49: "cp1255", 50: "cp1256", 51: "cp1257",
    52: "cp1258", 53: "kz1048",
}  # fmt: skip
"""ESC t n, Epson's numbers, by Python's names."""
_UNKNOWN_PAGE = "ascii"
_KATAKANA = (
    "▁▂▃▄▅▆▇█▏▎▍▌▋▊▉┼┴┬┤├▔─│▕┌┐└┘╭╮╰╯\xa0" + "".join(map(chr, range(0xFF61, 0xFFA0)))
    + "═╞╪╡◢◣◥◤♠♥♦♣●○╱╲╳円年月日時分秒〒市区町村人▒\xa0"
)  # fmt: skip
"""Epson's page 1 from 80 up: lines and blocks, JIS X 0201's half-width katakana, signs."""
_ASCII_PLACES = "#$@[\\]^`{|}~"
NATIONAL_SETS: dict[int, str] = {
    0: "#$@[\\]^`{|}~", 1: "#$à°ç§^`éùè¨", 2: "#$§ÄÖÜ^`äöüß", 3: "£$@[\\]^`{|}~",
    4: "#$@ÆØÅ^`æøå~", 5: "#¤ÉÄÖÅÜéäöåü", 6: "#$@°\\é^ùàòèì", 7: "₧$@¡Ñ¿^`¨ñ}~",
    8: "#$@[¥]^`{|}~", 9: "#¤ÉÆØÅÜéæøåü", 10: "#$ÉÆØÅÜéæøåü", 11: "#$á¡Ñ¿é`íñóú",
    12: "#$á¡Ñ¿éüíñóú", 13: "#$@[₩]^`{|}~", 14: "#$ŽŠĐĆČžšđćč", 15: "#¥@[\\]^`{|}~",
}  # fmt: skip
"""ESC R n: what stands in the places of ``#$@[\\]^`{|}~``."""


class TextDecoder:
    """Bytes in, characters out; a character cut in two by a read waits for its second half."""

    def __init__(self, *, chinese: bool) -> None:
        self.chinese = chinese
        self._page = CODE_PAGES[0]
        self._national: dict[int, str] = {}
        self._pending = b""

    def select_page(self, number: int) -> None:
        """ESC t n. The Chinese mode, where on, stays on."""
        self._page = CODE_PAGES.get(number, _UNKNOWN_PAGE)

    def select_nation(self, number: int) -> None:
        """ESC R n; a number that no country has changes nothing."""
        found = NATIONAL_SETS.get(number)
        if found is not None:
            pairs = zip(_ASCII_PLACES, found, strict=True)
            self._national = {ord(place): there for place, there in pairs if place != there}

    def feed(self, data: bytes) -> str:
        """The characters that ``data`` completes."""
        if not self.chinese:
            return self.flush() + self._decode_page(data).translate(self._national)
        stream, self._pending = self._pending + data, b""
        characters: list[str] = []
        at = 0
        while at < len(stream):
            size = _size(stream, at)
            if at + size > len(stream):
                self._pending = stream[at:]
                break
            characters.append(_decode(stream[at : at + size]))
            at += size
        return "".join(characters).translate(self._national)

    def flush(self) -> str:
        """What a command leaves of an unfinished character."""
        pending, self._pending = self._pending, b""
        return REPLACEMENT if pending else ""

    def _decode_page(self, data: bytes) -> str:
        if self._page == "katakana":
            return "".join(chr(at) if at < 0x80 else _KATAKANA[at - 0x80] for at in data)
        return data.decode(self._page, errors="replace")


def _size(stream: bytes, at: int) -> int:
    """Bytes of the character at ``at``; more than the stream has while that is unknown."""
    if not 0x81 <= stream[at] <= 0xFE:
        return 1
    if at + 1 >= len(stream):
        return 2
    second = stream[at + 1]
    if 0x30 <= second <= 0x39:
        return 4
    return 2 if 0x40 <= second <= 0xFE else 1


def _decode(character: bytes) -> str:
    try:
        return character.decode("gb18030")
    except UnicodeDecodeError:
        return REPLACEMENT
