"""A case's life, its clock, and who may decide it. Pure.

Rule 1: only ``next_edge`` says which state follows. A decided case stays as it was decided: what
        turns out otherwise later is another case, whose label is then the later one.
Rule 2: two persons decide (``two_persons``): whoever proposed the outcome cannot confirm it.
Rule 3: only whoever a case is assigned to proposes its outcome.
Rule 4: the clock is the business calendar's (``business_days``): a deadline is never too late.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from backend.risk.business_days import IsBusinessDay, due_day
from backend.risk.cases.limits import SLA_BUSINESS_DAYS, WARNING_BUSINESS_DAY
from backend.risk.two_persons import same_person
from protocol.clock import DAY_MS
from protocol.errors import CallerError

_DAY = timedelta(days=1)
_EPOCH = date(1970, 1, 1)


class CaseState(StrEnum):
    """Where a case is."""

    OPEN = "open"
    """In the queue; nobody has taken it."""
    ASSIGNED = "assigned"
    """Somebody looks into it."""
    PROPOSED = "proposed"
    """One person has decided; a second one has not yet agreed."""
    DECIDED = "decided"
    """Two persons agree; the outcome stands, and its labels are given."""


class CaseCommand(StrEnum):
    """What may happen to a case."""

    ASSIGN = "assign"
    RELEASE = "release"
    PROPOSE = "propose"
    CONFIRM = "confirm"
    REJECT = "reject"


class CaseEvent(StrEnum):
    """What has happened to a case."""

    OPENED = "CaseOpened"
    RAISED_AGAIN = "CaseRaisedAgain"
    NOTED = "CaseNoted"
    ASSIGNED = "CaseAssigned"
    RELEASED = "CaseReleased"
    PROPOSED = "CaseOutcomeProposed"
    CONFIRMED = "CaseDecided"
    REJECTED = "CaseOutcomeRejected"


class Outcome(StrEnum):
    """What two persons may agree on."""

    FRAUD = "fraud"
    """The payments named are fraud; a label each."""
    GENUINE = "genuine"
    """The payments named are the payer's own; a label each."""
    SUSPICIOUS = "suspicious"
    """To be reported to the AML centre; no label, because suspicion is no proof."""
    INCONCLUSIVE = "inconclusive"
    """Nobody can say; no label."""


class Subject(StrEnum):
    """What a case is about."""

    PAYMENT = "payment"
    PAYER = "payer"
    DEVICE = "device"
    CARD = "card"
    MERCHANT = "merchant"


class Severity(StrEnum):
    """How bad it would be, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Standing(StrEnum):
    """Where a case stands on its clock."""

    IN_TIME = "in_time"
    WARNED = "warned"
    OVERDUE = "overdue"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: CaseState
    event: CaseEvent


_S, _C, _E = CaseState, CaseCommand, CaseEvent

TRANSITIONS: dict[tuple[CaseState, CaseCommand], Edge] = {
    (_S.OPEN, _C.ASSIGN): Edge(_S.ASSIGNED, _E.ASSIGNED),
    (_S.ASSIGNED, _C.ASSIGN): Edge(_S.ASSIGNED, _E.ASSIGNED),
    (_S.ASSIGNED, _C.RELEASE): Edge(_S.OPEN, _E.RELEASED),
    (_S.ASSIGNED, _C.PROPOSE): Edge(_S.PROPOSED, _E.PROPOSED),
    (_S.PROPOSED, _C.CONFIRM): Edge(_S.DECIDED, _E.CONFIRMED),
    (_S.PROPOSED, _C.REJECT): Edge(_S.ASSIGNED, _E.REJECTED),
}
LABELLING: Mapping[Outcome, bool] = {Outcome.FRAUD: True, Outcome.GENUINE: False}
"""What an outcome says of the payments it names; others label nothing."""


def next_edge(state: str, command: CaseCommand) -> Edge:
    """The edge a command takes; ``case_state`` where there is none."""
    edge = TRANSITIONS.get((CaseState(state), command))
    if edge is None:
        raise CallerError("case_state", f"{command} in {state}")
    return edge


def check_second_person(proposed_by: str, *, by: str) -> None:
    """``case_same_person`` for whoever proposed the outcome (rule 2)."""
    if same_person(proposed_by, by):
        raise CallerError("case_same_person", by)


def check_assignee(assignee: str, *, by: str) -> None:
    """``case_not_assignee`` for anybody but the one who looks into the case (rule 3)."""
    if not same_person(assignee, by):
        raise CallerError("case_not_assignee", by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """When a case warns and when it must have been decided, in epoch milliseconds."""

    warn_at_ms: int
    due_at_ms: int

    def standing(self, *, state: str, now_ms: int) -> Standing:
        """Where a case in this state stands."""
        if state == CaseState.DECIDED:
            return Standing.DONE
        if now_ms >= self.due_at_ms:
            return Standing.OVERDUE
        return Standing.WARNED if now_ms >= self.warn_at_ms else Standing.IN_TIME


@dataclass(frozen=True, slots=True)
class CaseClock:
    """The clock of every case (rule 4)."""

    is_business_day: IsBusinessDay
    day_offset_ms: int
    """How far local midnight is ahead of UTC's."""

    def deadlines(self, opened_at_ms: int) -> Deadlines:
        """When a case opened then warns and is due: at local midnights."""
        opened_on = _EPOCH + _DAY * ((opened_at_ms + self.day_offset_ms) // DAY_MS)
        warned_on = due_day(self.is_business_day, opened_on, WARNING_BUSINESS_DAY)
        last = due_day(self.is_business_day, opened_on, SLA_BUSINESS_DAYS)
        return Deadlines(
            warn_at_ms=self._midnight_ms(warned_on), due_at_ms=self._midnight_ms(last + _DAY)
        )

    def _midnight_ms(self, day: date) -> int:
        return (day - _EPOCH).days * DAY_MS - self.day_offset_ms
