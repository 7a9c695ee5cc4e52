"""Bringing a change to many devices in waves, and taking it back when too many fail."""
