"""Bounds of logging."""

LOG_DEPTH_MAX = 6
SHOWN_DIGITS = 4
FLOW_MINUTES_KEPT = 24 * 60
"""How long a minute of a flow is remembered."""
FLOWS_KEPT_EVERY_S = 60
