"""The hub's edges: the line to the backend, its faults, the clock."""
