"""Several institutions at once, each a process of its own that ends when this one does.

They are children of one process that has imported what they need: ten interpreters would each
spend a second of processor on that, and hold it in memory ten times.
"""

import asyncio
import contextlib
import gc
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from backend.sandbox.institution import program
from backend.sandbox.institution.limits import READY_TIMEOUT_S, STOP_TIMEOUT_S
from backend.sandbox.institution.program import Build, Place
from protocol.errors import OperatingError, TillwayError, from_code


@dataclass(frozen=True, slots=True)
class Institution:
    """A child and the pipe on which it says that it is ready, or why it ends."""

    process: BaseProcess
    said: Connection


@contextmanager
def forked(wanted: Mapping[str, tuple[Build, Place]]) -> Iterator[dict[str, Institution]]:
    """Each institution in a child of this process, by name; at the end all of them are stopped.

    Not to be entered where an event loop runs: a child begins one of its own. Of our threads a
    child has none; that of a program with a parent only waits for the parent's end.
    """
    gc.freeze()  # what is imported stays shared: no child's collector writes into it
    ours = os.pipe()
    children: dict[str, Institution] = {}
    try:
        for name, (build, place) in wanted.items():
            children[name] = _fork(name, build, place, ours)
        yield children
    finally:
        for end in ours:
            os.close(end)
        _stop([child.process for child in children.values()])


async def ready(children: Mapping[str, Institution]) -> dict[str, dict[str, Any]]:
    """What each said when it was ready, by name. Raises what hinders one of them."""
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            said = {name: await _heard(name, child) for name, child in children.items()}
    except TimeoutError:
        raise OperatingError("internal", f"not ready within {READY_TIMEOUT_S} s") from None
    return {name: {"ports": one["ports"], "key": one["key"]} for name, one in said.items()}


async def first_end(children: Mapping[str, Institution]) -> TillwayError:
    """Wait until one of them ends; the error names it."""
    ends = {asyncio.ensure_future(_readable(child.process.sentinel)): name
            for name, child in children.items()}  # fmt: skip
    try:
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()
    name = ends[done.pop()]
    try:
        await _heard(name, children[name])
    except TillwayError as why:
        return why
    return OperatingError("internal", f"{name} ended")


def _fork(name: str, build: Build, place: Place, ours: tuple[int, int]) -> Institution:
    said, saying = get_context("fork").Pipe(duplex=False)
    process = get_context("fork").Process(
        target=_live, args=(build, place, saying, ours), name=name, daemon=True
    )
    process.start()
    saying.close()
    return Institution(process, said)


def _live(build: Build, place: Place, saying: Connection, ours: tuple[int, int]) -> None:
    """A child's life: ``ours`` is the pipe whose writing end its parent alone keeps open."""
    reading, writing = ours
    os.close(writing)
    try:
        asyncio.run(program.run(build, place, say=saying.send, parent=reading))
    except TillwayError as error:
        with contextlib.suppress(BrokenPipeError):
            saying.send({"error": [error.code, error.detail]})


async def _heard(name: str, child: Institution) -> dict[str, Any]:
    await _readable(child.said.fileno())
    try:
        said: dict[str, Any] = child.said.recv()
    except EOFError:
        raise OperatingError("internal", f"{name} ended") from None
    if "error" in said:
        code, detail = said["error"]
        raise from_code(code, f"{name}: {detail}")
    return said


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    found = asyncio.Event()
    loop.add_reader(descriptor, found.set)
    try:
        await found.wait()
    finally:
        loop.remove_reader(descriptor)


def _stop(processes: list[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    for process in processes:
        process.join(max(0, deadline_s - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
