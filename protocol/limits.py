"""Bounds that both ends of the wire share. Units stand last in the names."""

ENVELOPE_BYTES_MAX = 8 * 1024
ANSWER_BYTES_MAX = 16 * 1024
BATCH_BYTES_MAX = 1024 * 1024
BATCH_ITEMS_MAX = 50
CBOR_DEPTH_MAX = 8
CLOCK_SKEW_MS_MAX = 5 * 60 * 1000
IDENTIFIER_CHARS_MAX = 64
TEXT_CHARS_MAX = 256
SECRET_FILE_BYTES_MAX = 1024
COUNTER_MAX = 2**63 - 1
NONCE_BYTES = 12
PUSH_WAIT_S_MAX = 25
PUSH_ITEMS_MAX = 200
FINGERPRINT_ATTRIBUTES_MAX = 64
FINGERPRINT_ITEMS_MAX = 256
"""Members of one attribute that is a set, or points of a curve."""
FINGERPRINT_BYTES_MAX = 6 * 1024
"""Of all attributes together, so that they fit an envelope."""
FINGERPRINT_DIGEST_BYTES = 16
EXPLAINED_READINGS_MAX = 8
EXPLAINED_LINES_MAX = 8
REFUNDS_PER_PAYMENT_MAX = 50
NOTICE_HOURS_MAX = 30 * 24
"""The longest notice before a debit that a payer may ask for."""
CONSENT_AGE_MS_MAX = 2 * 60 * 1000
"""How far a consent's time may be from the backend's."""
SETTING_TEXT_CHARS_MAX = 64
FIRMWARE_BYTES_MAX = 16 * 1024 * 1024
FIRMWARE_PIECE_BYTES_MAX = 512 * 1024
"""Of firmware in one answer from backend to hub."""
SETTINGS_PER_DEVICE_MAX = 64
OFFLINE_TOKENS_MAX = 50
"""How many payments one offline voucher may be spent in."""
OFFLINE_TOKEN_CHARS_MAX = 1024
"""Of an offline token's text, which a QR code of version 25 still shows."""
OFFLINE_CLASSES_MAX = 8
