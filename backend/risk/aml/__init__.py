"""Money laundering: what must be reported for its size, and what looks suspicious."""
