"""What a timeline says about a step beyond its event: JSON of a bounded length, fit to be stored.

Much of it is others' words (a channel's reason, an error of its line). Whatever they say, the step
is taken: its detail is cut, never refused.
"""

import json
from collections.abc import Mapping
from typing import Any


def printable(text: str, *, chars_max: int) -> str:
    """The text without what a database or a screen cannot take, and not longer."""
    return "".join(one if one.isprintable() else "?" for one in text[:chars_max])


def detail_text(detail: Mapping[str, Any], *, chars_max: int) -> str:
    """The detail as JSON; its longest texts are cut until it fits."""
    if not detail:  # as of most steps
        return "{}"
    fitting = {
        name: printable(value, chars_max=chars_max) if isinstance(value, str) else value
        for name, value in detail.items()
    }
    while len(text := _json(fitting)) > chars_max:
        longest = max(fitting, key=lambda name: len(str(fitting[name])))
        fitting[longest] = str(fitting[longest])[: len(str(fitting[longest])) // 2]
    return text


_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
