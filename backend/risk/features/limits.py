"""The maxima of the streaming features."""

ENTITIES_MAX = 1_000_000
"""Histories kept of one kind of entity; the one that was used least recently goes first."""

KEYS_REMEMBERED_MAX = 1 << 16
"""Keys whose numbers are remembered, so that a busy shop's is not reckoned for every payment."""

EVENTS_PER_ENTITY_MAX = 200_000
"""Events kept of one entity. Beyond it the oldest go, and a window that reaches back to where they
were is unknown."""

LATE_S_MAX = 86_400
"""How far behind an entity's latest event another of it may come and still be counted."""

AT_MAX = 1 << 47
"""The last time an event may have, in ticks: some four thousand years of milliseconds."""

VALUE_MAX = 1 << 44
"""The largest integer of a column: an amount of 175 thousand million yuan."""

SQUARED_MAX = 1 << 24
"""What is squared for a deviation is cut to this first, so that sums of squares stay exact."""

FEATURES_MAX = 1_000
"""Features of one set."""
