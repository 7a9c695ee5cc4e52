"""FastAPI makes the validator of a route's parameter when it is asked for the first time.

It makes all of them when an app is put together: some four hundred for ours, of which a test uses a
few. A type that cannot be validated is then found at the first request; the programs that tests
start, and the one that writes its OpenAPI down, make them all as ever.
"""

from typing import Any

from fastapi._compat.v2 import ModelField

_make = ModelField.__post_init__


def make_none(_: ModelField) -> None:
    """In place of ``ModelField.__post_init__``."""


def make_one(field: ModelField, name: str) -> Any:
    """``ModelField.__getattr__``: called for what is not there yet."""
    if name != "_type_adapter":
        raise AttributeError(name)
    _make(field)
    return field._type_adapter
