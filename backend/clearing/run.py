"""The run that closes a business day. Killed at any step and run again, it ends the same.

Rule 1: every step asks the database what is still to do; what was done is found there.
Rule 2: days are closed in their order.
Rule 3: a merchant's money becomes available when its cycle says, which may be before its day is
        closed (D+0, by runs within the day) or after (T+1, over a holiday). The day closes anyway.
Rule 4: a day on which the reserve's test fails stays open.
Rule 5: a channel that cannot be heard, or whose file is refused, is named (``unheard``) and holds
        up nobody else's money; the day stays open. Without the bank a run stops.

The order is the accounts' order: money in, merchants settled, own money that was promised in,
money out, compared, what is ours taken; then the evening's books and the reserve's test.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog

from backend.channels.ports import BankPort, DayPort
from backend.clearing.calendar import Calendar
from backend.clearing.evening import Evening
from backend.clearing.model import MoveKind, MoveState, settlement_of
from backend.clearing.moves import Accounts
from backend.clearing.ports import Reconcile
from backend.clearing.progress import Progress
from backend.clearing.repository import ClearingRepository
from backend.clearing.steps import Steps
from backend.clearing.tables import CLEARING_DAY
from backend.clearing.verdict import open_because
from backend.db.command import Read
from backend.db.ports import Submit
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.disputes.from_channel import CasesRead
from backend.ledger import chart
from protocol.clock import Clock, Entropy
from protocol.errors import CallerError, OperatingError, TillwayError

_log = structlog.get_logger()
_PAYOUT_COLUMNS = ("payout_id", "merchant_id", "amount_minor", "currency", "state", "reason")
_MOVE_COLUMNS = ("move_id", "kind", "amount_minor", "currency", "state", "reason")
Report = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDay:
    """Keep what a run has found of its day; the last one counts."""

    business_date: str
    state: str
    report: str

    def reads(self) -> Iterable[Read]:
        return [(CLEARING_DAY, self.business_date)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        changes = {"state": self.state, "report": self.report, "updated_at_ms": now_ms}
        known = ws.get(CLEARING_DAY, self.business_date)
        if known is None:
            ws.insert(CLEARING_DAY, {"business_date": self.business_date, "runs": 1, **changes})
        else:
            ws.update(CLEARING_DAY, self.business_date, runs=known["runs"] + 1, **changes)


class DayEnd:
    """Closes days. One run at a time; the caller sees to that."""

    def __init__(
        self,
        *,
        submit: Submit,
        repository: ClearingRepository,
        bank: BankPort,
        channels: Mapping[str, DayPort],
        resolve_sagas: Callable[[date], Awaitable[int]],
        read_cases: Callable[[date], Awaitable[CasesRead]],
        reconcile: Reconcile,
        accounts: Accounts,
        evening: Evening,
        calendar: Calendar,
        business_date: Callable[[int], str],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._submit = submit
        self._repository = repository
        self._channels = channels
        self._resolve_sagas = resolve_sagas
        self._read_cases = read_cases
        self._reconcile = reconcile
        self._evening = evening
        self.progress = Progress()
        self._currency = accounts.currency
        self._business_date = business_date
        self._clock = clock
        self._steps = Steps(
            submit=submit,
            repository=repository,
            bank=bank,
            accounts=accounts,
            calendar=calendar,
            clock=clock,
            entropy=entropy,
            counted=self.progress.counted,
        )

    def today(self) -> date:
        """The present business date."""
        return date.fromisoformat(self._business_date(self._clock.now_ms()))

    async def run(self, day: date) -> Report:
        """Close a business day and report; ``progress`` says how far it is.

        Raises ``CallerError("day_not_closed")`` for a day that is not over, or while an earlier
        day on which anything moved is open (its detail names that day), and ``day_run_stopped``
        where the bank cannot be heard, or its statement is refused.
        """
        today = self.today()
        if today <= day:
            raise CallerError("day_not_closed", day.isoformat())
        await self._check_order(day)
        self.progress.is_running = True
        try:
            return await self._run(day, today)
        except TillwayError as error:
            if isinstance(error, CallerError) and error.code != "file_rejected":
                raise
            raise OperatingError("day_run_stopped", f"{self.progress.step}: {error}") from error
        finally:
            self.progress.is_running = False

    async def _run(self, day: date, today: date) -> Report:
        steps = self._steps
        report: Report = {"day": day.isoformat(), "booked_on": today.isoformat()}
        self.progress.day = day.isoformat()
        self.progress.begin("words")
        report["sagas_open"] = await self._resolve_sagas(day)
        self.progress.begin("channels")
        unheard = report["unheard"] = await self._settle_channels(day)
        cases = await self._read_cases(day)
        report["disputes_opened"], report["cases_refused"] = cases.taken, list(cases.refused)
        unheard |= cases.unheard
        self.progress.begin("bring in")
        booked = await steps.bank_days(day, today)
        await steps.book(booked)
        await steps.book_advances(booked)
        if not report["sagas_open"]:
            await steps.note_fund_repaid(day, today)
        self.progress.begin("settle")
        settled = await steps.settle_day(day, today)
        report["merchants_settled"], report["unscheduled"] = settled.count, settled.unscheduled
        report["not_allowed"] = settled.not_allowed
        self.progress.begin("own money")
        await steps.bring_own_funds(day, today)
        self.progress.begin("pay out")
        await steps.pay_out()
        await steps.book(booked)
        self.progress.begin("reconcile")
        await self._compare(day, booked, report)
        if not report["reconciliation"]["breaks"] and not unheard:
            self.progress.begin("sweep")
            await steps.take_what_is_ours(day, today)
            await steps.book(booked[-1:])
            await self._compare(day, booked, report)
        self.progress.begin("evening")
        await self._spend_evening(day, today, report)
        await self._finish(day, report)
        return report

    async def _settle_channels(self, day: date) -> dict[str, str]:
        """Ask each channel to settle its day; which could not be heard, and why."""
        unheard = dict[str, str]()
        for number, (channel_id, channel) in enumerate(self._channels.items()):
            self.progress.counted(number, len(self._channels))
            try:
                await channel.settle(day)
            except TillwayError as error:
                _log.error("channel_unheard", channel_id=channel_id, error=str(error))
                unheard[channel_id] = str(error)
        return unheard

    async def _compare(self, day: date, booked: Sequence[date], report: Report) -> None:
        found = dict(await self._reconcile(day=day, booked=booked))
        report["unheard"] |= found.pop("unread")
        report["reconciliation"] = found

    async def _spend_evening(self, day: date, today: date, report: Report) -> None:
        """Windows, costs, interest, and last the reserve's test."""
        is_reconciled = not report["reconciliation"]["breaks"] and not report["unheard"]
        report["channel_costs"] = await self._evening.costs(day, today)
        report["interest"] = await self._evening.interest(day)
        report["windows"] = await self._evening.windows(
            day, is_reconciled=is_reconciled, unheard=report["unheard"]
        )
        report["reserve_test"] = await self._evening.reserve_test(day, today)

    async def run_within(self) -> Report:
        """Settle and pay what the merchants with D+0 have earned today so far; again: what they
        earned since. ``day_not_closed`` while an earlier day is open."""
        today, steps = self.today(), self._steps
        await self._check_order(today)
        count = await steps.settle_within(today)
        await steps.bring_own_funds(today, today)
        await steps.pay_out()
        await steps.book_new()
        payouts = await self._repository.payouts_of(today.isoformat())
        return {
            "day": today.isoformat(),
            "merchants_settled": count,
            "payouts": _shown(payouts, _PAYOUT_COLUMNS),
        }

    async def _check_order(self, day: date) -> None:
        earlier = await self._repository.earliest_open_day(day.isoformat())
        if earlier is not None:
            raise CallerError("day_not_closed", f"{earlier} must be closed first")

    async def _finish(self, day: date, report: Report) -> None:
        """Sum up, decide whether the day is closed, and keep the report."""
        payouts = await self._repository.payouts_of(day.isoformat())
        moves = await self._repository.moves_of(day.isoformat())
        report["payouts"] = _shown(payouts, _PAYOUT_COLUMNS)
        report["returned"] = _shown(await self._repository.payouts.returned(), _PAYOUT_COLUMNS)
        report["own_moves"] = _shown(moves, _MOVE_COLUMNS)
        report["swept_minor"] = _confirmed(moves, MoveKind.FEES)
        report["own_funds_minor"] = -_confirmed(moves, MoveKind.OWN_FUNDS)
        report["channels"] = {
            channel_id: await self._repository.channel_settled(settlement_of(channel_id, day))
            for channel_id in self._channels
        }
        report["clients_short_minor"] = await self._clients_short(day)
        report["long_minor"] = await self._repository.balance(chart.client("LONG", self._currency))
        because = report["open_because"] = open_because(report)
        report["state"] = "open" if because else "closed"
        await self._submit(
            SaveDay(business_date=day.isoformat(), state=report["state"], report=json.dumps(report))
        )
        rejected = [row["payout_id"] for row in payouts if row["state"] == MoveState.REJECTED]
        if rejected:
            _log.warning("payouts_rejected", day=report["day"], payouts=rejected)
        _log.info("day_end_run", day=report["day"], state=report["state"], why=because)

    async def _clients_short(self, day: date) -> int:
        """How much is missing for clients' money: where more fees were given back than earned, and
        where own money that was promised up to a day has not come."""
        unswept = await self._repository.balance(chart.client("UNSWEPT", self._currency))
        promised, _ = await self._repository.promised(day.isoformat(), self._currency)
        return max(-unswept, 0) + max(promised, 0)


def _confirmed(moves: Sequence[Row], kind: MoveKind) -> int:
    """What movements of a kind have taken out of the reserve."""
    is_done = (kind.value, MoveState.CONFIRMED.value)
    return sum(row["amount_minor"] for row in moves if (row["kind"], row["state"]) == is_done)


def _shown(rows: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    return [{column: row[column] for column in columns} for row in rows]
