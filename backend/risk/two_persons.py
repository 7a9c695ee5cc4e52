"""Two persons decide: which names are one person's. Pure.

Rule: letter case, width, spaces and characters that nobody sees make no second person. Who may say
      a name is ``signing``'s.
"""

import unicodedata

_UNSEEN = "CZ"
"""Unicode's categories of controls and of separators."""
_BLANK = frozenset(
    chr(code)
    for codes in (
        (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800),
        range(0x180B, 0x1810),
        range(0xFE00, 0xFE10),
        range(0xE0100, 0xE01F0),
    )
    for code in codes
)
"""Marks and letters of other categories that show nothing: joiners, fillers, selectors of a variant
(``Default_Ignorable_Code_Point`` of the Unicode Character Database) and Braille's blank."""


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(
        c for c in folded if unicodedata.category(c)[0] not in _UNSEEN and c not in _BLANK
    )
