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

SET_PARTS_MAX = 40_000
"""Parts of all conditions of a set that somebody brings: 2,000 usual rules have half as many. So
many are built in half a second and asked in a tenth to a third of a millisecond."""

FUSED_PARTS_MAX = 2_000
"""Parts of the conditions that become one function, unless one rule has more: its building holds
the interpreter for some milliseconds."""

EXACT_INTEGER_MAX = 1 << 53
"""Whole numbers beyond this are not told apart, so a result beyond is unknown."""

FILE_BYTES_MAX = 1_000_000
"""Of a file of rules."""

SHARE_BPS_ALL = 10_000
"""All payments, in ten-thousandths."""

SUPPRESSION_DAYS_MAX = 3
"""A rule that is suppressed decides again by itself."""

PERSON_CHARS_MAX = 64
WORDS_CHARS_MAX = 500
RULE_ID_CHARS_MAX = 100
SETS_PER_LIST_MAX = 500
DESK_POLL_S = 5.0
"""How soon another backend's change of the rules is seen."""

REPLAY_CHUNK_ROWS = 50_000
"""Payments that a replay judges at once, so that memory is bounded."""
