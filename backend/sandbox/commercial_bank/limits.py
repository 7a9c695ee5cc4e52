"""A commercial bank's limits."""

RETURNS_PER_TURN_MAX = 1000
