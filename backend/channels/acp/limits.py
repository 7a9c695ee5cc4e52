"""Bounds of our conversation with the gateway. Units stand last in the names."""

ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""Of a day's file, which comes in an answer; a transaction's answer is a few kilobytes."""
FIELDS_MAX = 128
ORDER_ID_CHARS_MAX = 32
"""Forty in a message, but no more in a day's file."""
INFLATED_BYTES_MAX = 512 * 1024 * 1024
ARCHIVE_FILES_MAX = 16
