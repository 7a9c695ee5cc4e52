"""The run that closes a business day. Killed at any step and run again, it ends the same.

Rule 1: every step asks the database what is still to do; what was done is found there.
Rule 2: the reserve is posted from the bank's statements and from nothing else, each entry under
        the day the bank booked it: what a lost answer or a crash hid, a later run finds there.
Rule 3: days are closed in their order.

The order is the accounts' order: money in, merchants settled, money out, compared, fees swept.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog

from backend.channels.iso20022 import StatementEntry
from backend.channels.ports import BankPort, TopUpPort
from backend.clearing.limits import BANK_DAYS_PER_RUN_MAX
from backend.clearing.model import MoveState, Outcome
from backend.clearing.moves import Accounts, MoveDesk
from backend.clearing.ports import Reconcile
from backend.clearing.repository import ClearingRepository
from backend.clearing.reserve import ConfirmChannelSettlement, InstructSweep, ResolveSweep
from backend.clearing.settlement import ResolvePayout, SettleMerchant
from backend.clearing.tables import CLEARING_DAY
from backend.db.command import Command, Read
from backend.db.working_set import WorkingSet
from protocol.clock import Clock, Entropy
from protocol.errors import CallerError
from protocol.ids import PAYOUT, RANDOM_BYTES, SWEEP, mint

_log = structlog.get_logger()
_SETTLEMENT = "STL-"
Report = dict[str, Any]
Submit = Callable[[Command], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _SaveDay:
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
        channel: TopUpPort,
        resolve_topups: Callable[[], Awaitable[int]],
        reconcile: Reconcile,
        accounts: Accounts,
        business_date: Callable[[int], str],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._submit = submit
        self._repository = repository
        self._bank = bank
        self._channel = channel
        self._resolve_topups = resolve_topups
        self._reconcile = reconcile
        self._accounts = accounts
        self._moves = MoveDesk(bank=bank, accounts=accounts)
        self._business_date = business_date
        self._clock = clock
        self._entropy = entropy

    async def run(self, day: date) -> Report:
        """Close a business day and report.

        Raises ``CallerError("day_not_closed")`` for a day that is not over, or while an earlier
        day with payments is open (its detail names that day).
        """
        today = date.fromisoformat(self._business_date(self._clock.now_ms()))
        await self._check_order(day, today)
        report: Report = {"day": day.isoformat(), "booked_on": today.isoformat()}
        report["topups_open"] = await self._resolve_topups()
        await self._channel.settle(day)
        booked = await self._bank_days(day, today)
        await self._book(booked)
        report["merchants_settled"] = await self._settle_merchants(day, today)
        await self._pay_out()
        await self._book(booked[-1:])
        report["reconciliation"] = dict(await self._reconcile(day=day, booked=booked))
        if not report["reconciliation"]["breaks"]:
            await self._sweep(day, today)
            await self._book(booked[-1:])
            report["reconciliation"] = dict(await self._reconcile(day=day, booked=booked))
        await self._finish(day, report)
        return report

    async def _check_order(self, day: date, today: date) -> None:
        if today <= day:
            raise CallerError("day_not_closed", day.isoformat())
        earlier = await self._repository.earliest_open_day(day.isoformat())
        if earlier is not None:
            raise CallerError("day_not_closed", f"{earlier} must be closed first")

    async def _bank_days(self, day: date, today: date) -> list[date]:
        """Every day on which the bank may have booked something that concerns this run."""
        waiting = [
            date.fromisoformat(row["execution_date"])
            for row in (
                *await self._repository.open_payouts(),
                *await self._repository.open_sweeps(),
            )
        ]
        first = min([day + timedelta(days=1), *waiting])
        count = (today - first).days + 1
        if count > BANK_DAYS_PER_RUN_MAX:
            raise CallerError("day_not_closed", f"{count} bank days have passed")
        return [first + timedelta(days=number) for number in range(count)]

    async def _book(self, bank_days: Sequence[date]) -> None:
        """Post what the reserve's statements show and our books do not."""
        payouts = {row["payout_id"] for row in await self._repository.open_payouts()}
        sweeps = {row["sweep_id"]: row for row in await self._repository.open_sweeps()}
        for bank_day in bank_days:
            statement = await self._bank.statement(self._accounts.reserve, bank_day)
            for entry in statement.entries:
                booked_on = entry.booking_date.isoformat()
                if entry.reference.startswith(_SETTLEMENT):
                    await self._book_settlement(entry, booked_on)
                elif entry.reference in payouts:
                    await self._submit(
                        ResolvePayout(
                            payout_id=entry.reference,
                            outcome=Outcome.CONFIRM,
                            reason="",
                            business_date=booked_on,
                        )
                    )
                elif entry.reference in sweeps:
                    row = sweeps[entry.reference]
                    await self._submit(
                        ResolveSweep(
                            business_date=row["business_date"],
                            currency=row["currency"],
                            outcome=Outcome.CONFIRM,
                            reason="",
                            booked_on=booked_on,
                        )
                    )

    async def _book_settlement(self, entry: StatementEntry, booked_on: str) -> None:
        """A channel has paid a day: both stand in the reference, ``STL-<channel>-<day>``."""
        channel_id, _, digits = entry.reference.removeprefix(_SETTLEMENT).rpartition("-")
        try:
            settled = date.fromisoformat(digits).isoformat()
        except ValueError:
            return  # The reconciliation names an entry that we do not understand.
        await self._submit(
            ConfirmChannelSettlement(
                reference=entry.reference,
                channel_id=channel_id,
                settlement_date=settled,
                business_date=booked_on,
                currency=entry.amount.currency,
                amount_minor=entry.amount.amount_minor,
            )
        )

    async def _settle_merchants(self, day: date, today: date) -> int:
        merchants = await self._repository.unsettled_merchants(day.isoformat())
        for merchant in merchants:
            await self._submit(
                SettleMerchant(
                    merchant_id=merchant["merchant_id"],
                    business_date=day.isoformat(),
                    currency=merchant["currency"],
                    earned_minor=merchant["earned_minor"],
                    payout_id=self._mint(PAYOUT),
                    execution_date=today.isoformat(),
                )
            )
        return len(merchants)

    async def _pay_out(self) -> None:
        """Tell the bank of every open payout. Only a rejection ends one here."""
        for row in await self._repository.open_payouts():
            outcome, reason = await self._moves.pay_merchant(row)
            if outcome is not Outcome.CONFIRM:
                await self._submit(
                    ResolvePayout(
                        payout_id=row["payout_id"],
                        outcome=outcome,
                        reason=reason,
                        business_date=row["execution_date"],
                    )
                )

    async def _sweep(self, day: date, today: date) -> None:
        currency = self._accounts.currency
        await self._submit(
            InstructSweep(
                business_date=day.isoformat(),
                currency=currency,
                sweep_id=self._mint(SWEEP),
                execution_date=today.isoformat(),
                amount_minor=await self._repository.sweepable(day.isoformat(), currency),
            )
        )
        for row in await self._repository.open_sweeps():
            outcome, reason = await self._moves.sweep(row)
            if outcome is not Outcome.CONFIRM:
                await self._submit(
                    ResolveSweep(
                        business_date=row["business_date"],
                        currency=row["currency"],
                        outcome=outcome,
                        reason=reason,
                        booked_on=row["execution_date"],
                    )
                )

    async def _finish(self, day: date, report: Report) -> None:
        """Sum up, decide whether the day is closed, and keep the report."""
        currency = self._accounts.currency
        columns = ("payout_id", "merchant_id", "amount_minor", "currency", "state", "reason")
        payouts = await self._repository.payouts_of(day.isoformat())
        swept = await self._repository.sweep_of(day.isoformat(), currency)
        report["payouts"] = [{column: row[column] for column in columns} for row in payouts]
        is_swept = swept is not None and swept["state"] == MoveState.CONFIRMED
        report["swept_minor"] = int(swept["amount_minor"]) if swept and is_swept else 0
        report["channel_settled_minor"] = await self._repository.channel_settled(
            f"{_SETTLEMENT}{self._accounts.channel_id}-{day:%Y%m%d}"
        )
        report["clients_short_minor"] = await self._repository.clients_short(currency)
        report["state"] = "closed" if self._is_closed(report, swept) else "open"
        await self._submit(
            _SaveDay(
                business_date=day.isoformat(), state=report["state"], report=json.dumps(report)
            )
        )
        rejected = [row["payout_id"] for row in payouts if row["state"] == MoveState.REJECTED]
        if rejected:
            _log.warning("payouts_rejected", day=report["day"], payouts=rejected)
        _log.info("day_end_run", day=report["day"], state=report["state"])

    def _is_closed(self, report: Report, swept: dict[str, Any] | None) -> bool:
        open_states = {MoveState.INSTRUCTED.value, MoveState.UNKNOWN.value}
        moves = [*report["payouts"], *([swept] if swept is not None else [])]
        return (
            not report["topups_open"]
            and not report["reconciliation"]["breaks"]
            and not report["clients_short_minor"]
            and all(move["state"] not in open_states for move in moves)
        )

    def _mint(self, prefix: str) -> str:
        random_bytes = self._entropy.token_bytes(RANDOM_BYTES)
        return mint(prefix, time_ms=self._clock.now_ms(), random_bytes=random_bytes)
