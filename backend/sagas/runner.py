"""The task that carries conversations on: claims, speaks to the channel, has the word resolved.

Rule 1: it keeps nothing that the database does not. Killed at any point, the lease runs out and the
        conversation goes on from its row: what was perhaps sent is asked about, never sent anew as
        another.
Rule 2: one conversation, or one channel, that goes wrong stops no other.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import date

import structlog

from backend.channels.facts import Offer
from backend.channels.model import ChannelAnswer, PayOrder, PayoutOrder, RefundOrder
from backend.channels.ports import ChannelPort, NotSentError
from backend.db.command import Command
from backend.db.ports import RunRead, Submit
from backend.db.tables import Row
from backend.observability.flows import Flow, FlowMeter, Outcome
from backend.pause import Pause
from backend.routing.service import Heard
from backend.sagas.limits import CONVERSATIONS_PER_CHANNEL_MAX, POLL_MS, ROUNDS_PER_SETTLING_MAX
from backend.sagas.model import TAKING, Ask, SagaKind, SagaState
from backend.sagas.ports import Resolve, Word
from backend.sagas.repository import SagaRepository
from backend.sagas.service import Claimed, ClaimSagas
from protocol.clock import SECOND_MS, Clock
from protocol.errors import OperatingError
from protocol.money import Money

_log = structlog.get_logger()
Taken = Callable[[str], Awaitable[Row]]
"""What a channel has taken without our asking, by the break's id: ``reference``,
``channel_reference``, ``account``, ``business_date``."""


class SagaRunner:
    """Owns the speaking. Run one task of it per installation; two do no harm."""

    def __init__(
        self,
        *,
        submit: Submit,
        run_read: RunRead,
        repository: SagaRepository,
        channels: Mapping[str, ChannelPort],
        resolvers: Mapping[SagaKind, Resolve],
        taken: Taken,
        clock: Clock,
        flows: FlowMeter,
    ) -> None:
        self._submit = submit
        self._run_read = run_read
        self._repository = repository
        self._channels = channels
        self._resolvers = resolvers
        self._taken = taken
        self._clock = clock
        self._flows = flows
        self._pause = Pause()
        self._under_way: dict[str, asyncio.Event] = {}
        self._silent = frozenset(
            name for name, one in channels.items() if Offer.QUERY not in one.facts.offers
        )
        self._free = dict.fromkeys(channels, CONVERSATIONS_PER_CHANNEL_MAX)

    def wake(self) -> None:
        """Look at once. Call it on the loop, for instance after a commit that planned one."""
        self._pause.wake()

    async def run(self) -> None:
        """Carry on until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    claimed = await self._claim()
                except OperatingError as error:
                    _log.warning("sagas_paused", code=error.code)
                    claimed = []
                for one in claimed:
                    tasks.create_task(self._carry_on(one))
                if not claimed:
                    await self._pause.sleep(POLL_MS / 1000)

    async def run_due(self) -> int:
        """One round: what is due now. How many were carried on."""
        claimed = await self._claim()
        async with asyncio.TaskGroup() as tasks:
            for one in claimed:
                tasks.create_task(self._carry_on(one))
        return len(claimed)

    async def carry_on(self, saga_id: str) -> None:
        """Speak about one conversation now; where this runner is about it already, wait until it
        has spoken."""
        claimed = await self._take(saga_id)
        for one in claimed:
            await self._carry_on(one)
        under_way = self._under_way.get(saga_id)
        if under_way is not None:
            await under_way.wait()

    async def settle(self, day: date) -> int:
        """Carry on what is due until nothing is; how many conversations of a day, or of before,
        are still open."""
        for _ in range(ROUNDS_PER_SETTLING_MAX):
            if not await self.run_due():
                break
        still_open: int = await self._run_read(
            lambda: self._repository.open_through(day.isoformat())
        )
        return still_open

    async def _claim(self) -> list[Claimed]:
        places = {channel_id: free for channel_id, free in self._free.items() if free > 0}
        due = await self._run_read(lambda: self._repository.due(self._clock.now_ms(), places))
        if not due:
            return []
        return await self._take(*due)

    async def _take(self, *saga_ids: str) -> list[Claimed]:
        claimed: list[Claimed] = await self._submit(
            ClaimSagas(saga_ids=saga_ids, silent_channels=self._silent)
        )
        for one in claimed:
            self._free[one.row["channel_id"]] -= 1
            self._under_way[one.row["saga_id"]] = asyncio.Event()
        return claimed

    async def _carry_on(self, claimed: Claimed) -> None:
        row = claimed.row
        try:
            word = await self._speak(row, claimed.ask)
            if word.error and not word.is_waiting:
                log = _log.error if claimed.is_alarming else _log.warning
                log("saga_unanswered", saga_id=row["saga_id"], ask=claimed.ask, error=word.error)
            after = await self._submit(self._resolved(row, claimed.ask, word))
            if after["state"] == SagaState.STRANDED:
                _log.error("saga_stranded", saga_id=row["saga_id"], reason=after["error"])
        except OperatingError as error:
            # Not noted: the lease runs out and the channel is asked again.
            _log.warning("saga_not_noted", saga_id=row["saga_id"], code=error.code)
        except Exception:  # noqa: BLE001  # outermost: one conversation
            _log.exception("saga_failed", saga_id=row["saga_id"], ask=claimed.ask)
        finally:
            self._free[row["channel_id"]] += 1
            self._under_way.pop(row["saga_id"]).set()
            self._pause.wake()

    async def _speak(self, row: Row, ask: Ask) -> Word:
        if ask is Ask.NOTHING:
            return await self._spoken(row, ask)
        began = time.perf_counter()
        word = await self._spoken(row, ask)
        self._flows.note(
            Flow.CHANNEL,
            _outcome(word),
            took_ms=(time.perf_counter() - began) * SECOND_MS,
            at_ms=self._clock.now_ms(),
        )
        return word

    async def _spoken(self, row: Row, ask: Ask) -> Word:
        channel_id = row["channel_id"]
        try:
            answer = await self._ask(row, ask)
        except OperatingError as error:
            return Word(
                ask=ask,
                error=f"{error.code}: {error.detail}",
                channel_id=channel_id,
                is_heard=False,
                is_unsent=ask is Ask.SEND and isinstance(error, NotSentError),
            )
        if answer is not None and answer.state == "waiting":
            return Word(
                ask=ask,
                error="not done yet",
                channel_id=channel_id,
                is_waiting=True,
                shown_code=answer.shown_code,
            )
        missing = "never arrived" if answer is None and ask is not Ask.NOTHING else ""
        return Word(ask=ask, answer=answer, error=missing, channel_id=channel_id)

    def _resolved(self, row: Row, ask: Ask, word: Word) -> Command:
        """The command that draws the word's consequence, and notes whether the channel lives."""
        command = self._resolvers[SagaKind(row["kind"])](row["saga_id"], word)
        if ask is Ask.NOTHING:
            return command
        return Heard(
            channel_id=row["channel_id"],
            is_answered=word.is_heard,
            reason=word.error,
            command=command,
        )

    async def _ask(self, row: Row, ask: Ask) -> ChannelAnswer | None:
        channel = self._channels[row["channel_id"]]
        if ask is Ask.NOTHING:
            return None
        if SagaKind(row["kind"]) in TAKING:
            return await _ask_pay(channel, row, ask)
        if row["kind"] == SagaKind.PAYOUT:
            return await _ask_payout(channel, row, ask)
        if row["kind"] == SagaKind.RETURN:
            order = _return_order(row, await self._taken(row["payment_id"]))
            if ask is Ask.SEND and not await _has_taken(channel, order):
                return ChannelAnswer(row["saga_id"], "refused", "the channel has no such", "", "")
        else:
            order = _refund_order(row, await self._paid_by(row))
        if ask is Ask.QUERY and Offer.QUERY in channel.facts.offers:
            answer = await channel.query_refund(order)
            if answer is not None:
                return answer
        return await channel.refund(order)

    async def _paid_by(self, row: Row) -> Row:
        """The conversation that took the money which this one gives back."""
        found: Row | None = await self._run_read(lambda: self._repository.find(row["payment_id"]))
        assert found is not None, "conversations are never removed"
        return found


def _outcome(word: Word) -> Outcome:
    if not word.is_heard:
        return Outcome.FAILED
    is_refused = word.answer is not None and word.answer.state == "refused"
    return Outcome.REFUSED if is_refused else Outcome.DONE


async def _ask_pay(channel: ChannelPort, row: Row, ask: Ask) -> ChannelAnswer | None:
    order = PayOrder(row["saga_id"], row["token"], _amount(row), row["created_at_ms"])
    match ask:
        case Ask.SEND:
            return await channel.pay(order)
        case Ask.QUERY:
            return await channel.query(order)
    return await channel.reverse(order)


async def _ask_payout(channel: ChannelPort, row: Row, ask: Ask) -> ChannelAnswer | None:
    order = PayoutOrder(
        row["saga_id"], row["token"], row["holder"], _amount(row), row["created_at_ms"]
    )
    if ask is Ask.QUERY and Offer.QUERY in channel.facts.offers:
        answer = await channel.query_payout(order)
        if answer is not None:
            return answer
    return await channel.payout(order)


def _refund_order(row: Row, paid: Row) -> RefundOrder:
    return RefundOrder(
        row["saga_id"],
        paid["saga_id"],
        _amount(row),
        at_ms=row["created_at_ms"],
        token=paid["token"],
        order_amount_minor=paid["amount_minor"],
        order_at_ms=paid["created_at_ms"],
        order_reference=paid["reference"],
        order_settlement_date=paid["settlement_date"],
    )


def _return_order(row: Row, taken: Row) -> RefundOrder:
    return RefundOrder(
        row["saga_id"],
        taken["reference"],
        _amount(row),
        at_ms=row["created_at_ms"],
        token=taken["account"],
        order_amount_minor=row["amount_minor"],
        order_reference=taken["channel_reference"],
        order_settlement_date=taken["business_date"],
        is_by_reference=True,
    )


async def _has_taken(channel: ChannelPort, order: RefundOrder) -> bool:
    """Whether the channel confirms what its file says; one that cannot be asked will refuse."""
    if Offer.FIND not in channel.facts.offers:
        return True
    found = await channel.find(order)
    return found is not None and found.state == "succeeded"


def _amount(row: Row) -> Money:
    return Money(row["amount_minor"], row["currency"])
