"""The task that carries crossings between our shard and its peers.

Rule 1: a shard's database is written by its own backend only. The relay *reads* the peers'
        databases and submits to our own writer: what they charged for us is credited here, how ours
        ended there is settled here.
Rule 2: it keeps nothing that the lanes' cursors do not. Killed at any point, it goes on from them.
Rule 3: a crossing that cannot be carried holds up its lane, and says so; it is never left out.
"""

import asyncio
from collections.abc import Mapping

import structlog

from backend.db.ports import RunRead, Submit
from backend.shards.limits import (
    CROSSINGS_PER_BATCH_MAX,
    RELAY_PAUSE_MS,
    RELAY_POLL_MS,
    RELAY_POLLS_PER_S_MAX,
)
from backend.shards.model import Crossing, Place
from backend.shards.ports import Payee
from backend.shards.repository import News, ShardReader
from backend.shards.service import Settle, receive
from protocol.errors import CallerError, OperatingError

_log = structlog.get_logger()


class Relay:
    """Owns the lanes of one shard. Run one for each shard's backend."""

    def __init__(
        self,
        place: Place,
        *,
        submit: Submit,
        run_read: RunRead,
        own: ShardReader,
        peers: Mapping[int, ShardReader],
        payee: Payee,
    ) -> None:
        assert set(peers) == set(place.peers)
        self._lanes = {
            peer: _Lane(place, peer, reader, payee=payee, submit=submit, own=own, run_read=run_read)
            for peer, reader in peers.items()
        }

    async def run(self) -> None:
        """Carry until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes.values():
                tasks.create_task(lane.run())

    async def step(self) -> bool:
        """Ask every peer once and carry what it has; whether anything moved."""
        return any([await lane.step() for lane in self._lanes.values()])

    async def ended(self, crossing: Crossing) -> None:
        """Return when the payee's shard has credited the crossing; ``CallerError`` with its code
        when it refused. To give up waiting ends nothing: the crossing goes on; ask for its
        stage, or again here."""
        await self._lanes[crossing.peer].ended(crossing)


class _Lane:
    """Both directions between us and one peer."""

    def __init__(
        self,
        place: Place,
        peer: int,
        reader: ShardReader,
        *,
        payee: Payee,
        submit: Submit,
        own: ShardReader,
        run_read: RunRead,
    ) -> None:
        self._place = place
        self._peer = peer
        self._reader = reader
        self._payee = payee
        self._submit = submit
        self._own = own
        self._run_read = run_read
        self._is_known = False
        self._received = self._settled = 0
        self._batch_max = CROSSINGS_PER_BATCH_MAX
        self._waiting: dict[int, asyncio.Future[str]] = {}

    async def run(self) -> None:
        """Carry until cancelled, at a measured pace; pause when something is away."""
        slower = 1 + len(self._place.peers) * 1000 // (RELAY_POLLS_PER_S_MAX * RELAY_POLL_MS)
        while True:
            try:
                await self.step()
            except OperatingError as error:
                _log.warning("lane_paused", peer=self._peer, code=error.code, why=error.detail)
                self._is_known = False  # what comes back may be an older copy
                await asyncio.sleep(RELAY_PAUSE_MS / 1000)
            await asyncio.sleep(RELAY_POLL_MS / 1000 * slower)

    async def step(self) -> bool:
        """Carry one batch each way; whether anything moved."""
        if not self._is_known:
            await self._meet()
        news: News = await self._run_read(
            lambda: self._reader.news(
                self._place.number,
                after_seq=self._received,
                settled_seq=self._settled,
                limit=self._batch_max,
            )
        )
        is_news = bool(news.crossings) or news.received_seq > self._settled
        self._tell(news)
        # Both at once, so that one commit takes both.
        ends = await asyncio.gather(self._receive(news), self._settle(news), return_exceptions=True)
        for failure in ends:
            if isinstance(failure, BaseException):
                raise failure
        return is_news

    async def ended(self, crossing: Crossing) -> None:
        """As ``Relay.ended``."""
        if crossing.seq <= self._settled:
            number, seq = self._place.number, crossing.seq
            refusal = await self._run_read(lambda: self._reader.refusal(number, seq))
            code = refusal.code if refusal else ""
        else:
            loop = asyncio.get_running_loop()
            code = await asyncio.shield(
                self._waiting.setdefault(crossing.seq, loop.create_future())
            )
        if code:
            raise CallerError(code, crossing.event_id)

    async def _meet(self) -> None:
        """Before the first step: is it the peer that the map means, and are our books and its own
        of one age?"""
        place = await self._run_read(self._reader.place)
        if place != Place(self._place.map, self._peer):
            raise OperatingError("internal", "another map or another shard than ours names")
        own = await self._run_read(lambda: self._own.lane(self._peer))
        theirs = await self._run_read(lambda: self._reader.lane(self._place.number))
        if theirs.received_seq > own.sent_seq or own.received_seq > theirs.sent_seq:
            raise OperatingError("internal", "one database is older than the other: restored?")
        self._received, self._settled = own.received_seq, own.settled_seq
        self._is_known = True

    async def _receive(self, news: News) -> None:
        if not news.crossings:
            return
        # Alone, a crossing that cannot be credited holds up nothing that came before it.
        self._batch_max, before = 1, self._batch_max
        self._received = await self._submit(receive(self._payee, self._peer, news.crossings))
        self._batch_max = min(before * 2, CROSSINGS_PER_BATCH_MAX)

    async def _settle(self, news: News) -> None:
        if news.received_seq <= self._settled:
            return
        command = Settle(self._peer, news.received_seq, news.refusals)
        settled = await self._submit(command)
        self._tell(news)
        self._settled = settled

    def _tell(self, news: News) -> None:
        """Answer those who wait: the peer's commit has happened."""
        if not self._waiting:
            return
        codes = {refusal.seq: refusal.code for refusal in news.refusals}
        for seq in [seq for seq in self._waiting if seq <= news.received_seq]:
            future = self._waiting.pop(seq)
            if not future.done():
                future.set_result(codes.get(seq, ""))
