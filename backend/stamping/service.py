"""Keeping a stamp, and the task that has the newest checkpoints stamped.

Rule 1: a stamp is kept once a subject, and only one that held when it came.
Rule 2: a stamper that does not answer holds up nothing: what is not stamped is asked for again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import structlog

from backend.channels.ports import TimeStamper
from backend.db.command import Read
from backend.db.ports import Submit
from backend.db.working_set import WorkingSet
from backend.stamping.limits import STAMP_PAUSE_S
from backend.stamping.model import Subject
from backend.stamping.tables import TIME_STAMP
from protocol.errors import CallerError, OperatingError

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepStamp:
    """Keep a subject's stamp. False if it has one; ``idempotency_conflict`` if that is over
    another content."""

    subject: str
    digest: bytes
    token: bytes = field(repr=False)

    def reads(self) -> Iterable[Read]:
        return [(TIME_STAMP, self.subject)]

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        known = ws.get(TIME_STAMP, self.subject)
        if known is not None:
            if known["digest"] != self.digest:
                raise CallerError("idempotency_conflict", self.subject)
            return False
        row = {
            "subject": self.subject,
            "digest": self.digest,
            "token": self.token,
            "kept_at_ms": now_ms,
        }
        ws.insert(TIME_STAMP, row)
        return True


class Stamping:
    """Has subjects stamped and keeps the tokens. One task per installation; two do no harm."""

    def __init__(
        self,
        *,
        submit: Submit,
        unstamped: Callable[[], Awaitable[list[Subject]]],
        stamper: TimeStamper,
    ) -> None:
        self._submit = submit
        self._unstamped = unstamped
        self._stamper = stamper

    async def stamp(self, subject: Subject) -> bytes:
        """The subject's token, kept; ``OperatingError`` if there is none now."""
        token = await self._stamper.stamp(subject.digest)
        await self._submit(KeepStamp(subject=subject.name, digest=subject.digest, token=token))
        return token

    async def run_due(self) -> int:
        """Stamp what is not stamped; how many were."""
        count = 0
        for subject in await self._unstamped():
            await self.stamp(subject)
            _log.info("stamped", subject=subject.name)
            count += 1
        return count

    async def run(self) -> None:
        """Carry on until cancelled."""
        while True:
            try:
                await self.run_due()
            except OperatingError as error:
                _log.warning("stamping_paused", code=error.code, detail=error.detail)
            await asyncio.sleep(STAMP_PAUSE_S)
