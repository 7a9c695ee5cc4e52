"""The task that judges readings, beside the payments.

Rule 1: what it knows is what accepted readings taught it, in the order of their acceptance, so a
        start learns it again from the database. One task owns it.
Rule 2: it judges what nobody has judged. Where several backends do, the first word stands, and what
        the others accepted is learnt from them.
"""

import asyncio
import json
from functools import partial

import structlog

from backend.db.ports import RunRead, Submit
from backend.db.tables import Row
from backend.pause import Pause
from backend.risk.cases.model import CaseClock
from backend.risk.devices.judging import Devices, Trust
from backend.risk.devices.limits import ACCEPTED_LOOK_BACK_MS, JUDGE_POLL_S, REBUILD_DAYS
from backend.risk.devices.readings import Reading, plain_reading
from backend.risk.devices.repository import Place, ReadingRepository
from backend.risk.devices.service import HONEST, KeepJudgement
from protocol.clock import DAY_MS, Clock, Entropy
from protocol.errors import OperatingError
from protocol.ids import CASE, RANDOM_BYTES, mint

_log = structlog.get_logger()


class DeviceJudge:
    """Owns the fleet's profiles. One per process."""

    def __init__(
        self,
        *,
        submit: Submit,
        run_read: RunRead,
        repository: ReadingRepository,
        case_clock: CaseClock,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._submit = submit
        self._run_read = run_read
        self._repository = repository
        self._case_clock = case_clock
        self._clock = clock
        self._entropy = entropy
        self._devices = Devices()
        self._learnt: dict[tuple[str, int], int] = {}
        """Accepted readings that may be met again, and when they were accepted."""
        self._learnt_until_ms = 0
        self._pause = Pause()

    def wake(self) -> None:
        """Look at once. Call it on the loop."""
        self._pause.wake()

    async def run(self) -> None:
        """Judge until cancelled."""
        while True:
            try:
                await self.run_due()
            except OperatingError as error:
                _log.warning("device_judge_paused", code=error.code)
            await self._pause.sleep(JUDGE_POLL_S)

    async def run_due(self) -> int:
        """Judge what waits now; how many readings that were."""
        judged = 0
        while True:
            await self._learn()
            rows: list[Row] = await self._run_read(self._repository.unjudged)
            for row in rows:
                judged += await self._judge(row)
            if not rows:
                return judged

    async def _learn(self) -> None:
        """Take in what was accepted, by whomever, since the last look (rule 1)."""
        now_ms = self._clock.now_ms()
        since_ms = self._learnt_until_ms - ACCEPTED_LOOK_BACK_MS
        place: Place = (max(since_ms, now_ms - REBUILD_DAYS * DAY_MS), "", 0)
        while rows := await self._run_read(partial(self._repository.accepted, after=place)):
            await asyncio.to_thread(self._take, rows)
            place = (rows[-1]["accepted_at_ms"], rows[-1]["tid"], rows[-1]["number"])
        self._learnt_until_ms = now_ms
        kept_ms = now_ms - 2 * ACCEPTED_LOOK_BACK_MS
        self._learnt = {key: at for key, at in self._learnt.items() if at >= kept_ms}

    def _take(self, rows: list[Row]) -> None:
        for row in rows:
            key = (row["tid"], row["number"])
            if key not in self._learnt:
                self._learnt[key] = row["accepted_at_ms"]
                is_anew = bool(row["accepted_by"])
                self._devices.accept(row["tid"], _reading(row), is_anew=is_anew)

    async def _judge(self, row: Row) -> int:
        tid, number = row["tid"], row["number"]
        if tid not in self._devices.profiles and number > 1:
            earlier = await self._run_read(
                lambda: self._repository.latest_accepted(tid, before=number)
            )
            self._take(earlier)
        trust = self._devices.observe(
            tid,
            _reading(row),
            day=row["received_at_ms"] // DAY_MS,
            is_enrolment=number == 1,
        )
        is_accepted = trust.verdict in HONEST
        if is_accepted:
            self._learnt[tid, number] = self._clock.now_ms()
        is_first = await self._submit(self._command(row, trust, is_accepted=is_accepted))
        _log.info(
            "device_judged", device=tid, number=number, verdict=trust.verdict.value,
            reasons=len(trust.reasons), is_first=is_first,
        )  # fmt: skip
        return int(is_first)

    def _command(self, row: Row, trust: Trust, *, is_accepted: bool) -> KeepJudgement:
        case_id = mint(
            CASE,
            time_ms=self._clock.now_ms(),
            random_bytes=self._entropy.token_bytes(RANDOM_BYTES),
        )
        return KeepJudgement(
            tid=row["tid"],
            number=row["number"],
            trust=trust,
            is_accepted=is_accepted,
            case_id=case_id,
            clock=self._case_clock,
        )


def _reading(row: Row) -> Reading:
    return plain_reading(json.loads(row["attrs"]))
