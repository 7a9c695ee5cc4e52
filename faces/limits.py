"""Bounds of what the faces share. Units stand last in the names."""

ASSET_BYTES_MAX = 256 * 1024
"""One static file; all of them are kept in memory."""
CACHE_S = 365 * 24 * 3600
"""How long a browser keeps a static file: its address changes with its content."""
EVENT_ID_DIGITS_MAX = 17
FOLLOW_AGAIN_MS = 1_000
"""How soon a page that lost its stream asks for it again."""
LANGUAGE_KEPT_S = 365 * 24 * 3600
