"""Bounds of the instruments."""

INSTRUMENTS_PER_PAYER_MAX = 20
BANK_CHARS_MAX = 40
TOKEN_CHARS_MAX = 64
CHANNELS_PER_INSTRUMENT_MAX = 8
CARD_NUMBER_CHARS_MAX = 32
"""As typed, with spaces."""
PHONE_CHARS_MAX = 15
CARD_CODE_CHARS_MAX = 12
SEAL_CHARS_MAX = 512
BINDING_LIFE_MS = 10 * 60 * 1000
"""How long a bank's code may take to come."""
BINDING_TRIES_PER_MINUTE_MAX = 5
BINDING_TRIES_ALL_PER_MINUTE_MAX = 600
"""Cards and codes tried: per payer, and for all together."""
