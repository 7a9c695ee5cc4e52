"""The steps of a run. Each asks the database what is still to do, and may be repeated at any time.

Rule 1: the reserve is posted from the bank's statements and from nothing else, each entry under
        the day the bank booked it: what a lost answer or a crash hid, a later run finds there.
Rule 2: own money that we promised comes into the reserve before anything is paid out of it; what
        is ours leaves it last.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import structlog

from backend.channels.iso20022 import StatementEntry
from backend.channels.ports import BankPort
from backend.clearing.calendar import Calendar
from backend.clearing.due import Due, Pending, due, first_waiting, is_due, settled_now
from backend.clearing.entries import following, repaid
from backend.clearing.limits import (
    BANK_DAYS_PER_RUN_MAX,
    BOOKING_PAGES_PER_RUN_MAX,
    FURTHER_SETTLEMENTS_PER_DAY_MAX,
)
from backend.clearing.model import RETURN_PREFIX, MoveKind, MoveState, Outcome
from backend.clearing.moves import Accounts, MoveDesk
from backend.clearing.repository import ClearingRepository
from backend.clearing.reserve import (
    InstructMove,
    NoteFundRepaid,
    ResolveMove,
    move_key,
)
from backend.clearing.settlement import ResolvePayout, SettleMerchant
from backend.db.command import Command
from backend.db.ports import Submit
from backend.db.tables import Row
from backend.ledger import chart
from protocol.clock import Clock, Entropy
from protocol.errors import CallerError
from protocol.ids import PAYOUT, RANDOM_BYTES, SWEEP, mint
from protocol.money import Money

_log = structlog.get_logger()
_DAY = timedelta(days=1)


def _uncounted(_done: int, _count: int) -> None:
    """Count nothing: nobody watches this run."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a day's merchants."""

    count: int
    unscheduled: list[str]
    """Merchants whose settlement date the calendar cannot tell."""
    not_allowed: list[str]
    """Merchants whose account is not filed."""


class Steps:
    """Settles, pays, books and moves, one thing at a time."""

    def __init__(
        self,
        *,
        submit: Submit,
        repository: ClearingRepository,
        bank: BankPort,
        accounts: Accounts,
        calendar: Calendar,
        clock: Clock,
        entropy: Entropy,
        counted: Callable[[int, int], None] = _uncounted,
    ) -> None:
        self._submit = submit
        self._repository = repository
        self._payouts = repository.payouts
        self._cursor = 0
        """How far the reserve's bookings were read since this program started."""
        self._bank = bank
        self._accounts = accounts
        self._moves = MoveDesk(bank=bank, accounts=accounts)
        self._calendar = calendar
        self._clock = clock
        self._entropy = entropy
        self._counted = counted

    async def bank_days(self, day: date, today: date) -> list[date]:
        """Every day on which the bank may have booked something that concerns this run."""
        waiting = [
            date.fromisoformat(row["execution_date"])
            for row in (
                *await self._repository.open_payouts(),
                *await self._repository.open_moves(),
            )
        ]
        first = min([day, *waiting])
        count = (today - first).days + 1
        if count > BANK_DAYS_PER_RUN_MAX:
            raise CallerError("day_not_closed", f"{count} bank days have passed")
        return [first + timedelta(days=number) for number in range(count)]

    async def book(self, bank_days: Sequence[date]) -> None:
        """Post what the reserve's statements show and our books do not: what came in before what
        went out, so that a day on which a channel took money back finds ours there; and last the
        payouts that came back, which must have gone out before."""
        entries: list[StatementEntry] = []
        for bank_day in bank_days:
            entries += (await self._bank.statement(self._accounts.reserve, bank_day)).entries
        await self._post(entries)

    async def book_new(self) -> None:
        """Post what was booked since this was last asked, without waiting for the statement. What
        was posted before a restart is asked again and posted once."""
        entries: list[StatementEntry] = []
        cursor = self._cursor
        for _ in range(BOOKING_PAGES_PER_RUN_MAX):
            page = await self._bank.bookings(self._accounts.reserve, cursor)
            entries += page.entries
            if page.cursor == cursor:
                break
            cursor = page.cursor
        await self._post(entries)
        self._cursor = cursor

    async def _post(self, entries: Sequence[StatementEntry]) -> None:
        """Each reference once: one that stands there twice is the reconciliation's to name."""
        entries = list({entry.reference: entry for entry in reversed(entries)}.values())[::-1]
        payouts = {row["payout_id"] for row in await self._repository.open_payouts()}
        moves = {row["move_id"]: move_key(row) for row in await self._repository.open_moves()}
        for entry in sorted(entries, key=lambda one: one.amount.amount_minor < 0):
            command = following(entry, payouts, moves)
            if command is not None:
                await self._book(entry, command)
        for entry in entries:
            if entry.reference.startswith(RETURN_PREFIX):
                await self._book_return(entry)

    async def book_advances(self, bank_days: Sequence[date]) -> None:
        """Post what a fund has repaid of our advances: our own account's statement shows it."""
        if not await self._repository.balance(chart.own("ADVANCE", self._accounts.currency)):
            return
        for bank_day in bank_days:
            statement = await self._bank.statement(self._accounts.own, bank_day)
            for command in filter(None, map(repaid, statement.entries)):
                await self._submit(command)

    async def note_fund_repaid(self, day: date, today: date) -> None:
        """The fund repays its bank on T+1 of each of its days: ours is the memo only (rule 6a)."""
        owed = await self._repository.fund_debts(self._accounts.currency)
        for row in owed:
            channel_id, _, settlement_date = row["owner"].rpartition(".")
            if settlement_date <= day.isoformat() and self._is_repaid(settlement_date, today):
                await self._submit(
                    NoteFundRepaid(
                        channel_id=channel_id,
                        settlement_date=settlement_date,
                        currency=self._accounts.currency,
                        business_date=today.isoformat(),
                    )
                )

    def _is_repaid(self, settlement_date: str, today: date) -> bool:
        try:
            due_on = self._calendar.business_day_after(date.fromisoformat(settlement_date), 1)
        except CallerError:
            return False  # beyond the calendar's horizon: not before somebody loads a longer one
        return due_on <= today

    async def settle_day(self, day: date, today: date) -> Settled:
        """Settle every merchant of whom a business date up to ``day`` is due, and again whoever has
        got something since."""
        waits_from = first_waiting(self._calendar, through=day, today=today)
        settled = await self._repository.settlements_since((waits_from - _DAY).isoformat())
        count, unscheduled, not_allowed = 0, list[str](), list[str]()
        waiting = await self._repository.pending(waits_from.isoformat())
        for done, pending in enumerate(waiting):
            self._counted(done, len(waiting))
            found = due(pending, self._calendar, through=day, today=today)
            if found is None:
                continue
            if found.unscheduled:
                unscheduled.append(pending.merchant_id)
                _log.warning(
                    "settlement_unscheduled", merchant_id=pending.merchant_id,
                    business_dates=found.unscheduled, code="calendar_horizon",
                )  # fmt: skip
            number: int | None = 0
            if (pending.merchant_id, found.last_date, 0) in settled:
                number = _further_number(settled, pending, found)
            if number is None:
                continue
            if await self._settle(pending, found, number=number, run_day=day, today=today):
                count += 1
            else:
                not_allowed.append(pending.merchant_id)
        return Settled(count, unscheduled, not_allowed)

    async def settle_within(self, today: date) -> int:
        """Settle what the merchants whose cycle pays the same day (D+0, and T+0 on a business day)
        have earned today so far. Returns how many."""
        settled = await self._repository.settlements_since(today.isoformat())
        waits_from = first_waiting(self._calendar, through=today, today=today)
        count = 0
        for pending in await self._repository.pending(waits_from.isoformat()):
            found = due(pending, self._calendar, through=today, today=today)
            is_within = is_due(self._calendar, pending.cycles, today, today)
            if not is_within or found is None:
                continue
            number = _further_number(settled, pending, found)
            if number is None:
                continue
            count += await self._settle(pending, found, number=number, run_day=today, today=today)
        return count

    async def _settle(
        self, pending: Pending, found: Due, *, number: int, run_day: date, today: date
    ) -> bool:
        """Whether it could be done: a merchant whose account is not filed keeps its money here."""
        command = SettleMerchant(
            merchant_id=pending.merchant_id,
            currency=pending.currency,
            due=found,
            number=number,
            run_day=run_day.isoformat(),
            payout_id=self._mint(PAYOUT),
            execution_date=today.isoformat(),
            returned=pending.returned,
        )
        try:
            await self._submit(command)
        except CallerError as error:
            if error.code != "destination_not_allowed":
                raise
            _log.warning("settlement_refused", merchant_id=pending.merchant_id, code=error.code)
            return False
        return True

    async def pay_out(self) -> None:
        """Tell the bank of every open payout. Only a rejection ends one here."""
        payouts = await self._repository.open_payouts()
        for done, row in enumerate(payouts):
            self._counted(done, len(payouts))
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

    async def bring_own_funds(self, day: date, today: date) -> None:
        """What we promised the reserve up to a day comes into it, and what was promised since."""
        until, left = await self._repository.promised(day.isoformat(), self._accounts.currency)
        await self._move(MoveKind.OWN_FUNDS, day, today, -left if until > 0 else 0)

    async def take_what_is_ours(self, day: date, today: date) -> None:
        """Fees leave the reserve, and own money of which it has too much. Own money comes in where
        more fees were given back than earned."""
        _, left = await self._repository.promised(day.isoformat(), self._accounts.currency)
        await self._move(MoveKind.OWN_FUNDS, day, today, max(-left, 0))
        fees = await self._repository.sweepable(day.isoformat(), self._accounts.currency)
        await self._move(MoveKind.FEES, day, today, fees)

    async def _move(self, kind: MoveKind, day: date, today: date, amount_minor: int) -> None:
        """Instruct a movement, unless one of its kind is still on its way, of whatever day: what it
        moves would be moved twice. And tell the bank of every one that is."""

        def is_alike(row: Row) -> bool:
            return (row["kind"], row["currency"]) == (kind, self._accounts.currency)

        tries = list(filter(is_alike, await self._repository.moves_of(day.isoformat())))
        if not any(map(is_alike, await self._repository.open_moves())):
            await self._submit(
                InstructMove(
                    business_date=day.isoformat(),
                    currency=self._accounts.currency,
                    kind=kind,
                    number=len(tries) + 1,
                    move_id=self._mint(SWEEP),
                    execution_date=today.isoformat(),
                    amount_minor=amount_minor,
                    own_account=self._accounts.own,
                    holder=self._accounts.holder,
                )
            )
        for row in await self._repository.open_moves():
            outcome, reason = await self._moves.move_own(row)
            if outcome is not Outcome.CONFIRM:
                await self._submit(
                    ResolveMove(
                        key=move_key(row),
                        outcome=outcome,
                        reason=reason,
                        booked_on=row["execution_date"],
                    )
                )

    async def _book_return(self, entry: StatementEntry) -> None:
        """A payout came back. What is not a whole payout of ours stays for the reconciliation."""
        payout_id = entry.reference.removeprefix(RETURN_PREFIX)
        row = await self._payouts.payout(payout_id)
        if row is None or row["state"] != MoveState.CONFIRMED:
            return
        if Money(row["amount_minor"], row["currency"]) != entry.amount:
            return
        await self._submit(
            ResolvePayout(
                payout_id=payout_id,
                outcome=Outcome.RETURN,
                reason=entry.info,
                business_date=entry.booking_date.isoformat(),
            )
        )
        _log.warning("payout_returned", payout_id=payout_id, reason=entry.info)

    async def _book(self, entry: StatementEntry, command: Command) -> None:
        try:
            await self._submit(command)
        except CallerError as error:
            if error.code != "account_short":
                raise
            # More went out than our books have: a channel took more than was there, which is
            # booked when our own money has come in; or the statement lacks what came.
            _log.warning("entry_not_covered", reference=entry.reference, code=error.code)

    def _mint(self, prefix: str) -> str:
        random_bytes = self._entropy.token_bytes(RANDOM_BYTES)
        return mint(prefix, time_ms=self._clock.now_ms(), random_bytes=random_bytes)


def _further_number(
    settled: Iterable[tuple[str, str, int]], pending: Pending, found: Due
) -> int | None:
    """The number of a further settlement of a merchant up to a date. None where it has nothing to
    settle or to pay out again; and where its numbers are used up (a bank that refuses it all day,
    say): then it waits for the next date, and holds up nobody."""
    if settled_now(found, pending.balance_minor) <= 0 and pending.available_minor <= 0:
        return None
    key = (pending.merchant_id, found.last_date)
    number = 1 + sum(one > 0 for merchant, day, one in settled if (merchant, day) == key)
    if number <= FURTHER_SETTLEMENTS_PER_DAY_MAX:
        return number
    _log.warning("settlements_used_up", merchant_id=pending.merchant_id, last_date=found.last_date)
    return None
