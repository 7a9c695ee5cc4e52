"""A day's reconciliation: gather both sides, match, and do about each break what is to be done.

Rule 1: a day is explained if every break of it is known, and its action is done or its time in the
        pool not over. What waits for a person keeps the day open.
Rule 2: reconciled again, nothing happens twice: breaks are known by what they are, and those that
        are not found any more are over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any

import structlog

from backend.channels.day_file import DayFile, DayRow
from backend.channels.facts import CostTerms
from backend.channels.iso20022 import StatementEntry
from backend.channels.model import ECNY, FUND
from backend.channels.ports import BankPort, DayPort
from backend.clearing.calendar import Calendar
from backend.db.command import Command
from backend.db.tables import Row
from backend.instruments.model import HOUSE, OFFLINE
from backend.payments.model import PaymentRules
from backend.reconciliation.advances import match_repaid
from backend.reconciliation.breaks import (
    Break,
    BreakClass,
    BreakState,
    BreakStep,
    action_of,
    aged_step,
    difference,
)
from backend.reconciliation.cases import MoveBreak, TakeUpBreak
from backend.reconciliation.fees import priced, priced_known
from backend.reconciliation.giving_back import GiveBackLong
from backend.reconciliation.limits import (
    BREAKS_PER_CHANNEL_DAY_MAX,
    LOOKED_UP_AT_ONCE_MAX,
)
from backend.reconciliation.match import (
    Known,
    Matched,
    match_figures,
    match_orders,
    match_sides,
    total,
)
from backend.reconciliation.numbers import numbered, rows_of, strays
from backend.reconciliation.repository import ReconciliationRepository
from backend.reconciliation.returns import AskBack, obstacle
from backend.reconciliation.runs import KeepRun
from backend.reconciliation.sides import DayMatch, Side
from backend.reconciliation.wallet import SOURCE, WalletComparison
from protocol.errors import OperatingError, TillwayError

_log = structlog.get_logger()
_CAPTURED = ".captured"
"""Payments through channels are posted by this event of theirs: the channel's word."""
_LACKING = frozenset({BreakClass.SHORT_MISSING_CHANNEL, BreakClass.REFUND_PENDING})
_STILL_MISSING = frozenset({BreakState.POOLED, BreakState.POSTED, BreakState.WAITING})
_CHANNEL = "channel "
"""Before a channel's id: the source of its breaks."""
_COUPONS = "C:OWN_DUE:"
"""Where the part of an order stands that a coupon paid, or that went back to us for it."""


_OUTSIDE_TRANSIT = frozenset({FUND, ECNY})
"""Channels without accounts of money on its way: the one pays our own account, the other is final
at once. What is found with them is for people."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What came of one source: whether its breaks may be posted, and all of them."""

    source: str
    matched: Matched
    has_transit: bool = False
    is_funded: bool = True


class Reconciliation:
    """Compares a closed business day with the channels' files and the reserve's statement."""

    def __init__(
        self,
        *,
        submit: Callable[[Command], Awaitable[Any]],
        repository: ReconciliationRepository,
        bank: BankPort,
        channels: Mapping[str, DayPort],
        calendar: Calendar,
        reserve_account: str,
        rules: PaymentRules,
        prices: Mapping[str, CostTerms],
        wallet: WalletComparison | None = None,
        currency: str = "CNY",
    ) -> None:
        self._submit = submit
        self._calendar = calendar
        self._repository = repository
        self._bank = bank
        self._channels = channels
        self._reserve_account = reserve_account
        self._rules = rules
        self._prices = prices
        self._wallet = wallet
        self._currency = currency

    async def __call__(self, *, day: date, booked: Sequence[date]) -> Mapping[str, Any]:
        """``Reconcile``: every comparison of a day, kept, acted upon and summed up."""
        text, booked_on = day.isoformat(), booked[-1].isoformat()
        found = [_Found("our books", total(await self._orders(text)))]
        unread = dict[str, str]()
        for channel_id in self._channels:
            try:
                found.append(await self._channel(channel_id, day, booked[-1]))
            except TillwayError as error:
                unread[f"{_CHANNEL}{channel_id}"] = str(error)
        for bank_day in booked:
            matches = await self._reserve(bank_day, is_last=bank_day == booked[-1])
            found.append(_Found("statement", total(matches)))
        if self._wallet is not None:
            try:
                found.append(_Found(SOURCE, await self._wallet.compare(day)))
            except TillwayError as error:
                unread[SOURCE] = str(error)
        matched = total(one.matched for one in found)
        run = KeepRun(
            business_date=text,
            booked_on=booked_on,
            matched=matched.count,
            breaks=matched.breaks,
        )
        number = await self._submit(run)
        waiting = await self._act(found, text, booked_on, unread)
        _log.info("reconciled", day=text, matched=matched.count, breaks=len(matched.breaks))
        if unread:
            _log.error("day_files_unread", day=text, **unread)
        return {
            "run": number,
            "matched": matched.count,
            "found": len(matched.breaks),
            "breaks": waiting,
            "kinds": sorted({one.kind.value for one in matched.breaks}),
            "unread": {name.removeprefix(_CHANNEL): why for name, why in unread.items()},
        }

    async def _act(
        self, found: Sequence[_Found], day: str, booked_on: str, unread: Collection[str]
    ) -> int:
        """Do what each break asks for; how many of the day wait for a person afterwards. The
        breaks of a source that was not read stay as they are: it may still explain them."""
        rounded, seen, waiting = 0, set[str](), set[str]()
        for one in found:
            for each in one.matched.breaks:
                seen.add(each.break_id)
                rounded += difference(each) if each.kind is BreakClass.FEE else 0
                step = action_of(
                    each,
                    has_transit=one.has_transit,
                    is_funded=one.is_funded,
                    rounded_minor=rounded,
                )
                command = TakeUpBreak(
                    found=each,
                    business_date=day,
                    currency=self._currency,
                    step=step if one.source != "statement" else BreakStep.HAND_OVER,
                    booked_on=booked_on,
                )
                row = await self._submit(command)
                if each.kind is BreakClass.LONG_STATUS and row["state"] == BreakState.POSTED:
                    row = await self._submit(GiveBackLong(follows=row, booked_on=booked_on))
                if row["state"] == BreakState.WAITING:
                    waiting.add(each.break_id)
                if each.kind is BreakClass.CUTOFF and row["state"] == BreakState.RESOLVED:
                    await self._found_elsewhere(each, booked_on)
        await self._end_what_is_gone(seen, day, booked_on, unread)
        await self._age(day, booked_on, unread)
        left = await self._repository.open_cases(day=day)
        return len(
            waiting | {row["break_id"] for row in left if row["state"] == BreakState.WAITING}
        )

    async def _found_elsewhere(self, found: Break, booked_on: str) -> None:
        """What a row of another day explains is not missing any more."""
        for row in await self._repository.cases(found.source, [found.reference]):
            if row["kind"] in _LACKING:
                await self._end(row, booked_on)

    async def _end_what_is_gone(
        self, seen: set[str], day: str, booked_on: str, unread: Collection[str]
    ) -> None:
        """Breaks of this day that are not found any more: the other side has come."""
        for row in await self._repository.open_cases(day=day):
            if row["break_id"] not in seen and row["source"] not in unread:
                await self._end(row, booked_on)

    async def _age(self, day: str, booked_on: str, unread: Collection[str]) -> None:
        """What has waited in the pool for its whole time."""
        for row in await self._repository.open_cases(before=day):
            if row["source"] in unread:
                continue
            kind = BreakClass(row["kind"])
            step = aged_step(kind, has_transit=_has_transit(row["source"]))
            _log.error("break_aged", break_id=row["break_id"], kind=kind.value, step=step.value)
            await self._submit(MoveBreak(follows=row, step=step, booked_on=booked_on))
        for row in await self._repository.long_cases(day):
            if row["source"] not in unread and not obstacle(row, self._rules):
                await self._submit(AskBack(follows=row, rules=self._rules, is_first=True))

    async def _end(self, row: Row, booked_on: str) -> None:
        step = {
            BreakState.POOLED: BreakStep.REMATCH,
            BreakState.WAITING: BreakStep.REMATCH,
            BreakState.POSTED: BreakStep.TAKE_BACK,
        }.get(BreakState(row["state"]))
        if step is not None:
            await self._submit(MoveBreak(follows=row, step=step, booked_on=booked_on))

    async def _orders(self, day: str) -> list[Matched]:
        """Our own orders against our own postings."""
        books, paid = self._repository, self._repository.payment_orders
        undone = [event async for event in books.reversed_since(day)]
        pairs = (
            ("payments", paid(day), "balance_paid", "C:CUST:", ""),
            ("offline", paid(day, OFFLINE), "offline_paid", "C:ESCROW:", ""),
            ("covered", paid(day, HOUSE), "offline_covered", "C:OWN_DUE:", ""),
            ("cards", books.card_orders(day), "card_paid", "C:CH:", _CAPTURED),
            ("funds", paid(day, "fund"), "fund_paid", "C:CH:", _CAPTURED),
            ("advances", paid(day, "advance"), "fund_paid_by_own_advance", "C:OWN_DUE:", _CAPTURED),
            ("refunds", books.refund_orders(day), "balance_refunded", "C:CUST:", ""),
            (
                "channel refunds",
                books.channel_refund_orders(day),
                "channel_refund_started",
                "C:REFUND:",
                "",
            ),
            ("topups", books.topup_orders(day), "top_up", "C:CUST:", ""),
            ("withdrawals", books.withdrawal_orders(day), "customer_withdrawn", "C:PAYOUT:", ""),
        )
        found = []
        for source, orders, rule, prefix, suffix in pairs:
            with DayMatch() as match:
                async for some in orders:
                    match.add_ours(one._replace(reference=one.reference + suffix) for one in some)
                legs = books.posted(rule, account_prefixes=(prefix, _COUPONS), day=day)
                async for some in legs:
                    match.add_theirs(some)
                match.drop_theirs(undone)
                match.sum_by_reference("theirs")
                found.append(await asyncio.to_thread(match_orders, source, match))
        return found

    async def _channel(self, channel_id: str, day: date, today: date) -> _Found:
        """A channel's file of its day against what it told us; then its sum against the money that
        came; then what stands on its account."""
        books, text, source = self._repository, day.isoformat(), f"{_CHANNEL}{channel_id}"
        with DayMatch() as match, await self._channels[channel_id].day_file(day) as file:
            await asyncio.to_thread(match.add_theirs, map(_side_of, file.rows()))
            terms = self._prices.get(channel_id, CostTerms())
            async for some in books.channel_orders(channel_id, text):
                match.add_ours(priced(some, terms))
            known: dict[str, Known] = {}
            for references in await asyncio.to_thread(lambda: list(_bounded(match))):
                some_known = await books.known(channel_id, references)
                some_priced = priced_known(some_known, terms)
                known |= await self._awaited(source, text, some_priced)
            moved = await self._moved_elsewhere(source, match, text)
            compared = await asyncio.to_thread(
                lambda: match_sides(source, text, match, known=known, moved=moved)
            )
            compared = await self._numbered(channel_id, compared, file)
            ours_minor, theirs_minor = match.sum_minor("ours"), match.sum_minor("theirs")
        reference = f"STL-{channel_id}-{day:%Y%m%d}"
        settled = (await books.settled([reference]))[reference]
        name = f"{channel_id}.{text}"
        if channel_id == FUND:
            funds = await match_repaid(
                books, self._calendar, source=source, day=day, file_minor=theirs_minor, today=today
            )
        else:
            funds = match_figures(
                BreakClass.FUNDS, source, ours_minor=settled, theirs_minor=theirs_minor, name=name
            )
        matches = [compared, funds]
        if channel_id not in _OUTSIDE_TRANSIT:
            stands = await books.channel_moved(channel_id, text, self._currency)
            matches.append(
                match_figures(
                    BreakClass.POSITION,
                    source,
                    ours_minor=stands,
                    theirs_minor=ours_minor - settled,
                    name=name,
                )
            )
        return _Found(source, total(matches), _has_transit(source), not funds.breaks)

    async def _numbered(self, channel_id: str, compared: Matched, file: DayFile) -> Matched:
        """With the channel's own numbers of what only it has; the file is read again for them."""
        wanted = strays(compared.breaks)
        if not wanted:
            return compared
        rows = await asyncio.to_thread(lambda: rows_of(file.rows(), wanted))
        ours: dict[str, str] = {}
        for start in range(0, len(wanted), LOOKED_UP_AT_ONCE_MAX):
            some = wanted[start : start + LOOKED_UP_AT_ONCE_MAX]
            ours |= await self._repository.numbers(channel_id, some)
        return Matched(compared.count, numbered(compared.breaks, rows, ours))

    async def _awaited(self, source: str, day: str, known: Mapping[str, Known]) -> dict[str, Known]:
        """Mark what a row of this day's file may belong to: an order that its own day's file
        lacked, or whose day comes later; and what this file has explained before."""
        awaited = {name for name, one in known.items() if one.date > day}
        for row in await self._repository.cases(source, list(known)):
            is_missing = row["kind"] in _LACKING and row["state"] in _STILL_MISSING
            was_here = (row["kind"], row["business_date"]) == (BreakClass.CUTOFF, day)
            if is_missing or was_here:
                awaited.add(row["reference"])
        return {name: replace(one, is_awaited=name in awaited) for name, one in known.items()}

    async def _moved_elsewhere(self, source: str, match: DayMatch, day: str) -> frozenset[str]:
        """Orders of this day that stood in another day's file already."""
        all_lacking = (
            pair.ours.reference
            for pair in match.pairs()
            if pair.theirs is None and pair.ours is not None
        )
        lacking = list(islice(all_lacking, BREAKS_PER_CHANNEL_DAY_MAX + 1))
        if len(lacking) > BREAKS_PER_CHANNEL_DAY_MAX:
            raise OperatingError("answer_too_large", "the file lacks too many of our orders")
        found: set[str] = set()
        for start in range(0, len(lacking), LOOKED_UP_AT_ONCE_MAX):
            some = lacking[start : start + LOOKED_UP_AT_ONCE_MAX]
            for row in await self._repository.cases(source, some):
                if row["kind"] == BreakClass.CUTOFF and row["ours_date"] == day:
                    found.add(row["reference"])
        return frozenset(found)

    async def _reserve(self, bank_day: date, *, is_last: bool) -> list[Matched]:
        """One day of the reserve's statement; the balance itself is compared on the last."""
        statement = await self._bank.statement(self._reserve_account, bank_day)
        text = bank_day.isoformat()
        with DayMatch() as match:
            async for some in self._repository.reserve_movements(text, self._currency):
                match.add_ours(some)
            match.sum_by_reference("ours")
            match.add_theirs(map(_side_of_entry, statement.entries))
            moved = match_sides("statement", text, match, known={}, moved=frozenset())
        if not is_last:
            return [moved]
        position = match_figures(
            BreakClass.POSITION,
            "statement",
            ours_minor=await self._repository.reserve_balance(self._currency),
            theirs_minor=statement.closing.amount_minor,
            name=f"{self._reserve_account}.{text}",
        )
        return [moved, position]


def _bounded(match: DayMatch) -> Iterator[list[str]]:
    """References that only the file has; too many are refused."""
    count = 0
    for some in match.unknown_references():
        count += len(some)
        if count > BREAKS_PER_CHANNEL_DAY_MAX:
            raise OperatingError("answer_too_large", f"{count} rows of the file are not ours")
        yield some


def _has_transit(source: str) -> bool:
    channel_id = source.removeprefix(_CHANNEL)
    return channel_id != source and channel_id not in _OUTSIDE_TRANSIT


def _side_of(row: DayRow) -> Side:
    settled_on = row.settlement_date.isoformat() if row.settlement_date else ""
    fee = row.fee.amount_minor if row.fee else None
    return Side(row.reference, row.signed_minor, row.amount.currency, fee, settled_on)


def _side_of_entry(entry: StatementEntry) -> Side:
    return Side(entry.reference, entry.amount.amount_minor, entry.amount.currency)
