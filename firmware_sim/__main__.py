"""``python -m firmware_sim run``: the same as ``tillway sim run``."""

from firmware_sim.cli import app

app()
