"""Where a program of the stack listens when it is started anew: where it was."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def port_settings(words: Sequence[str], ready: Mapping[str, Any]) -> dict[str, str]:
    """The environment by which the program that was started with ``words`` and said ``ready``
    listens where it was, for there the others look for it. It counts more than its file."""
    room = words[0]
    if room == "sandbox":
        said = ready.get("institutions") or {words[2]: ready}
        return {
            "TILLWAY_SANDBOX_PORTS": json.dumps({name: one["ports"] for name, one in said.items()})
        }
    shape = _SHAPES[room]
    return {shape.format(line.upper()): str(port) for line, port in ready["ports"].items()}


_SHAPES = {
    "backend": "TILLWAY_BACKEND_{}_PORT",
    "hub": "TILLWAY_HUB_{}__PORT",
    "terminal": "TILLWAY_TERMINAL_{}__PORT",
    "sim": "TILLWAY_SIM_{}_PORT",
}
