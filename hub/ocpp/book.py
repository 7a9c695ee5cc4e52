"""The store's charges as they go on: takes what chargers say, commits each step, and tells a
charger's line what to do.

Rule 1: a step is committed before it is acknowledged to a charger or asked of the backend.
Rule 2: a beginning, a reading or an end that a charger says twice counts once. A beginning is a
        new one only where the earlier is known to be over (``Beginning.may_recur``).
Rule 3: one lock guards the journal; nothing is awaited from outside while it is held.
Rule 4: a transaction that begins ends the one before at its connector: the charger has lost that
        end, so the latest reading is what is paid. A transaction whose own end came before its
        beginning (``early``) ends no other.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import TypeVar

import structlog

from hub.ocpp import paying, sharing
from hub.ocpp.account import ChargerAccount
from hub.ocpp.beginning import Beginning, beginning_of, funded, recurs, started
from hub.ocpp.early import EarlyEnd
from hub.ocpp.journal import ChargeJournal
from hub.ocpp.limits import NUMBERS_BEGIN_MAX, NUMBERS_SINCE_S
from hub.ocpp.model import Charge, ChargeState, ChargeStep, believed_ms
from hub.ocpp.post import ChargerLine, Post
from hub.ocpp.time import ChargingTime
from protocol import ids
from protocol.errors import OperatingError

log = structlog.get_logger("hub.ocpp")
_Result = TypeVar("_Result")
_OCCUPYING = frozenset({ChargeState.OFFERED, ChargeState.FUNDED, ChargeState.RUNNING})


class ChargeBook:
    """All charges of the store's chargers. ``lines`` are the chargers that are connected."""

    def __init__(
        self,
        journal: ChargeJournal,
        posts: Mapping[str, Post],
        accounts: Mapping[str, ChargerAccount],
        *,
        time: ChargingTime,
        worker: Executor,
    ) -> None:
        """``worker`` has one thread: the journal's."""
        self.posts = posts
        self.accounts = accounts
        self.lines: dict[str, ChargerLine] = {}
        self.waiting: set[tuple[str, int]] = set()
        """Connectors where a cable waits and nothing flows."""
        self.unread = 0
        """What is kept for a person, as of the last look at the journal."""
        self._journal = journal
        self.time = time
        self._worker = worker
        self._lock = asyncio.Lock()

    async def run(self, work: Callable[[ChargeJournal], _Result]) -> _Result:
        """Read or write the journal, in one transaction, on its own thread. ``busy``: the disk
        would not take it; nothing of it is kept."""

        def within() -> _Result:
            try:
                with self._journal.transaction():
                    return work(self._journal)
            except sqlite3.OperationalError as error:
                raise OperatingError("busy", f"charges: {error}") from error

        async with self._lock:
            return await asyncio.get_running_loop().run_in_executor(self._worker, within)

    async def resume(self) -> None:
        """The program has started: what runs goes on from when it was last heard of. New charges
        get numbers that a journal put back from a backup has not given either: there are more
        seconds than charges."""
        since_ms = self.time.now_ms() - NUMBERS_SINCE_S * 1000

        def read(journal: ChargeJournal) -> int | None:
            journal.number_above(min(max(since_ms // 1000, 0), NUMBERS_BEGIN_MAX))
            heard = [one.heard_at_ms for one in journal.open_charges() if one.is_flowing]
            return max(heard, default=None)

        heard_ms = await self.run(read)
        if heard_ms is not None:
            self.time.resume(heard_ms)

    async def open_charges(self) -> list[Charge]:
        """The charges that are not over, oldest first."""

        def read(journal: ChargeJournal) -> list[Charge]:
            self._set_right(journal)
            self.unread = journal.count_unread()
            return journal.open_charges()

        return await self.run(read)

    # What chargers say

    async def funded(self, charger: str, tag: str) -> Charge | None:
        """The charge that was paid ahead for this tag and has not begun."""
        return await self.run(lambda journal: funded(journal, charger, tag))

    async def beside_minor(self, mandate_id: str, *, but: str = "") -> int:
        """What goes on under a mandate takes of its room, but for the charge of this payment id."""
        charges, now_ms = await self.open_charges(), self.time.now_ms()
        return sharing.beside_minor(charges, mandate_id, now_ms, but=but)

    async def begin(self, charger: str, said: Beginning, room_minor: int | None) -> Charge:
        """A transaction begins, or is said to have begun. ``room_minor`` is what its tag's mandate
        allows, None where nobody could say."""
        ended: list[Charge] = []

        def write(journal: ChargeJournal) -> Charge:
            known = journal.by_key(charger, said.key)
            if known is not None and not recurs(journal, known, said):
                return known
            if known is not None:
                journal.save(replace(known, key=f"{known.key}|{known.number}"))
            before = journal.take_tokenless(charger, said.key)
            first = replace(said, wh=before[0]) if before and said.wh is None else said
            early = journal.take_early_end(charger, said.key)
            self._set_right(journal)
            if early is not None:
                ended.append(self._begin_over(journal, early, first, room_minor))
                return ended[0]
            self.waiting.discard((charger, said.connector))
            ended.extend(self._supersede(journal, charger, said.connector))
            return self._begin(journal, charger, first, room_minor)

        charge = await self.run(write)
        for one in ended:
            _log_end(one)
        log.info(
            "charge_begun",
            payment_id=charge.payment_id,
            charger=charger,
            state=charge.state.value,
        )
        return charge

    async def settle_early(self) -> None:
        """Do what people have said of ends whose beginning stays away."""
        for early in await self.run(lambda journal: journal.settled_ends()):
            if early.charger in self.posts:
                await self.begin(early.charger, beginning_of(early), None)

    async def begin_late(self, charger: str, said: Beginning) -> Charge | None:
        """The beginning of a charge that began with something later of it; what is over stays."""
        at_ms = believed_ms(said.at_ms, self.time.now_ms())

        def write(journal: ChargeJournal) -> Charge | None:
            charge = journal.by_key(charger, said.key)
            if charge is None or not charge.is_flowing or charge.tag != said.tag:
                return charge
            begun = charge.begin_at(said.wh, at_ms=at_ms)
            journal.save(begun)
            return begun

        charge = await self.run(write)
        if charge is not None:
            self._show(charge)
        return charge

    async def read(
        self, find: Callable[[ChargeJournal], Charge | None], readings: Sequence[tuple[int, int]]
    ) -> Charge | None:
        """The meter of a running transaction was read: what it showed (Wh), and when."""
        now_ms = self.time.now_ms()

        def write(journal: ChargeJournal) -> tuple[Charge | None, bool]:
            charge = find(journal)
            if charge is None or not charge.is_flowing:
                return charge, False
            for wh, at_ms in readings:
                charge = charge.read(wh, at_ms=believed_ms(at_ms, now_ms), heard_at_ms=now_ms)
            journal.save(charge)
            return charge, sharing.reaches_limit(charge, journal.open_charges(), now_ms)

        charge, is_at_limit = await self.run(write)
        if charge is None:
            log.warning("reading_of_nothing")
            return None
        self._show(charge)
        if is_at_limit:
            await self.stop(charge, "limit_reached")
        return charge

    async def end(
        self,
        find: Callable[[ChargeJournal], Charge | None],
        wh: int | None,
        *,
        at_ms: int,
        reason: str,
    ) -> Charge | None:
        """A transaction is over. The debit, or what gives the rest back, is minted with it."""
        now_ms = self.time.now_ms()

        def write(journal: ChargeJournal) -> Charge | None:
            charge = find(journal)
            if charge is None or not (charge.is_flowing or charge.state is ChargeState.FUNDED):
                return charge
            return self._end(journal, charge, wh, at_ms=believed_ms(at_ms, now_ms), reason=reason)

        charge = await self.run(write)
        if charge is None:
            log.warning("end_of_nothing", reason=reason)
            return None
        _log_end(charge)
        self._show(charge)
        return charge

    async def plugged(self, charger: str, connector: int, *, is_waiting: bool) -> None:
        """A cable waits at a connector, or no more. Where one may pay ahead, a code is offered; one
        that is offered already is shown again, for its charger may have begun anew."""
        if not is_waiting:
            self.waiting.discard((charger, connector))
            return
        self.waiting.add((charger, connector))
        post = self.posts[charger]
        if post.prepay_minor:
            offered = await self.run(lambda journal: self._offer(journal, post, connector))
            if offered is not None and offered.code_url:
                self._show(offered)

    # What the backend says

    async def apply(self, payment_id: str, change: Callable[[Charge], Charge]) -> Charge | None:
        """Take a step that a word of the backend makes; the charge after it."""

        def write(journal: ChargeJournal) -> tuple[Charge, Charge] | None:
            before = journal.charge(payment_id)
            if before is None:
                return None
            after = change(before)
            if after != before:
                journal.save(after)
            for one in sharing.after_debit(before, after, journal.open_charges()):
                journal.save(one)
            if paying.has_run_out(before, after) and self._is_waiting(after):
                self._offer(journal, self.posts[after.charger], after.connector)
            return before, after

        moved = await self.run(write)
        if moved is None:
            return None
        before, after = moved
        if before != after:
            log.info("charge_moved", payment_id=payment_id, state=after.state.value)
            self._show(after)
        if before.state is not after.state and after.state is ChargeState.FUNDED:
            self._tell(after.charger, lambda line: line.start(after))
        return after

    async def stop(self, charge: Charge, why: str) -> None:
        """Tell the charger to end a running charge, and remember why."""
        if not charge.stop_reason:
            log.info("charge_stopping", payment_id=charge.payment_id, why=why)
            stopping = await self.apply(
                charge.payment_id,
                lambda one: replace(one, stop_reason=why) if not one.ended_at_ms else one,
            )
            charge = stopping or charge
        if charge.is_flowing:
            self._tell(charge.charger, lambda line: line.stop(charge))

    def start(self, charge: Charge) -> None:
        """Tell the charger once more to begin what was paid ahead."""
        self._tell(charge.charger, lambda line: line.start(charge))

    # Below: inside a transaction.

    def _begin(
        self, journal: ChargeJournal, charger: str, said: Beginning, room_minor: int | None
    ) -> Charge:
        now_ms = self.time.now_ms()
        ahead = funded(journal, charger, said.tag)
        if ahead is not None:
            begun = started(ahead.move(ChargeStep.BEGIN), said, now_ms)
            journal.save(begun)
            return begun
        mandate_id = journal.mandate_of(charger, said.tag)
        new = replace(self._new(charger, said.tag), limit_minor=room_minor, mandate_id=mandate_id)
        begun = started(new, said, now_ms)
        return journal.add(
            begun if mandate_id else begun.move(ChargeStep.DENY, error_code="payer_unknown")
        )

    def _begin_over(
        self, journal: ChargeJournal, early: EarlyEnd, said: Beginning, room_minor: int | None
    ) -> Charge:
        """What is over when it begins. A person's word on it stands (``early``, rule 2), and the
        backend says whether the payer can pay that."""
        if early.is_settled:
            said, room_minor = beginning_of(early), None
        if early.is_waived:
            new = replace(self._new(early.charger, ""), limit_minor=0)
            begun = journal.add(started(new, said, self.time.now_ms()))
        else:
            begun = early.read(self._begin(journal, early.charger, said, room_minor))
        return self._end(journal, begun, early.wh, at_ms=early.at_ms, reason=early.reason)

    def _set_right(self, journal: ChargeJournal) -> None:
        """While nothing runs that was heard of lately."""
        now_ms = self.time.now_ms()
        if not any(one.is_flowing and one.is_heard(now_ms) for one in journal.open_charges()):
            self.time.set_right()

    def _end(
        self, journal: ChargeJournal, charge: Charge, wh: int | None, *, at_ms: int, reason: str
    ) -> Charge:
        charge = sharing.capped(charge, journal.open_charges())
        ended = charge.end(wh, at_ms=at_ms, reason=reason)
        if ended.prepaid_minor:
            refund_id = self.accounts[charge.charger].mint(ids.REFUND)
            ended = replace(ended, refund_id=refund_id)
        after = paying.after_end(ended)
        journal.save(after)
        if after.state is ChargeState.OWED:
            self._mint(journal, after)
        return after

    def _supersede(self, journal: ChargeJournal, charger: str, connector: int) -> list[Charge]:
        """End what still runs at a connector where another transaction begins (rule 4)."""
        return [
            self._end(journal, one, None, at_ms=one.last_at_ms, reason="end_not_said")
            for one in journal.open_charges()
            if connector and (one.charger, one.connector) == (charger, connector) and one.is_flowing
        ]

    def _is_waiting(self, charge: Charge) -> bool:
        return (charge.charger, charge.connector) in self.waiting

    def _offer(self, journal: ChargeJournal, post: Post, connector: int) -> Charge | None:
        """A new code, or the one that is offered there; None where another charge is."""
        here = [
            one
            for one in journal.open_charges()
            if (one.charger, one.connector) == (post.name, connector) and one.state in _OCCUPYING
        ]
        if here:
            is_free = all(one.state is ChargeState.OFFERED for one in here)
            return here[0] if is_free else None
        offered = journal.add(post.offer(self._mint_payment(post.name), connector))
        self._mint(journal, offered)
        return offered

    def _new(self, charger: str, tag: str) -> Charge:
        return self.posts[charger].charge(self._mint_payment(charger), tag)

    def _mint_payment(self, charger: str) -> str:
        return self.accounts[charger].mint(ids.PAYMENT)

    def _mint(self, journal: ChargeJournal, charge: Charge) -> None:
        """Write down the request that the charge's state asks for, under an id of its own."""
        account, post = self.accounts[charge.charger], self.posts[charge.charger]
        request_id = account.mint(ids.REQUEST)
        message_type, body = paying.first_request(
            charge, attempt_id=account.mint(ids.ATTEMPT), merchant_id=post.merchant_id
        )
        journal.add_request(charge.payment_id, message_type, request_id, body.to_map())

    # To the chargers

    def _show(self, charge: Charge) -> None:
        self._tell(charge.charger, lambda line: line.show(charge))

    def _tell(self, charger: str, say: Callable[[ChargerLine], None]) -> None:
        line = self.lines.get(charger)
        if line is not None:
            say(line)


def _log_end(charge: Charge) -> None:
    log.info(
        "charge_ended",
        payment_id=charge.payment_id,
        charger=charge.charger,
        energy_wh=charge.energy_wh,
        amount_minor=charge.amount_minor,
        state=charge.state.value,
        reason=charge.end_reason,
    )
