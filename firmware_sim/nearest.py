"""The word that somebody means who has written another."""

import difflib
from collections.abc import Iterable

_BEGUN_CHARS_MIN = 3


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The first of the known words that begins so, else the one that is spelt most alike."""
    words = list(known)
    begun = [one for one in words if one.startswith(word)]
    if begun and len(word) >= _BEGUN_CHARS_MIN:
        return begun[0]
    return next(iter(difflib.get_close_matches(word, words, n=1)), None)
