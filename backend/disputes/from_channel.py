"""Disputes that a channel's day brings: each case opened once, however often the day is read.

Rule 1: a case's dispute has an id made of the case, so that what was opened is found again.
Rule 2: a case that cannot be opened (an unknown payment, more than is left of it) is told to
        people and holds up nothing.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import structlog

from backend.db.command import Command
from backend.disputes.limits import REASON_CHARS_MAX
from backend.disputes.service import OpenDispute
from backend.payments.model import PaymentRules
from protocol.errors import CallerError, TillwayError
from protocol.money import Money

_log = structlog.get_logger()


class Case(Protocol):
    """A payer's bank takes a payment back, or a part of it."""

    @property
    def case_id(self) -> str:
        """The bank's own number."""
        ...

    @property
    def original_order_id(self) -> str:
        """Our id of the payment."""
        ...

    @property
    def amount(self) -> Money:
        """How much of it."""
        ...

    @property
    def reason(self) -> str:
        """Why."""
        ...


class CaseSource(Protocol):
    """A channel that tells of disputes."""

    async def disputes(self, day: date) -> Sequence[Case]:
        """A day's cases, the file verified whole."""
        ...


class ChannelDisputes:
    """Reads the cases of the channels that tell of any."""

    def __init__(
        self,
        *,
        submit: Callable[[Command], Awaitable[Any]],
        sources: Mapping[str, CaseSource],
        dispute_id: Callable[[str], str],
        rules: PaymentRules,
    ) -> None:
        self._submit = submit
        self._sources = sources
        self._dispute_id = dispute_id
        self._rules = rules

    async def read(self, day: date) -> "CasesRead":
        """Open what a day's files bring; again: nothing more. A channel whose file cannot be had
        holds up no other."""
        taken, refused, unheard = 0, list[str](), dict[str, str]()
        for channel_id, source in self._sources.items():
            try:
                cases = await source.disputes(day)
            except TillwayError as error:
                unheard[channel_id] = str(error)
                continue
            for case in cases:
                try:
                    await self._submit(self._opening(channel_id, case))
                    taken += 1
                except CallerError as error:
                    _log.error("case_not_taken", case_id=case.case_id, code=error.code)
                    refused.append(f"{channel_id}: {case.case_id}: {error.code}")
        return CasesRead(taken, tuple(refused), unheard)

    def _opening(self, channel_id: str, case: Case) -> OpenDispute:
        return OpenDispute(
            dispute_id=self._dispute_id(case.case_id),
            payment_id=case.original_order_id,
            amount_minor=case.amount.amount_minor,
            currency=case.amount.currency,
            reason=case.reason[:REASON_CHARS_MAX],
            reference=case.case_id,
            actor=channel_id,
            rules=self._rules,
        )


@dataclass(frozen=True, slots=True)
class CasesRead:
    """What a day's files brought."""

    taken: int = 0
    refused: tuple[str, ...] = ()
    """Which could not be opened, and why: for people."""
    unheard: Mapping[str, str] = field(default_factory=dict)
    """Whose file could not be had or was refused whole, and why."""
