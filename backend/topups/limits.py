"""Bounds of the top-ups."""

OPEN_TOPUPS_PER_SWEEP_MAX = 1000
