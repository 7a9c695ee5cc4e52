"""Several institutions at once, each a process of its own that ends when this one does."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from backend.sandbox.institution.limits import READY_TIMEOUT_S, STOP_TIMEOUT_S
from protocol.errors import OperatingError

PARENT_PIPE = "TILLWAY_PARENT_PIPE"
"""Tells a program of ours that its standard input is a pipe which closes when its parent ends."""


@asynccontextmanager
async def fleet(
    names: Sequence[str], config: Path | None
) -> AsyncIterator[dict[str, dict[str, Any]]]:
    """Start institutions at the same time; gives what each said when it was ready, by name."""
    processes: dict[str, Process] = {}
    try:
        for name in names:
            processes[name] = await _start(name, config)
        said = await asyncio.gather(*(_ready(name, processes[name]) for name in names))
        watching = asyncio.ensure_future(_first_end(processes))
        try:
            async with _cancelled_by(watching):
                yield dict(zip(names, said, strict=True))
        finally:
            watching.cancel()
    finally:
        await asyncio.gather(*(_stop(process) for process in processes.values()))


@asynccontextmanager
async def _cancelled_by(watching: "asyncio.Future[str]") -> AsyncIterator[None]:
    """The body ends when an institution does, with an error that names it."""
    body = asyncio.current_task()
    assert body is not None
    watching.add_done_callback(lambda done: None if done.cancelled() else body.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if watching.done() and not watching.cancelled():
            body.uncancel()
            raise OperatingError("internal", f"{watching.result()} ended") from None
        raise


async def _first_end(processes: dict[str, Process]) -> str:
    waits = {asyncio.ensure_future(found.wait()): name for name, found in processes.items()}
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return waits[done.pop()]


async def _start(name: str, config: Path | None) -> Process:
    words = [] if config is None else ["--config", str(config)]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tillway", "sandbox", "run", name, *words,
        stdin=PIPE, stdout=PIPE, env={**os.environ, PARENT_PIPE: "1"},
    )  # fmt: skip


async def _ready(name: str, process: Process) -> dict[str, Any]:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            line = await process.stdout.readline()
        said = json.loads(line)
    except (TimeoutError, ValueError):
        raise OperatingError("internal", f"{name} did not start") from None
    return {"ports": said["ports"], "key": said["key"]}


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
