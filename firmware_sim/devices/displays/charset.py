"""Which character a byte is: code page 437, national places, characters of one's own."""

OWN_GLYPH = "\N{WHITE SQUARE}"
_NATIONAL_PLACES = b"#$@[\\]^`{|}~"
_NATIONAL = {
    0: "#$@[\\]^`{|}~", 1: "#$à°ç§^`éùè¨", 2: "#$§ÄÖÜ^`äöüß", 3: "£$@[\\]^`{|}~",
    4: "#$@ÆØÅ^`æøå~", 5: "#¤ÉÄÖÅÜéäöåü", 6: "#$@°\\é^ùàòèì", 7: "₧$@¡Ñ¿^`¨ñ}~",
    8: "#$@[¥]^`{|}~",
}  # fmt: skip
"""ESC R: USA, France, Germany, UK, Denmark, Sweden, Italy, Spain, Japan."""
CODE_PAGES = {0: "cp437", 2: "cp850", 16: "cp1252", 17: "cp866", 18: "cp852", 19: "cp858"}
NATIONS = len(_NATIONAL)


def character(value: int, *, page: int = 0, nation: int = 0) -> str:
    """The character of a byte from 20 up."""
    place = _NATIONAL_PLACES.find(value)
    if place >= 0:
        return _NATIONAL.get(nation, _NATIONAL[0])[place]
    return bytes([value]).decode(CODE_PAGES.get(page, "cp437"), errors="replace")
