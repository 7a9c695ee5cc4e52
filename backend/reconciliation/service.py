"""A day's reconciliation: gather both sides, match, keep what was found."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog

from backend.channels.ports import BankPort, DayPort
from backend.db.command import Command, Read
from backend.db.working_set import WorkingSet
from backend.reconciliation.limits import BREAKS_KEPT_MAX
from backend.reconciliation.match import (
    Break,
    Matched,
    file_amounts,
    match_orders,
    match_position,
    match_rows,
    statement_amounts,
)
from backend.reconciliation.repository import ReconciliationRepository
from backend.reconciliation.tables import BREAK, DAY, RUN

_log = structlog.get_logger()
_COUPONS = "C:OWN_DUE:"
"""Where the part of an order stands that a coupon paid, or that went back to us for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepRun:
    """Store a run and its breaks; returns the run's number."""

    business_date: str
    booked_on: str
    matched: int
    breaks: tuple[Break, ...]

    def reads(self) -> Iterable[Read]:
        return [(DAY, self.business_date)]

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        known = ws.get(DAY, self.business_date)
        number = 1 if known is None else known["runs"] + 1
        if known is None:
            ws.insert(DAY, {"business_date": self.business_date, "runs": 1})
        else:
            ws.update(DAY, self.business_date, runs=number)
        ws.insert(
            RUN,
            {
                "business_date": self.business_date,
                "run": number,
                "booked_on": self.booked_on,
                "matched": self.matched,
                "breaks": len(self.breaks),
                "at_ms": now_ms,
            },
        )
        for index, found in enumerate(self.breaks[:BREAKS_KEPT_MAX], start=1):
            ws.insert(
                BREAK,
                {
                    "business_date": self.business_date,
                    "run": number,
                    "number": index,
                    "kind": found.kind.value,
                    "source": found.source,
                    "reference": found.reference,
                    "ours_minor": found.ours_minor,
                    "theirs_minor": found.theirs_minor,
                },
            )
        return number


class Reconciliation:
    """Compares a closed business day with the channel's file and the reserve's statement."""

    def __init__(
        self,
        *,
        submit: Callable[[Command], Awaitable[Any]],
        repository: ReconciliationRepository,
        bank: BankPort,
        channels: Mapping[str, DayPort],
        reserve_account: str,
        currency: str = "CNY",
    ) -> None:
        self._submit = submit
        self._repository = repository
        self._bank = bank
        self._channels = channels
        self._reserve_account = reserve_account
        self._currency = currency

    async def __call__(self, *, day: date, booked: Sequence[date]) -> Mapping[str, Any]:
        """``Reconcile``: every comparison of a day, kept and summed up."""
        booked_on = booked[-1]
        results = await self._orders(day.isoformat())
        for channel_id in self._channels:
            results += await self._channel(channel_id, day)
        for bank_day in booked:
            results += await self._reserve(bank_day, is_last=bank_day == booked_on)
        breaks = tuple(found for result in results for found in result.breaks)
        matched = sum(result.count for result in results)
        number = await self._submit(
            KeepRun(
                business_date=day.isoformat(),
                booked_on=booked_on.isoformat(),
                matched=matched,
                breaks=breaks,
            )
        )
        _log.info("reconciled", day=day.isoformat(), matched=matched, breaks=len(breaks))
        return {
            "run": number,
            "matched": matched,
            "breaks": len(breaks),
            "kinds": sorted({found.kind.value for found in breaks}),
        }

    async def _orders(self, day: str) -> list[Matched]:
        """Our own orders against our own postings."""
        books = self._repository
        pairs = (
            ("payments", await books.payment_orders(day), "balance_paid", "C:CUST:"),
            ("cards", _captured(await books.payment_orders(day, "card")), "card_paid", "C:CH:"),
            ("funds", _captured(await books.payment_orders(day, "fund")), "fund_paid", "C:CH:"),
            (
                "advances",
                _captured(await books.payment_orders(day, "advance")),
                "fund_paid_by_own_advance",
                "C:OWN_DUE:",
            ),
            ("refunds", await books.refund_orders(day), "balance_refunded", "C:CUST:"),
            (
                "channel refunds",
                await books.channel_refund_orders(day),
                "channel_refund_started",
                "C:REFUND:",
            ),
            ("topups", await books.topup_orders(day), "top_up", "C:CUST:"),
        )
        return [
            match_orders(
                source,
                orders=orders,
                posted=await books.posted(rule, account_prefixes=(prefix, _COUPONS), day=day),
            )
            for source, orders, rule, prefix in pairs
        ]

    async def _channel(self, channel_id: str, day: date) -> list[Matched]:
        """A channel's file of its day against what it told us, and what it still owes: nothing."""
        books, text = self._repository, day.isoformat()
        ours = await books.channel_orders(channel_id, text)
        with await self._channels[channel_id].day_file(day) as file:
            theirs = file_amounts(file.rows())
        left = await books.channel_balance(channel_id, text, self._currency)
        source = f"channel {channel_id}"
        return [
            match_rows(source, ours=ours, theirs=theirs),
            match_position(source, ours_minor=left, theirs_minor=0, account=text),
        ]

    async def _reserve(self, bank_day: date, *, is_last: bool) -> list[Matched]:
        """One day of the reserve's statement; the balance itself is compared on the last."""
        statement = await self._bank.statement(self._reserve_account, bank_day)
        ours = await self._repository.reserve_movements(bank_day.isoformat(), self._currency)
        moved = match_rows("statement", ours=ours, theirs=statement_amounts(statement.entries))
        if not is_last:
            return [moved]
        position = match_position(
            "statement",
            ours_minor=await self._repository.reserve_balance(self._currency),
            theirs_minor=statement.closing.amount_minor,
            account=self._reserve_account,
        )
        return [moved, position]


def _captured(orders: Mapping[str, int]) -> dict[str, int]:
    """Payments by the event that posts them: the channel's word."""
    return {f"{payment_id}.captured": amount for payment_id, amount in orders.items()}
