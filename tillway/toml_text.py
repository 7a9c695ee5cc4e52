"""Writing TOML: the few forms that our configuration files use. Python reads it by itself."""

import json
from collections.abc import Mapping
from typing import Any


def toml_text(settings: Mapping[str, Any]) -> str:
    """The settings as TOML: scalars and lists first, then a table for each mapping."""
    return "\n".join(_lines(settings, ())) + "\n"


def _lines(settings: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    lines = [f"{key} = {_value(v)}" for key, v in settings.items() if not isinstance(v, Mapping)]
    for key, value in settings.items():
        if isinstance(value, Mapping):
            below = (*path, key)
            lines += ["", f"[{'.'.join(below)}]", *_lines(value, below)]
    return lines


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        # A TOML basic string takes JSON's escapes.
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key} = {_value(item)}" for key, item in value.items())
        return f"{{{pairs}}}"
    raise TypeError(f"no TOML form for {type(value).__name__}")
