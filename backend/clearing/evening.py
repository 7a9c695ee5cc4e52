"""The evening of a day: what is kept of it besides the money that moved.

Rule 1: each step asks the database what it has kept already, and may be repeated at any time.
Rule 2: the reserve's test comes last, when all that a run moves has moved.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import structlog

from backend.channels.facts import CostTerms
from backend.channels.ports import BankPort
from backend.clearing.costs import cost_micro
from backend.clearing.evening_commands import (
    AccrueCost,
    AccrueInterest,
    KeepReserveTest,
    MoveWindow,
)
from backend.clearing.evening_repository import EveningRepository
from backend.clearing.interest import whole_minor
from backend.clearing.model import settlement_of
from backend.clearing.netting import NetPosition, compare
from backend.clearing.ports import NetPositionPort, TimeStamper
from backend.clearing.repository import ClearingRepository
from backend.clearing.reserve_test import ReserveTest, same_but_for_the_time
from backend.db.ports import Submit
from backend.db.tables import Row
from backend.ledger import chart
from protocol.clock import Clock
from protocol.crypto.hashes import sha256
from protocol.crypto.keys import SigningKey
from protocol.errors import OperatingError, TillwayError
from protocol.signed_note import NoteKey, sign_note

_log = structlog.get_logger()
_DAY = timedelta(days=1)
FINAL_AT_ONCE = frozenset({"ECNY"})
"""What has no day in transit, and so no window."""
_WINDOW_COLUMNS = ("channel_id", "state", "net_minor", "settled_minor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """What signs the reserve's tests, and what stamps them with the time."""

    name: str
    key: SigningKey
    stamper: TimeStamper | None = None

    @property
    def note_key(self) -> NoteKey:
        """The key that a verifier needs."""
        return NoteKey(f"{self.name}/reserve", self.key.public)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What time and items cost and earn."""

    channels: Mapping[str, CostTerms] = field(default_factory=dict)
    interest_bps: int = 0
    """The reserve's yearly rate; 0: it earns nothing."""


class Evening:
    """Keeps windows, costs, interest and the reserve's test of a day."""

    def __init__(
        self,
        *,
        submit: Submit,
        books: ClearingRepository,
        repository: EveningRepository,
        bank: BankPort,
        channels: Collection[str],
        reserve_account: str,
        signer: Signer,
        prices: Prices,
        clock: Clock,
        nets: Mapping[str, NetPositionPort] | None = None,
        currency: str = "CNY",
    ) -> None:
        self._submit = submit
        self._books = books
        self._repository = repository
        self._bank = bank
        self._channels = channels
        self._reserve_account = reserve_account
        self._signer = signer
        self._prices = prices
        self._clock = clock
        self._nets = nets or {}
        self._currency = currency

    async def windows(
        self, day: date, *, is_reconciled: bool, unheard: dict[str, str]
    ) -> list[Row]:
        """Bring every channel's window of a day to where its file and its money are. A channel that
        says another net than our books is not reconciled, nor is one that cannot be heard: why is
        added to ``unheard``."""
        shown = []
        for channel_id in sorted(set(self._channels) - FINAL_AT_ONCE):
            text = day.isoformat()
            position = await self._repository.position(channel_id, text, self._currency)
            differs = await self._net_difference(position, unheard)
            left = await self._books.balance(chart.channel(channel_id, text, self._currency))
            row = await self._submit(
                MoveWindow(
                    channel_id=channel_id,
                    settlement_date=text,
                    next_date=(day + _DAY).isoformat(),
                    is_reconciled=is_reconciled and not differs and channel_id not in unheard,
                    is_settled=not left,
                    net_minor=position.net_minor,
                    settled_minor=await self._books.channel_settled(settlement_of(channel_id, day)),
                )
            )
            shown.append(
                {column: row[column] for column in _WINDOW_COLUMNS} | {"differs_minor": differs}
            )
        return shown

    async def _net_difference(self, ours: NetPosition, unheard: dict[str, str]) -> int:
        """How much more the channel's signed net position says than our books do."""
        port = self._nets.get(ours.channel_id)
        day = date.fromisoformat(ours.settlement_date)
        try:
            said = None if port is None else await port.net_position(day)
        except TillwayError as error:
            unheard[ours.channel_id] = str(error)
            return 0
        found = 0 if said is None else compare(ours, said)
        if found:
            _log.warning("net_position_differs", channel_id=ours.channel_id, more_minor=found)
        return found

    async def costs(self, day: date, today: date) -> list[dict[str, Any]]:
        """Accrue what the channels have carried out on a day."""
        shown = []
        for channel_id, terms in sorted(self._prices.channels.items()):
            items = await self._repository.items(channel_id, day.isoformat())
            count = sum(one.count for one in items)
            found = await self._submit(
                AccrueCost(
                    channel_id=channel_id,
                    day=day.isoformat(),
                    items=count,
                    cost_micro=cost_micro(terms, items),
                    currency=self._currency,
                    business_date=today.isoformat(),
                )
            )
            shown.append(
                {
                    "channel_id": channel_id,
                    "items": count,
                    "posted_minor": found.whole_minor,
                    "carried_micro": found.carried_micro,
                }
            )
        return shown

    async def interest(self, day: date) -> dict[str, int]:
        """Accrue a day's interest on the reserve, and compare all of it with what was paid."""
        statement = await self._bank.statement(self._reserve_account, day)
        await self._submit(
            AccrueInterest(
                day=day.isoformat(),
                balance_minor=statement.closing.amount_minor,
                rate_bps=self._prices.interest_bps,
            )
        )
        accrued = whole_minor(await self._repository.interest_parts())
        paid = await self._books.balance(chart.own("INTEREST", self._currency))
        return {"accrued_minor": accrued, "paid_minor": paid, "unpaid_minor": accrued - paid}

    async def reserve_test(self, day: date, today: date) -> dict[str, Any]:
        """Test the reserve, sign the result and keep it."""
        statement = await self._bank.statement(self._reserve_account, today)
        money = await self._repository.client_money(
            self._currency, since=day.isoformat(), until=today.isoformat()
        )
        until, left = await self._books.promised(day.isoformat(), self._currency)
        found = ReserveTest(
            origin=self._signer.name,
            day=day.isoformat(),
            at_ms=self._clock.now_ms(),
            statement_date=today.isoformat(),
            statement_minor=statement.closing.amount_minor,
            books_minor=money.books_minor,
            in_transit_minor=money.in_transit_minor,
            liabilities_minor=sum(money.classes_minor.values()),
            promised_later_minor=max(left - max(until, 0), 0),
            short_minor=money.short_minor,
            strange=money.strange,
        )
        row = await self._keep(found)
        if not found.passed:
            _log.error("reserve_test_failed", day=found.day, missing_minor=found.missing_minor)
        return {
            "number": row["number"],
            "passed": bool(row["passed"]),
            "missing_minor": found.missing_minor,
            "short_minor": found.short_minor,
            "strange": found.strange,
        }

    async def _keep(self, found: ReserveTest) -> Row:
        key = self._signer.note_key
        note = sign_note(found.to_text(), key.name, self._signer.key)
        kept = await self._repository.reserve_tests(found.day)
        if kept and same_but_for_the_time(kept[-1]["note"], note):
            return kept[-1]
        row: Row = await self._submit(
            KeepReserveTest(
                day=found.day,
                last_number=len(kept),
                passed=found.passed,
                note=note,
                key=key.to_text(),
                stamp=await self._stamp(note),
            )
        )
        return row

    async def _stamp(self, note: str) -> bytes:
        """A token of when the note was there; empty where nobody stamps, or he does not answer."""
        if self._signer.stamper is None:
            return b""
        try:
            return await self._signer.stamper.stamp(sha256(note.encode()))
        except OperatingError as error:
            _log.warning("reserve_test_unstamped", code=error.code)
            return b""
