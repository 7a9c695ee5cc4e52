"""Scenarios: what people, faults and a host do to a board, and what is expected of it."""
