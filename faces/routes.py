"""How an application gets the routes of its parts, and finds the one that a path is for."""

from itertools import takewhile

from fastapi import APIRouter, FastAPI
from starlette.convertors import (
    FloatConvertor,
    IntegerConvertor,
    StringConvertor,
    UUIDConvertor,
)
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_WITHOUT_SLASHES = (StringConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)


def add_routes(app: FastAPI, router: APIRouter) -> None:
    """Serve what a router has, as it is. ``FastAPI.include_router`` analyses each endpoint a second
    time at the first request, in case the application adds a prefix or a dependency; and looks
    twice through all routers for each request.

    So an application adds nothing of its own: a guard that it had would be passed by.
    """
    own = app.router
    added = (own.prefix, own.tags, own.dependencies, own.responses, own.callbacks)
    assert not any(added), "the router's routes would go without it"
    assert not any((router.on_startup, router.on_shutdown)), "nobody would call them"
    if not any(isinstance(route, _Index) for route in own.routes):
        own.routes.insert(0, _Index(own.routes))
    own.routes.extend(router.routes)


class _Index(BaseRoute):
    """Stands before an application's routes and hands a request to the first of them that is for
    its path and method, without asking each in turn: the backend has five hundred.

    Where there is none (another method, a slash too many, nothing at all), it steps aside, and the
    application asks them all and answers as always.
    """

    def __init__(self, routes: list[BaseRoute]) -> None:
        self._routes = routes
        self._count = 0
        """Of the routes when the index was built: an application may add some after its parts'."""
        self._heads: dict[int, dict[str, list[int]]] = {}
        """By how many slashes a path has and by how it begins: the places of the routes for it."""
        self._open_ended: list[int] = []
        """Mounts, and what takes the rest of a path with its slashes."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The route itself travels in the scope, as FastAPI's own do."""
        if scope["type"] == "http" and not scope.get("root_path"):
            for number in self._candidates(scope["path"]):
                route = self._routes[number]
                match, found = route.matches(scope)
                if match is Match.FULL:
                    return match, {**found, "route": route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route answer that was found."""
        await scope["route"].handle(scope, receive, send)

    def _candidates(self, path: str) -> list[int]:
        """The places of all routes that a path may be for, in their order."""
        if len(self._routes) != self._count:
            self._build()
        heads = self._heads.get(path.count("/"))
        if heads is None:
            return self._open_ended
        found, end = [*self._open_ended, *heads.get(path, ())], 0
        while end >= 0:
            found += heads.get(path[:end], ())
            end = path.find("/", end + 1)
        return sorted(found)

    def _build(self) -> None:
        self._count = len(self._routes)
        self._heads, self._open_ended = {}, []
        for number, route in enumerate(self._routes):
            if isinstance(route, _Index):
                continue
            if isinstance(route, Route) and _has_as_many_slashes_as_its_paths(route):
                heads = self._heads.setdefault(route.path.count("/"), {})
                heads.setdefault(_head(route.path), []).append(number)
            else:
                self._open_ended.append(number)


def _has_as_many_slashes_as_its_paths(route: Route) -> bool:
    return all(isinstance(one, _WITHOUT_SLASHES) for one in route.param_convertors.values())


def _head(path: str) -> str:
    """Its segments before the first that is not literal; all of a literal path."""
    return "/".join(takewhile(lambda segment: "{" not in segment, path.split("/")))
