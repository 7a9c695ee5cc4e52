"""Keeps charges going: asks the backend what is to be asked, watches what runs, and gives up what
does not come.

Rule 1: what was minted is said until the backend has answered, with growing gaps, over any restart.
Rule 2: a running charge asks whether its mandate still stands when the backend says that it has
        changed, and every few seconds where that word did not come. Silence ends nothing: the
        limit holds.
Rule 3: a charger whose device was suspended or revoked gives nothing more: nothing that it says
        would be paid. A debt that was refused because nobody knows the device waits until the
        registry's row of it is another.
Rule 4: what waits, waits by time that only passes.
Rule 5: a disk that takes nothing now stops no charge for good: every tick tries again.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Protocol

import structlog

from hub.ocpp import paying, sharing
from hub.ocpp.account import Said
from hub.ocpp.book import ChargeBook
from hub.ocpp.limits import (
    ASKED_QUERY_EVERY_MS,
    QUERY_EVERY_MS,
    RETRY_GAPS_MS,
    STANDING_WAIT_S,
    START_WAIT_MS,
    STOP_AGAIN_MS,
    TICK_S,
    WATCH_EVERY_MS,
)
from hub.ocpp.model import DEVICE_UNKNOWN, Charge, ChargeState, ChargeStep
from hub.ocpp.paying import Asking
from protocol.errors import OperatingError, TillwayError
from protocol.messages import (
    MandateChanged,
    MandateQuery,
    MandateStanding,
    PaymentClose,
    PaymentQuery,
    PaymentResult,
    RefundQuery,
    RefundResult,
    parse_body,
)

log = structlog.get_logger("hub.ocpp")
_S = ChargeState


class Registry(Protocol):
    """What the store's registry says of a charger's device."""

    def is_stopped(self, tid: str) -> bool:
        """Whether it may not speak."""
        ...

    def revision(self, tid: str) -> int | None:
        """The revision of its row; None: there is none."""
        ...


@dataclass(slots=True)
class _Pace:
    """When a charge in a state is looked at next. A restart forgets it and only asks sooner."""

    state: ChargeState
    due_ms: int | None = None
    tries: int = 0
    is_busy: bool = False
    told_ms: int | None = None
    since_ms: int | None = None


class Keeper:
    """The charges' one loop."""

    def __init__(self, book: ChargeBook, registry: Registry) -> None:
        self._book = book
        self._registry = registry
        self._time = book.time
        self._paces: dict[str, _Pace] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until cancelled (rule 5)."""
        try:
            while True:
                try:
                    await self.tick()
                except OperatingError as error:
                    log.warning("charges_paused", code=error.code, detail=error.detail)
                await asyncio.sleep(TICK_S)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def tick(self) -> None:
        """Begin what is due."""
        await self._book.settle_early()
        charges = await self._book.open_charges()
        self._paces = {one.payment_id: self._pace(one) for one in charges}
        now_ms = self._time.now_ms()
        for charge in charges:
            pace = self._paces[charge.payment_id]
            if sharing.reaches_limit(charge, charges, now_ms):
                await self._book.stop(charge, "limit_reached")
            elif charge.state is _S.RUNNING and self._registry.is_stopped(charge.charger):
                await self._stop(charge, pace, "device_stopped")
            if not pace.is_busy and self._is_due(pace):
                pace.is_busy = True
                self._spawn(self._look(charge, pace), charge.payment_id)

    async def settle(self) -> None:
        """Wait until everything that was begun has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def standing(self, charger: str, mandate_id: str) -> MandateStanding | None:
        """What a mandate allows now; None where the backend has not said it in time, or said that
        it would another time."""
        said = await self._ask(charger, "mandate.query", MandateQuery(mandate_id=mandate_id))
        if said is None or not said.is_backend or (said.error is not None and not said.is_final):
            return None
        if said.error is not None:
            currency = self._book.posts[charger].tariff.currency
            return MandateStanding(
                mandate_id=mandate_id,
                is_active=False,
                currency=currency,
                room_minor=0,
                valid_until_ms=0,
            )
        return parse_body(MandateStanding, said.body)

    async def hear_of_debits(self, mandate_id: str) -> None:
        """Ask what became of the debits that are on their way under a mandate: a room that is told
        after that is without them, as the book is."""
        charges = await self._book.open_charges()
        owed = [one for one in charges if sharing.is_owed(one) and one.mandate_id == mandate_id]
        await asyncio.gather(*(self._hear_of(one) for one in owed))

    async def _hear_of(self, charge: Charge) -> None:
        asked = PaymentQuery(payment_id=charge.payment_id)
        said = await self._ask(charge.charger, paying.QUERY, asked)
        if said is not None and said.error is None:
            result = parse_body(PaymentResult, said.body)
            await self._book.apply(charge.payment_id, lambda one: paying.after_payment(one, result))

    def take_news(self, charger: str, wire: bytes) -> None:
        """Begin to act on a push for a charger, and return at once."""
        self._spawn(self._hear(charger, wire), charger)

    async def _hear(self, charger: str, wire: bytes) -> None:
        """Act on a push of the backend's or the hub's."""
        try:
            said = self._book.accounts[charger].open(wire)
        except TillwayError as error:
            log.warning("news_refused", charger=charger, code=error.code)
            return
        if said.is_backend and said.message_type == "payment.result":
            result = parse_body(PaymentResult, said.body)
            await self._book.apply(
                result.payment_id, lambda charge: paying.after_payment(charge, result)
            )
        elif said.is_backend and said.message_type == "mandate.changed":
            await self._look_again(charger, parse_body(MandateChanged, said.body).mandate_id)

    async def _look_again(self, charger: str, mandate_id: str) -> None:
        """Ask at once for what runs under a mandate, also where the last question is still open:
        that may have been answered before the change."""
        for charge in await self._book.open_charges():
            is_under_it = (charge.charger, charge.mandate_id) == (charger, mandate_id)
            if is_under_it and charge.state is _S.RUNNING:
                await self._look(charge, self._pace(charge))

    # One look at one charge.

    async def _look(self, charge: Charge, pace: _Pace) -> None:
        try:
            if charge.state is _S.RUNNING:
                await self._watch(charge, pace)
            elif charge.state is _S.FUNDED:
                await self._await_start(charge, pace)
            elif charge.state is _S.REFUSED:
                self._later(pace, STOP_AGAIN_MS)
                await self._book.stop(charge, "card_unknown")
            elif charge.waits_for_registry:
                await self._await_registry(charge)
            else:
                await self._settle(charge, pace)
        except TillwayError as error:
            log.warning(
                "charge_waits", payment_id=charge.payment_id, code=error.code, detail=error.detail
            )
            self._later(pace, RETRY_GAPS_MS[-1])
        finally:
            pace.is_busy = False

    async def _watch(self, charge: Charge, pace: _Pace) -> None:
        self._later(pace, WATCH_EVERY_MS)
        if charge.stop_reason:
            await self._stop(charge, pace, charge.stop_reason)
            return
        if charge.mandate_id is None:
            return
        standing = await self.standing(charge.charger, charge.mandate_id)
        if standing is None:
            return
        if not standing.is_active:
            await self._stop(charge, pace, "owner_stopped")
        elif standing.room_minor != charge.limit_minor:
            await self._retell(charge, standing.room_minor)

    async def _retell(self, before: Charge, room_minor: int) -> None:
        """The room that was told of a charge, unless a debit has made it less since it was asked:
        that answer may be from before."""
        charges = await self._book.open_charges()

        def retold(one: Charge) -> Charge:
            is_news = not one.ended_at_ms and one.limit_minor == before.limit_minor
            return sharing.retold(one, charges, room_minor) if is_news else one

        await self._book.apply(before.payment_id, retold)

    async def _stop(self, charge: Charge, pace: _Pace, why: str) -> None:
        """Tell the charger, and now and then again."""
        now_ms = self._time.ticks_ms()
        if pace.told_ms is None or now_ms - pace.told_ms >= STOP_AGAIN_MS:
            await self._book.stop(charge, why)
            pace.told_ms = now_ms

    async def _await_start(self, charge: Charge, pace: _Pace) -> None:
        now_ms = self._time.ticks_ms()
        if pace.since_ms is None:
            pace.since_ms = now_ms
        if now_ms - pace.since_ms >= START_WAIT_MS:
            await self._book.end(
                lambda journal: journal.charge(charge.payment_id),
                None,
                at_ms=self._time.now_ms(),
                reason="never_began",
            )
            return
        self._book.start(charge)
        self._later(pace, STOP_AGAIN_MS)

    async def _await_registry(self, charge: Charge) -> None:
        row = self._registry.revision(charge.charger)
        if row is not None and row != charge.registry_row:
            await self._book.apply(charge.payment_id, _resumed)

    async def _settle(self, charge: Charge, pace: _Pace) -> None:
        answered = await self._book.run(lambda journal: journal.answered(charge.payment_id))
        is_wanted = (charge.charger, charge.connector) in self._book.waiting
        asking = paying.next_asking(charge, answered, is_wanted=is_wanted)
        if asking is None:
            return
        said = await self._say(charge, asking)
        if said is None or (said.error is not None and not said.is_final):
            gap = RETRY_GAPS_MS[min(pace.tries, len(RETRY_GAPS_MS) - 1)]
            pace.tries += 1
            self._later(pace, gap)
            return
        pace.tries = 0
        is_asked = charge.state is _S.ASKED
        self._later(pace, ASKED_QUERY_EVERY_MS if is_asked else QUERY_EVERY_MS)
        await self._take(charge, asking, said)

    async def _say(self, charge: Charge, asking: Asking) -> Said | None:
        payment_id = charge.payment_id
        if asking.is_once:
            stored = await self._book.run(
                lambda journal: journal.request(payment_id, asking.message_type)
            )
            assert stored is not None, "minted with the state that asks for it"
            return await self._ask(
                charge.charger, asking.message_type, stored.body, request_id=stored.request_id
            )
        if asking.message_type == paying.REFUND_QUERY:
            assert charge.refund_id is not None
            body = RefundQuery(refund_id=charge.refund_id)
            return await self._ask(charge.charger, asking.message_type, body)
        make = PaymentClose if asking.message_type == paying.CLOSE else PaymentQuery
        return await self._ask(charge.charger, asking.message_type, make(payment_id=payment_id))

    async def _take(self, charge: Charge, asking: Asking, said: Said) -> None:
        if said.error is not None:
            code = said.error.code
            if asking.is_once or said.is_unheard:
                row = self._registry.revision(charge.charger) if code == DEVICE_UNKNOWN else None
                await self._book.apply(charge.payment_id, lambda one: _refused(one, code, row))
            log.warning("charge_refused", payment_id=charge.payment_id, code=code)
            return
        if said.message_type == "refund.result":
            refunded = parse_body(RefundResult, said.body)
            await self._book.apply(
                charge.payment_id, lambda one: paying.after_refund(one, refunded)
            )
        else:
            paid = parse_body(PaymentResult, said.body)
            await self._book.apply(charge.payment_id, lambda one: paying.after_payment(one, paid))
        if asking.is_once:
            await self._book.run(
                lambda journal: journal.settle_request(charge.payment_id, asking.message_type)
            )

    async def _ask(
        self, charger: str, message_type: str, body: object, *, request_id: str | None = None
    ) -> Said | None:
        account = self._book.accounts[charger]
        try:
            async with asyncio.timeout(STANDING_WAIT_S):
                return await account.ask(message_type, body, request_id=request_id)  # type: ignore[arg-type]
        except TimeoutError:
            return None

    def _pace(self, charge: Charge) -> _Pace:
        known = self._paces.get(charge.payment_id)
        return known if known and known.state is charge.state else _Pace(charge.state)

    def _later(self, pace: _Pace, gap_ms: int) -> None:
        pace.due_ms = self._time.ticks_ms() + gap_ms

    def _is_due(self, pace: _Pace) -> bool:
        return pace.due_ms is None or pace.due_ms <= self._time.ticks_ms()

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=f"charge-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("charge_task_failed", exc_info=error)


def _refused(charge: Charge, code: str, row: int | None) -> Charge:
    """What was asked will not be done: a code is dropped, a debt is a person's."""
    if charge.state is _S.OFFERED:
        return charge.move(ChargeStep.DROP, error_code=code)
    if charge.state in {_S.OWED, _S.ASKED}:
        return charge.move(ChargeStep.REFUSE, error_code=code, registry_row=row)
    return charge


def _resumed(charge: Charge) -> Charge:
    """A debt that is asked for again, by the request that was minted with it."""
    if not charge.waits_for_registry:
        return charge
    return charge.move(ChargeStep.RESUME, error_code=None, registry_row=None)
