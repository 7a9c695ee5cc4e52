"""Bounds of logging."""

LOG_DEPTH_MAX = 6
SHOWN_DIGITS = 4
