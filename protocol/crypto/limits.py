"""The maxima of the crypto room. Units stand last in the names."""

PRIVATE_KEY_BYTES = 32
EC_PUBLIC_KEY_BYTES = 65
ED25519_PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
KID_BYTES = 8
DER_SIGNATURE_BYTES_MAX = 72

# A nonce out of range or a signature with r or s zero has a chance of 2^-32 or less per round.
NONCE_ROUNDS_MAX = 64

SEALED_KEY_BYTES_MAX = 4096
PASSPHRASE_BYTES_MIN = 8
PASSPHRASE_BYTES_MAX = 1000
# scrypt: 2^15 * 8 * 128 bytes = 32 MiB and about 0.1 s, which a Pi can afford once per start.
SCRYPT_LOG2_N = 15
SCRYPT_LOG2_N_MAX = 18
SCRYPT_R = 8
SCRYPT_P = 1

WRAPPED_SECRET_BYTES_MAX = 64
"""What one key wraps for another: symmetric keys, nothing longer."""
SM2_CIPHER_EXTRA_BYTES_MAX = 128
"""GB/T 32918.4 adds a point and a hash to the text; DER adds their heads."""
