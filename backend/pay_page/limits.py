"""Bounds of the page. Units stand last in the names."""

AGENT_CHARS_MAX = 512
"""Of a User-Agent that is looked at."""
FORM_BYTES_MAX = 256
LABEL_CHARS_MAX = 64
CODE_BYTES = 10
"""Of luck in a static code's id."""
CODES_PER_MERCHANT_LIST_MAX = 1_000
OPENINGS_PER_MINUTE_MAX = 60
"""Payments begun or handed to a wallet, from one address; many wallets share an operator's."""
OPENINGS_ALL_PER_MINUTE_MAX = 6_000
