"""The pause of a task between two looks."""

import asyncio

from backend.pause import Pause

LONG_S = 60


async def _sleeps(pause: Pause) -> bool:
    """Whether the task is asleep once everything that can happen has happened."""
    task = asyncio.ensure_future(pause.sleep(LONG_S))
    for _ in range(3):
        await asyncio.sleep(0)
    is_asleep = not task.done()
    task.cancel()
    return is_asleep


def test_who_is_woken_while_looking_does_not_sleep_and_sleeps_the_next_time() -> None:
    async def run() -> tuple[bool, bool, bool]:
        pause = Pause()
        before = await _sleeps(pause)
        pause.wake()
        pause.wake()
        return before, await _sleeps(pause), await _sleeps(pause)

    assert asyncio.run(run()) == (True, False, True)


def test_a_sleeper_is_woken() -> None:
    async def run() -> None:
        pause = Pause()
        asyncio.get_running_loop().call_soon(pause.wake)
        await pause.sleep(LONG_S)

    asyncio.run(asyncio.wait_for(run(), LONG_S / 2))


def test_a_pause_ends_by_itself() -> None:
    asyncio.run(asyncio.wait_for(Pause().sleep(0.001), LONG_S))
