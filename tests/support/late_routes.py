"""FastAPI looks into the function of a route, and what it takes, when a request first comes to it.

It looks into all of them when an app is put together: five hundred for ours, of which a test asks a
few. A function that no request can reach is then found at its first request; the programs that
tests start, and the one that writes its OpenAPI down, look into all of them as ever.
"""

from collections.abc import Callable
from contextvars import Context
from functools import cache
from threading import RLock
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name

_make = APIRoute.__init__
_compiled = cache(compile_path)
_LOCK = RLock()


def make_what_matches(
    route: APIRoute, path: str, endpoint: Callable[..., Any], **settings: Any
) -> None:
    """In place of ``APIRoute.__init__``: only what says whether a request is for this route."""
    path_regex, path_format, param_convertors = _compiled(path)
    vars(route).update(
        path=path, endpoint=endpoint, path_regex=path_regex, path_format=path_format,
        param_convertors=param_convertors, name=settings.get("name") or get_name(endpoint),
        methods={method.upper() for method in settings.get("methods") or ("GET",)},
        _rest=(path, endpoint, settings),
    )  # fmt: skip


def make_rest(route: APIRoute, name: str) -> Any:
    """``APIRoute.__getattr__``: called for what is not there yet. No request has a say in it, and a
    thread that asks for the same route meanwhile waits."""
    with _LOCK:
        rest = vars(route).pop("_rest", None)
        if rest is not None:
            path, endpoint, settings = rest
            Context().run(_make, route, path, endpoint, **settings)
    return object.__getattribute__(route, name)
