"""The maxima of name screening."""

LIST_BYTES_MAX = 256 * 1024 * 1024
ENTRIES_PER_LIST_MAX = 500_000
NAMES_PER_ENTRY_MAX = 500
NAME_CHARS_MAX = 300
"""Of a name on a list; a longer one is cut before it is compared."""
TOKENS_MAX = 12
"""Words of a name that are compared; what follows is cut."""
ROTATIONS_MAX = 4
"""Orders of a name's words that are tried with the spaces taken out."""
CANDIDATES_MAX = 200
"""Names, the most alike by trigrams, that are compared letter by letter."""
HITS_PER_NAME_MAX = 50
XML_DEPTH_MAX = 32
"""Elements within each other; the published lists need nine."""
XML_TEXT_CHARS_MAX = 100_000
"""Of one element."""
