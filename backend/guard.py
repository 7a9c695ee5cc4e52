"""Who may call a router's routes."""

from collections.abc import Awaitable, Callable

from fastapi import Request

Guard = Callable[[Request], Awaitable[None]]
"""A dependency of routes: raises ``CallerError`` for a caller who may not."""
