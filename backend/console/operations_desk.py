"""What the operators' pages show and do, without HTTP, by the desks that JSON has."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.audit.model import ActKind
from backend.audit.service import Audited, Watch
from backend.clearing.evening_repository import EveningRepository
from backend.clearing.repository import ClearingRepository
from backend.console.limits import OPEN_DAYS_SHOWN, ROWS_PER_PAGE
from backend.console.model import Person
from backend.console.payment_repository import ConsolePayments
from backend.db.tables import Row
from backend.merchants.repository import MerchantRepository
from backend.notify.dead_letters import DeadLetters, Page, replays_of
from backend.notify.model import DeadLetterFilter
from backend.notify.repository import CallbackRepository
from backend.operator.service import OperatorService
from backend.payments.services import Services
from backend.reconciliation.assignee import Assignee
from backend.reconciliation.breaks import BreakState, BreakStep, proposed
from backend.reconciliation.cases import MoveBreak
from backend.reconciliation.repository import ReconciliationRepository
from backend.reconciliation.returns import AskBack, excess_minor, proposal
from backend.reconciliation.routes import Returned, Settled
from backend.reconciliation.tables import CASE
from backend.risk.cases.desk import CaseDesk
from protocol.errors import CallerError

_EVERY = DeadLetterFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How everything stands now."""

    today: dict[str, Any]
    imbalance_minor: int
    """Of all books together, without signs: nothing but zero is good."""
    oldest_unknown_ms: int | None
    dead_count: int
    break_count: int
    cases: dict[str, int]
    """How many are not decided, have warned and are overdue."""
    devices: list[Row]
    reserve_test: Row | None
    """The newest one; None before a day was closed."""

    @property
    def online_count(self) -> int:
        """Devices that said they are here."""
        return sum(1 for row in self.devices if row["is_online"])


@dataclass(frozen=True, slots=True)
class OpenDay:
    """A day that is not closed. ``because``: each reason's kind, and the rest of its words."""

    day: str
    because: list[tuple[str, str]]


class OperationsDesk:
    """One per process. ``wake`` makes the deliverer of callbacks look at once."""

    def __init__(
        self,
        services: Services,
        operator: OperatorService,
        callbacks: CallbackRepository,
        wake: Callable[[], None],
    ) -> None:
        self._services = services
        self._operator = operator
        self._letters = DeadLetters(callbacks)
        self._breaks = ReconciliationRepository(services.reader)
        self._merchants = MerchantRepository(services.reader)
        self._payments = ConsolePayments(services.reader)
        self._evening = EveningRepository(services.reader)
        self._clearing = ClearingRepository(services.reader)
        self._cases = CaseDesk(services)
        self._wake = wake

    async def overview(self) -> Overview:
        """The figures of the first page."""
        today = await self._operator.today()
        unknowns = today["unknowns"]
        return Overview(
            today=today,
            imbalance_minor=sum(abs(book["difference_minor"]) for book in today["books"]),
            oldest_unknown_ms=today["now_ms"] - unknowns[0]["created_at_ms"] if unknowns else None,
            dead_count=await self._services.run_read(lambda: self._letters.count(_EVERY)),
            break_count=len(await self._breaks.open_cases(limit=ROWS_PER_PAGE)),
            cases=await self._cases.figures(),
            devices=await self._operator.devices(),
            reserve_test=next(iter(await self._evening.newest_reserve_tests(1)), None),
        )

    async def today(self) -> dict[str, Any]:
        """The business day's figures, what is unknown, and the books."""
        return await self._operator.today()

    async def reserve_tests(self, limit: int) -> list[Row]:
        """The newest tests of the reserve."""
        return await self._evening.newest_reserve_tests(limit)

    async def devices(self) -> list[Row]:
        """Every device and what was last heard of it."""
        return await self._operator.devices()

    async def merchants(self, find: str) -> tuple[list[Row], bool]:
        """Merchants by a part of their number or name, and whether there are more."""
        rows: list[Row] = await self._services.run_read(
            lambda: self._merchants.found(find, limit=ROWS_PER_PAGE + 1)
        )
        return rows[:ROWS_PER_PAGE], len(rows) > ROWS_PER_PAGE

    async def letters(self, wanted: DeadLetterFilter, after: str) -> Page:
        """Callbacks that were given up, the last first."""
        page: Page = await self._services.run_read(
            lambda: self._letters.page(wanted, limit=ROWS_PER_PAGE, after=after)
        )
        return page

    async def replay(self, person: Person, callback_id: str) -> None:
        """Send one again; its history names who asked for it."""
        [command] = replays_of([callback_id], actor=person.actor)
        act = person.act(ActKind.LETTER, "replay", f"callback {callback_id}")
        await self._services.submit(Audited(command=command, act=act))
        self._wake()

    async def open_days(self) -> list[OpenDay]:
        """The days that a run has left open, the earliest first, and why."""
        found = []
        for row in await self._clearing.open_days(OPEN_DAYS_SHOWN):
            because = json.loads(row["report"]).get("open_because", ())
            parted = (one.partition(": ") for one in because)
            found.append(OpenDay(row["business_date"], [(key, more) for key, _, more in parted]))
        return found

    async def breaks(
        self, *, after: tuple[str, str] | None, is_newest_first: bool
    ) -> tuple[list[Row], bool]:
        """A page of those that are not over, each with its ``proposed`` step and the
        ``merchant_id`` that it is about, or none; and whether there are more."""
        limit = ROWS_PER_PAGE
        rows = await self._breaks.open_page(
            after=after, is_newest_first=is_newest_first, limit=limit + 1
        )
        return await self._told(rows[:limit]), len(rows) > limit

    async def one_break(self, break_id: str) -> Row:
        """A break with its ``timeline``, and the same."""
        [shown] = await self._told([await self._case(break_id)])
        return shown

    async def breaks_of(
        self, merchant_id: str, *, after: tuple[str, str] | None
    ) -> tuple[list[Row], bool]:
        """A page of those about a merchant's own payments, the newest first, open or over; and
        whether there are more."""
        limit = ROWS_PER_PAGE
        rows = await self._breaks.of_merchant(merchant_id, after=after, limit=limit + 1)
        return rows[:limit], len(rows) > limit

    async def ask_back(self, person: Person, break_id: str, *, words: str) -> None:
        """Ask the channel to take back what it took too much, with a reason (``Returned.words``);
        ``break_state`` where something stands in the way."""
        row = await self._case(break_id)
        returned = _reasoned(person, words)
        command = AskBack(
            follows=row,
            rules=self._services.rules,
            actor=f"operator:{person.name}",
            words=returned.words,
        )
        act = person.act(
            ActKind.BREAK, BreakStep.ASK_BACK.value, f"break {break_id}", reason=returned.words
        )
        watch = Watch(CASE, break_id, ("state",))
        await self._services.submit(Audited(command=command, act=act, watch=watch))

    async def resolve(
        self, person: Person, break_id: str, *, words: str, owner: str, owner_id: str
    ) -> None:
        """End a break as its state allows, with a reason (``Returned.words``); its timeline
        names who did. ``owner`` and ``owner_id``: whom it belongs to, of what is assigned."""
        row = await self._case(break_id)
        step = proposed(BreakState(row["state"]), excess_minor(row))
        if step is None:
            raise CallerError("break_state", f"{row['state']}: nothing to do")
        _reasoned(person, words)
        try:
            settled = Settled.model_validate(
                {
                    "by": person.name,
                    "words": words,
                    "write_off": step is BreakStep.WRITE_OFF,
                    "assign": owner if step is BreakStep.ASSIGN else None,
                    "owner_id": owner_id if step is BreakStep.ASSIGN else "",
                }
            )
        except ValueError:
            raise CallerError("field_invalid", "owner_id") from None
        now_ms = self._services.clock.now_ms()
        command = MoveBreak(
            follows=row,
            step=settled.step,
            booked_on=self._services.rules.business_date(now_ms),
            actor=f"operator:{person.name}",
            words=settled.words,
            to=None if settled.assign is None else Assignee(settled.assign, settled.owner_id),
        )
        act = person.act(ActKind.BREAK, step.value, f"break {break_id}", reason=settled.words)
        watch = Watch(CASE, break_id, ("state",))
        await self._services.submit(Audited(command=command, act=act, watch=watch))

    async def _told(self, rows: list[Row]) -> list[Row]:
        references = [row["reference"] for row in rows]
        merchants: dict[str, str] = await self._services.run_read(
            lambda: self._payments.merchants_of(references)
        )
        rules = self._services.rules
        return [
            {
                **row,
                "proposed": proposal(row, rules),
                "merchant_id": merchants.get(row["reference"], ""),
            }
            for row in rows
        ]

    async def _case(self, break_id: str) -> Row:
        row = await self._breaks.case(break_id)
        if row is None:
            raise CallerError("break_unknown", break_id)
        return row


def _reasoned(person: Person, words: str) -> Returned:
    """Who decides, with a reason that says something."""
    try:
        return Returned.model_validate({"by": person.name, "words": words})
    except ValueError:
        raise CallerError("field_invalid", "words") from None
