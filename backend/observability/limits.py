"""Bounds of what is counted of flows."""

FLOW_MINUTES_KEPT = 24 * 60
"""How long a minute of a flow is remembered."""
FLOWS_KEPT_EVERY_S = 60
