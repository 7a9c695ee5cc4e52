"""How a program's application gets the routes of its parts."""

from fastapi import APIRouter, FastAPI


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
    own.routes.extend(router.routes)
