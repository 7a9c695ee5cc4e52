"""Checks of a device against its maker's documents, from the host's side of the wire."""
