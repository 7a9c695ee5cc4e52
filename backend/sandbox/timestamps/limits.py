"""The limits of the simulated time stamper, with their units."""

QUERY_BYTES_MAX = 4096
OPENSSL_TIMEOUT_S = 10
KEY_TIMEOUT_S = 60
"""An RSA key is luck: half a second of a free processor in the middle, several at times."""
CERTIFICATE_DAYS = 3650
KEY_BITS = 3072
