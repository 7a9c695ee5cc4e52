"""Bounds of the opening links. Units stand last in the names."""

LINK_LIFE_MS = 2 * 60 * 1000
"""Long enough for a browser's question about a certificate that it does not know."""
CODE_BYTES = 24
LINKS_KEPT_MAX = 64
"""Links that are remembered, used ones included; the oldest is forgotten."""
CODE_CHARS_MAX = 64
