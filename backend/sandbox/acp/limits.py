"""Bounds of the gateway. Units stand last in the names."""

REQUEST_BYTES_MAX = 32 * 1024
PARAMETERS_MAX = 64
AMOUNT_MINOR_MAX = 10**12 - 1
"""Twelve digits of fen."""
CODE_LIFE_MS = 60_000
CODES_OPEN_MAX = 10_000
WAIT_LIFE_MS = 15 * 60_000
"""How long a transaction waits for its payer before it has failed."""
RSA_BITS = 2048
CERTIFICATE_DAYS = 3650
CERTIFICATE_BYTES_MAX = 8192
FEE_PPM = 3_825
"""Of what was paid; refunds cost nothing."""
FEE_MINOR_MAX = 1_625
