"""The maxima of the rules."""

EXPRESSION_CHARS_MAX = 2_000
"""Characters of one rule's condition."""

NODES_MAX = 300
"""Parts of one condition."""

DEPTH_MAX = 24
"""How deep a condition may be nested."""

LIST_ITEMS_MAX = 200
"""Members of a list in a condition."""

TEXT_CHARS_MAX = 200
"""Characters of one text in a condition."""

RULES_MAX = 2_000
"""Rules of one set."""

EXACT_INTEGER_MAX = 1 << 53
"""Whole numbers beyond this are not told apart, so a result beyond is unknown."""
