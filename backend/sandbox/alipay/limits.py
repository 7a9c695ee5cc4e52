"""Bounds of the gateway. Units stand last in the names."""

REQUEST_BYTES_MAX = 32 * 1024
PARAMETERS_MAX = 32
NUMBER_CHARS_MAX = 64
SUBJECT_CHARS_MAX = 256
AMOUNT_MINOR_MAX = 100_000_000_00
"""A hundred million yuan."""
CODE_LIFE_MS = 60_000
CODES_OPEN_MAX = 10_000
"""Pay codes that are shown and neither used nor over, of all buyers together."""
WAIT_LIFE_MS = 15 * 60_000
"""How long a trade waits for its buyer before it is closed."""
RSA_BITS = 2048
PUBLIC_KEY_BYTES_MAX = 4096
FEE_PPM = 2_500
"""Of what was paid; refunds cost nothing."""
BILL_TOKENS_MAX = 1_000
BILL_LIFE_MS = 30_000
"""How long the address of a bill can be used, as the real one's."""
NOTICE_TIMEOUT_S = 5
NOTICE_ANSWER_BYTES_MAX = 64
NOTICES_PER_ROUND_MAX = 100
URL_CHARS_MAX = 256
CERTIFICATE_DAYS = 3650
