"""One run of the backend: sockets, start, the ready line, and a clean end on a signal."""

import asyncio
import signal

import structlog

from backend.app import hub_app, public_app
from backend.bootstrap import Backend, Parts, build
from backend.clock import SystemClock, SystemEntropy
from backend.config import Settings
from backend.db.collector import tune_collector
from backend.listeners import Listener, Listeners, bind, public_tls
from backend.observability.metrics import Metrics
from backend.state import State
from transport.contexts import ServerTls
from transport.service_manager import say_ready, watched

_log = structlog.get_logger()
PUBLIC, HUB = "public", "hub"


async def serve(settings: Settings, state: State) -> None:
    """Run until SIGTERM or SIGINT. ``OperatingError("port_taken")`` before anything has begun."""
    public = bind(settings.listen_host, settings.public_port)
    try:
        hub = bind(settings.listen_host, settings.hub_port)
    except BaseException:
        public.close()
        raise
    parts = Parts(state=state, clock=SystemClock(), entropy=SystemEntropy(), metrics=Metrics())
    backend = build(settings, parts)
    tls, lines = state.identity.tls, state.identity.tls_of(settings.tls_profile)
    listeners = Listeners(
        [
            Listener(PUBLIC, public, public_app(backend), public_tls(tls)),
            Listener(HUB, hub, hub_app(backend), ServerTls(lines)),
        ]
    )
    stopping = _on_signals()
    async with watched():
        await backend.start()
        await listeners.start()
        tune_collector()
        say_ready({"ports": listeners.ports})
        _log.info("backend_ready", ports=listeners.ports)
        await stopping.wait()
        await drain(backend, listeners)
    _log.info("backend_stopped")


async def drain(backend: Backend, listeners: Listeners) -> None:
    """Let pollers go, finish what was accepted, close the database last."""
    backend.feed.close()
    await listeners.stop()
    await backend.stop()


def _on_signals() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
