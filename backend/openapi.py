"""The public interface as OpenAPI, from the very application that serves it."""

import asyncio
from typing import Any

from backend.app import public_application
from backend.bootstrap import Parts, build
from backend.clock import SystemClock, SystemEntropy
from backend.config import Settings
from backend.observability.metrics import Metrics
from backend.state import State


def describe(settings: Settings, state: State) -> dict[str, Any]:
    """The document. Opens the database, serves nothing."""
    return asyncio.run(_describe(settings, state))


async def _describe(settings: Settings, state: State) -> dict[str, Any]:
    parts = Parts(state=state, clock=SystemClock(), entropy=SystemEntropy(), metrics=Metrics())
    backend = build(settings, parts)
    try:
        return public_application(backend).openapi()
    finally:
        await backend.stop()
