"""Bounds of the wallet's pages. Units stand last in the names."""

FORM_BYTES_MAX = 4_096
FORM_FIELDS_MAX = 16
SESSION_S = 12 * 3600
"""How long a browser keeps the wallet's token; the token itself lives until another is issued."""
BILLS_SHOWN_MAX = 30
MONTHS_SHOWN = 12
"""How many months a payer may choose from; older ones by their address."""
AGREED_DAYS_MAX = 365
"""For how long a thing may be let debit by these pages."""
CODE_SHOWN_MS = 60_000
"""After this a page shows another code, though the old one is good for a while."""
CODE_SPARE_MS = 10_000
"""A code is replaced at the latest so long before it ends: the till may need a moment."""
LOOK_EVERY_MS = 2_000
"""How often an open page asks whether something waits for the payer."""
