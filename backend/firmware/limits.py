"""Bounds of firmware."""

ARTIFACT_BYTES_MAX = 16 * 1024 * 1024
PIECE_BYTES = 64 * 1024
"""Of an artifact in one row."""
PIECES_PER_READ_MAX = 4
ARTIFACTS_SHOWN_MAX = 200
HISTORY_ROWS_MAX = 200
NAME_CHARS_MAX = 80
PERSON_CHARS_MAX = 64
DETAIL_CHARS_MAX = 512
"""Room for all errors of a refused archive: ``swupdate`` tells them in no certain order."""
TOKEN_BYTES = 32
TOKEN_CHARS_MAX = 128
TOKEN_TRIES_PER_MINUTE_MAX = 60
TOKEN_TRIES_ALL_PER_MINUTE_MAX = 600
FEEDBACK_BYTES_MAX = 32 * 1024
FEEDBACK_DETAILS_MAX = 100
CONFIG_ATTRIBUTES_MAX = 64
POLL_S = 60
"""How often a device on the update interface is told to ask."""
