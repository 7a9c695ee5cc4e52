"""The follower's task: keeps balances and the log near the chains' ends, and signs checkpoints.

It takes what the payments leave: behind, it rests several times as long as a step took, and at the
end a while: a step over one group costs as much as one over thirty.
"""

import asyncio
from collections.abc import Callable

import structlog

from backend.db.ports import RunRead, Submit
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.ledger.checkpoints import CheckpointMaker, is_due
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.limits import FOLLOW_PAUSE_MS, FOLLOW_REST_FACTOR
from backend.ledger.projection import FollowChain, groups_behind, next_step
from backend.ledger.repository import LedgerRepository
from protocol.clock import SECOND_MS, Clock
from protocol.errors import OperatingError

_log = structlog.get_logger()


class Follower:
    """One per process; owned by the event loop."""

    def __init__(
        self,
        *,
        submit: Submit,
        run_read: RunRead,
        reader: Reader,
        maker: CheckpointMaker,
        business_date: Callable[[int], str],
        clock: Clock,
    ) -> None:
        self._submit = submit
        self._run_read = run_read
        self._reader = reader
        self._maker = maker
        self._business_date = business_date
        self._clock = clock

    async def run(self) -> None:
        """Follow until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                step = await self.step()
                is_behind = step is not None and step.left > 0
                if not is_behind:
                    await self._sign_what_is_due()
            except OperatingError as error:
                _log.warning("follower_paused", code=error.code)
                is_behind = False
            took = loop.time() - began
            await asyncio.sleep(
                took * FOLLOW_REST_FACTOR if is_behind else FOLLOW_PAUSE_MS / SECOND_MS
            )

    async def step(self) -> FollowChain | None:
        """Follow one step; None when all chains are followed to their ends."""
        step: FollowChain | None = await self._run_read(self._next_step)
        if step is not None:
            await self._submit(step)
        return step

    async def checkpoint(self, chain: str) -> Row:
        """Follow what is there now and sign a chain; its newest checkpoint."""
        left: int = await self._run_read(self._behind)
        while left > 0 and (step := await self.step()) is not None:
            left -= step.groups
        await self._sign(chain)
        newest: Row = await self._run_read(lambda: self._maker.newest(self._reader, chain))
        return newest

    async def _sign_what_is_due(self) -> None:
        now_ms = self._clock.now_ms()
        for chain in await self._run_read(lambda: self._due(now_ms)):
            await self._sign(chain)

    async def _sign(self, chain: str) -> None:
        now_ms = self._clock.now_ms()
        command = await self._run_read(lambda: self._maker.make(self._reader, chain, now_ms))
        if command is not None:
            await self._submit(command)
            _log.info("checkpoint_signed", chain=chain, size=command.size)

    def _behind(self) -> int:
        with self._reader.snapshot() as connection:
            ledger, derived = LedgerRepository(connection), DerivedRepository(connection)
            return sum(groups_behind(ledger, derived).values())

    def _due(self, now_ms: int) -> list[str]:
        with self._reader.snapshot() as connection:
            return is_due(DerivedRepository(connection), self._business_date, now_ms)

    def _next_step(self) -> FollowChain | None:
        with self._reader.snapshot() as connection:
            return next_step(LedgerRepository(connection), DerivedRepository(connection))
