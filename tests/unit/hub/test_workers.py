"""Few signatures in the loop, many beside it; what goes wrong goes wrong alike."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.shell_limits import SIGNATURES_IN_LOOP_MAX
from hub.workers import Workers
from protocol.errors import CallerError

pytestmark = pytest.mark.asyncio
FEW, MANY = SIGNATURES_IN_LOOP_MAX, SIGNATURES_IN_LOOP_MAX + 1


@pytest.fixture
def workers() -> Iterator[Workers]:
    with ThreadPoolExecutor(1) as threads:
        yield Workers(threads)


async def test_few_are_done_in_the_loop_and_many_beside_it(workers: Workers) -> None:
    here = threading.get_ident()
    assert await workers.run(FEW, threading.get_ident) == here
    assert await workers.run(MANY, threading.get_ident) != here


@pytest.mark.parametrize("count", [FEW, MANY])
async def test_arguments_go_in_and_errors_come_out(workers: Workers, count: int) -> None:
    def work(first: int, second: int) -> int:
        if second == 0:
            raise CallerError("signature_invalid")
        return first // second

    assert await workers.run(count, work, 6, 3) == 2
    with pytest.raises(CallerError):
        await workers.run(count, work, 6, 0)
