"""Two persons decide: which names are one person's. Pure.

Rule: letter case, width, spaces and characters that nobody sees make no second person. Who may say
      a name is ``signing``'s.
"""

import unicodedata

_UNSEEN = "CZ"
"""Unicode's categories of controls and of separators."""


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if unicodedata.category(c)[0] not in _UNSEEN)
