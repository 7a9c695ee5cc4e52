"""uvicorn's servers stop as soon as they are told.

They look ten times a second whether they shall stop, and then rest as long once more: for every
server of every test that is a fifth of a second in which nothing happens.
"""

import asyncio
from types import ModuleType

PAUSE_S_MAX = 0.005


class HurriedAsyncio(ModuleType):
    """``asyncio`` with short pauses, for a module that names it."""

    def __init__(self) -> None:
        super().__init__("asyncio")
        self.__dict__.update(vars(asyncio))
        self.sleep = _short_pause


async def _short_pause(pause_s: float) -> None:
    await asyncio.sleep(min(pause_s, PAUSE_S_MAX))
