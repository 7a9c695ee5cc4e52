"""``tillway sandbox``: run the other institutions as one process of their own."""

import asyncio
import json
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from backend.channels.signed_http import by_kid, key_text, read_key
from backend.sandbox.app import Institutions, build_app
from backend.sandbox.bank import Bank
from backend.sandbox.config import Settings, load
from protocol.crypto.keys import SigningKey, generate
from protocol.errors import OperatingError

app = typer.Typer(help="The other institutions, simulated.", no_args_is_help=True)


class _SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


@app.callback()
def sandbox() -> None:
    """The other institutions, simulated."""


@app.command()
def run(config: Annotated[Path | None, typer.Option(help="A TOML file.")] = None) -> None:
    """Run the bank and the channel until SIGTERM."""
    settings = load(config)
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    bank = Bank(settings.state_dir / "bank.db")
    key = _key(settings.state_dir / "institution.key")
    world = Institutions(
        bank=bank,
        clock=_SystemClock(),
        key=key,
        peers=by_kid(*(read_key(text) for text in settings.institution_keys)),
        reserve_account=settings.reserve_account,
        own_account=settings.own_account,
    )
    try:
        asyncio.run(_serve(settings, world))
    finally:
        bank.close()


async def _serve(settings: Settings, world: Institutions) -> None:
    listener = _listen(settings.host, settings.port)
    server = uvicorn.Server(
        uvicorn.Config(build_app(world), log_level="warning", access_log=False, lifespan="off")
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(
            name, lambda: setattr(server, "should_exit", True)
        )
    ready = {
        "ready": True,
        "ports": {"http": listener.getsockname()[1]},
        "key": key_text(world.house.key.public),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    await serving


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OperatingError("port_taken", f"{host}:{port}") from error
    listener.listen(128)
    return listener


def _key(path: Path) -> SigningKey:
    """The sandbox's own key. A toy institution keeps it unsealed, readable by its owner only."""
    if not path.exists():
        key = generate("ES256")
        path.touch(mode=0o600)
        path.write_bytes(key.private_bytes())
        return key
    return SigningKey.from_private("ES256", path.read_bytes())
