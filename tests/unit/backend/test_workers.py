"""Work beside the loop: its answer, its error, who stops waiting, and the end."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from backend.workers import Workers
from tests.kit.patience import PATIENCE_S


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(2, name="worker")
    yield made
    made.close()


def name_of(thread: int) -> str:
    return f"{threading.current_thread().name} {thread}"


def broken() -> None:
    raise ZeroDivisionError("a reason")


@pytest.mark.asyncio
async def test_work_is_done_on_a_thread_of_their_name_and_answered(workers: Workers) -> None:
    async with asyncio.timeout(PATIENCE_S):
        assert await workers.run(name_of, 7) in {"worker_0 7", "worker_1 7"}


@pytest.mark.asyncio
async def test_what_work_raises_is_raised_here_and_the_thread_goes_on(workers: Workers) -> None:
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(3):
            with pytest.raises(ZeroDivisionError, match="a reason"):
                await workers.run(broken)
        assert await workers.run(len, "four") == 4


@pytest.mark.asyncio
async def test_as_much_runs_at_once_as_there_are_threads(workers: Workers) -> None:
    meeting = threading.Barrier(2)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(
            workers.run(meeting.wait, PATIENCE_S), workers.run(meeting.wait, PATIENCE_S)
        )


@pytest.mark.asyncio
async def test_work_that_nobody_waits_for_any_more_is_not_begun() -> None:
    workers, go, done = Workers(1, name="worker"), threading.Event(), list[str]()
    async with asyncio.timeout(PATIENCE_S):
        first = workers.run(go.wait, 4)
        given_up, last = workers.run(done.append, "given up"), workers.run(done.append, "last")
        given_up.cancel()
        go.set()
        await asyncio.gather(first, last)
    workers.close()
    assert done == ["last"]


@pytest.mark.asyncio
async def test_an_answer_to_somebody_who_has_gone_harms_nobody(workers: Workers) -> None:
    begun, go = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go.wait(4)

    async with asyncio.timeout(PATIENCE_S):
        gone = workers.run(work)
        await asyncio.to_thread(begun.wait, 4)
        gone.cancel()
        go.set()
        assert await workers.run(len, "four") == 4


@pytest.mark.asyncio
async def test_closing_finishes_what_was_asked_and_takes_no_more() -> None:
    workers, done = Workers(1, name="worker"), list[int]()
    asked = [workers.run(done.append, number) for number in range(50)]
    workers.close()
    assert done == list(range(50))
    await asyncio.gather(*asked)
    with pytest.raises(RuntimeError):
        workers.run(len, "four")


def test_a_loop_that_has_ended_hears_nothing_and_the_workers_go_on() -> None:
    workers, go = Workers(1, name="worker"), threading.Event()

    async def leave() -> None:
        workers.run(go.wait, 4).add_done_callback(lambda _: None)

    async def ask() -> int:
        async with asyncio.timeout(PATIENCE_S):
            return await workers.run(len, "four")

    asyncio.run(leave())
    go.set()
    assert asyncio.run(ask()) == 4
    workers.close()
