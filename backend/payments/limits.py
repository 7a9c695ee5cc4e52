"""Bounds of payments."""

EXPIRED_PER_SWEEP_MAX = 500
EXPIRY_SWEEP_MS = 1_000
CREATE_AGE_MS_MAX = 5 * 60 * 1000
"""From a hub's receipt of ``payment.create`` until it is carried out. Later, the payer has gone or
has paid by other means. Not below the clocks' tolerance: the two times are of two machines."""
LIST_ROWS_MAX = 200
DETAIL_CHARS_MAX = 400
PAYER_WORD_MS = 2 * 60 * 1000
"""How long a payment by code waits for its payer's PIN. Tills give up earlier, by a reversal."""
THING_WORD_MS = 24 * 3600 * 1000
"""How long the debit of a thing that has given already waits for its payer's word."""
CODE_LIFE_MS_MAX = 2 * 3600 * 1000
