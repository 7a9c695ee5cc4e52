"""Bounds of the stamping."""

STAMP_PAUSE_S = 30
"""Between looks at what is not stamped yet; also after a stamper that did not answer."""
STAMPS_LISTED_MAX = 1000
EXPORT_BYTES_MAX = 64 * 1024
