"""Bounds of a line that speaks ISO 8583."""

FRAME_BYTES_MAX = 2048
"""Of a frame without its two length bytes. The fields of one message never fill this."""
FRAME_BYTES_MIN = 5 + 6 + 2 + 8
"""TPDU, header, message type, bitmap."""
BATCH_MAX = 999_999
AMOUNT_MINOR_MAX = 999_999_999_999
TOKEN_CHARS_MAX = 128
REFERENCE_CHARS_MAX = 63
UPLOADS_PER_MESSAGE_MAX = 16
"""Two digits of count and sixteen times twenty digits fill field 48's 322."""
