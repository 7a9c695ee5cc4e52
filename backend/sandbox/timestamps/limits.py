"""The limits of the simulated time stamper, with their units."""

QUERY_BYTES_MAX = 4096
OPENSSL_TIMEOUT_S = 10
CERTIFICATE_DAYS = 3650
KEY_BITS = 3072
