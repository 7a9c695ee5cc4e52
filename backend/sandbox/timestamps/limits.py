"""The limits of the simulated time stamper, with their units."""

QUERY_BYTES_MAX = 4096
OPENSSL_TIMEOUT_S = 10
STAMPS_AT_ONCE_MAX = 1
"""``openssl ts`` counts serial numbers in a file: one at a time."""
CERTIFICATE_DAYS = 3650
KEY_BITS = 3072
