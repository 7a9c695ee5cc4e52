"""The run that closes a business day. Killed at any step and run again, it ends the same.

Every step asks the database what is still to do; what was done is found there and left alone.
The order is the accounts' order: money in, merchants settled, money out, compared, fees swept.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog

from backend.channels.iso20022 import CreditTransfer, Instruction
from backend.channels.ports import BankPort, TopUpPort
from backend.clearing.model import MoveState, Outcome
from backend.clearing.ports import Reconcile
from backend.clearing.repository import ClearingRepository
from backend.clearing.reserve import ConfirmChannelSettlement, InstructSweep, ResolveSweep
from backend.clearing.settlement import ResolvePayout, SettleMerchant
from backend.clearing.tables import CLEARING_DAY
from backend.db.command import Command, Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from protocol.clock import Clock, Entropy
from protocol.errors import CallerError, OperatingError
from protocol.ids import PAYOUT, RANDOM_BYTES, SWEEP, mint
from protocol.money import Money

_log = structlog.get_logger()
Report = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The accounts at the bank that the run moves money between."""

    reserve: str
    own: str
    holder: str
    currency: str = "CNY"
    channel_id: str = "BANK"


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
        submit: Callable[[Command], Awaitable[Any]],
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
        self._business_date = business_date
        self._clock = clock
        self._entropy = entropy

    async def run(self, day: date) -> Report:
        """Close a business day and report. Raises ``CallerError("day_not_closed")`` too early."""
        today = date.fromisoformat(self._business_date(self._clock.now_ms()))
        if today <= day:
            raise CallerError("day_not_closed", day.isoformat())
        report: Report = {"day": day.isoformat(), "booked_on": today.isoformat()}
        report["topups_open"] = await self._resolve_topups()
        report["channel_settled_minor"] = await self._settle_channel(day, today)
        report["merchants_settled"] = await self._settle_merchants(day, today)
        report["payouts"] = await self._pay_out(day, today)
        await self._resolve_sweeps(today)
        checked = await self._reconcile(day=day, booked_on=today)
        report["reconciliation"] = dict(checked)
        report["swept_minor"] = 0
        if not checked["breaks"]:
            report["swept_minor"] = await self._sweep(day, today)
            report["reconciliation"] = dict(await self._reconcile(day=day, booked_on=today))
        is_closed = self._is_closed(report)
        report["state"] = "closed" if is_closed else "open"
        await self._submit(
            _SaveDay(
                business_date=day.isoformat(), state=report["state"], report=json.dumps(report)
            )
        )
        _log.info("day_end_run", day=report["day"], state=report["state"])
        return report

    async def _settle_channel(self, day: date, today: date) -> int:
        """Ask the channel to pay the day; post what the reserve's statement shows of it."""
        await self._channel.settle(day)
        statement = await self._bank.statement(self._accounts.reserve, today)
        reference = f"STL-{day:%Y%m%d}"
        settled = 0
        for entry in statement.entries:
            if entry.reference == reference:
                settled = entry.amount.amount_minor
                await self._submit(
                    ConfirmChannelSettlement(
                        reference=reference,
                        channel_id=self._accounts.channel_id,
                        settlement_date=day.isoformat(),
                        business_date=today.isoformat(),
                        currency=entry.amount.currency,
                        amount_minor=settled,
                    )
                )
        return settled

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

    async def _pay_out(self, day: date, today: date) -> list[Report]:
        for row in await self._repository.open_payouts():
            outcome, reason = await self._instruct(
                row, row["payout_id"], row["account_name"], row["account_no"]
            )
            await self._submit(
                ResolvePayout(
                    payout_id=row["payout_id"],
                    outcome=outcome,
                    reason=reason,
                    business_date=today.isoformat(),
                )
            )
        columns = ("payout_id", "merchant_id", "amount_minor", "currency", "state", "reason")
        rows = await self._repository.payouts_of(day.isoformat())
        return [{column: row[column] for column in columns} for row in rows]

    async def _sweep(self, day: date, today: date) -> int:
        accounts = self._accounts
        await self._submit(
            InstructSweep(
                business_date=day.isoformat(),
                currency=accounts.currency,
                sweep_id=self._mint(SWEEP),
                execution_date=today.isoformat(),
            )
        )
        await self._resolve_sweeps(today)
        swept = await self._repository.sweep_of(day.isoformat(), accounts.currency)
        if swept is None or swept["state"] != MoveState.CONFIRMED:
            return 0
        return int(swept["amount_minor"])

    async def _resolve_sweeps(self, today: date) -> None:
        """Ask the bank about every sweep without an answer, also of a run that was cut short:
        money it has moved already must be in our books before they are compared."""
        for row in await self._repository.open_sweeps():
            outcome, reason = await self._instruct(
                row, row["sweep_id"], self._accounts.holder, self._accounts.own
            )
            await self._submit(
                ResolveSweep(
                    business_date=row["business_date"],
                    currency=row["currency"],
                    outcome=outcome,
                    reason=reason,
                    booked_on=today.isoformat(),
                )
            )

    async def _instruct(
        self, row: Row, message_id: str, name: str, account_no: str
    ) -> tuple[Outcome, str]:
        """Send one stored movement (again: the same bytes) and read the bank's word on it."""
        instruction = Instruction(
            message_id=message_id,
            created_at_ms=row["instructed_at_ms"],
            execution_date=date.fromisoformat(row["execution_date"]),
            debtor_name=self._accounts.holder,
            debtor_account=self._accounts.reserve,
            transfers=(
                CreditTransfer(
                    end_to_end_id=message_id,
                    amount=Money(row["amount_minor"], row["currency"]),
                    creditor_name=name,
                    creditor_account=account_no,
                    remittance=row["business_date"],
                ),
            ),
        )
        try:
            report = await self._bank.instruct(instruction)
        except OperatingError as error:
            _log.warning("instruction_unknown", message_id=message_id, code=error.code)
            return Outcome.LOSE_CONTACT, error.code
        for transfer in report.transfers:
            if transfer.end_to_end_id == message_id:
                match transfer.status:
                    case "ACSC":
                        return Outcome.CONFIRM, ""
                    case "RJCT":
                        return Outcome.REJECT, transfer.reason
        return Outcome.LOSE_CONTACT, "no final status"

    def _is_closed(self, report: Report) -> bool:
        open_states = {MoveState.INSTRUCTED.value, MoveState.UNKNOWN.value}
        return (
            not report["topups_open"]
            and not report["reconciliation"]["breaks"]
            and all(payout["state"] not in open_states for payout in report["payouts"])
        )

    def _mint(self, prefix: str) -> str:
        random_bytes = self._entropy.token_bytes(RANDOM_BYTES)
        return mint(prefix, time_ms=self._clock.now_ms(), random_bytes=random_bytes)
