"""A suspicious-transaction report's life and who may decide it. Pure.

Rule 1: only ``next_edge`` says which state follows; a report that is filed or dismissed stays.
Rule 2: two persons: whoever analysed it neither confirms nor dismisses it.
Rule 3: the clock begins with the alert, as a case's does: five business days to file, a warning on
        the third. The orders ask for promptness after confirmation; ours begins earlier, so it is
        never later.
"""

from dataclasses import dataclass
from enum import StrEnum

from backend.risk.cases.model import Standing
from backend.risk.two_persons import same_person
from protocol.errors import CallerError


class ReportState(StrEnum):
    """Where a report is."""

    ALERT = "alert"
    """Something was found; nobody has looked."""
    ANALYSIS = "analysis"
    """Somebody looks into it."""
    CONFIRMED = "confirmed"
    """A second person agrees that it is suspicious: to be filed."""
    FILED = "filed"
    """The AML centre has it."""
    DISMISSED = "dismissed"
    """A second person found that it is not suspicious; kept with the reason."""


class ReportCommand(StrEnum):
    """What may happen to a report."""

    ANALYSE = "analyse"
    CONFIRM = "confirm"
    DISMISS = "dismiss"
    RETURN = "return"
    FILE = "file"


class ReportEvent(StrEnum):
    """What has happened to a report."""

    RAISED = "ReportRaised"
    ANALYSED = "ReportAnalysed"
    CONFIRMED = "ReportConfirmed"
    DISMISSED = "ReportDismissed"
    RETURNED = "ReportReturned"
    FILED = "ReportFiled"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: ReportState
    event: ReportEvent


_S, _C, _E = ReportState, ReportCommand, ReportEvent

TRANSITIONS: dict[tuple[ReportState, ReportCommand], Edge] = {
    (_S.ALERT, _C.ANALYSE): Edge(_S.ANALYSIS, _E.ANALYSED),
    (_S.ANALYSIS, _C.CONFIRM): Edge(_S.CONFIRMED, _E.CONFIRMED),
    (_S.ANALYSIS, _C.DISMISS): Edge(_S.DISMISSED, _E.DISMISSED),
    (_S.ANALYSIS, _C.RETURN): Edge(_S.ALERT, _E.RETURNED),
    (_S.CONFIRMED, _C.FILE): Edge(_S.FILED, _E.FILED),
}
ENDED = frozenset({ReportState.FILED, ReportState.DISMISSED})
BY_SECOND_PERSON = frozenset({ReportCommand.CONFIRM, ReportCommand.DISMISS, ReportCommand.RETURN})


def next_edge(state: str, command: ReportCommand) -> Edge:
    """The edge a command takes; ``report_state`` where there is none."""
    edge = TRANSITIONS.get((ReportState(state), command))
    if edge is None:
        raise CallerError("report_state", f"{command} in {state}")
    return edge


def check_second_person(analyst: str, command: ReportCommand, *, by: str) -> None:
    """``report_same_person`` where the analyst would decide (rule 2)."""
    if command in BY_SECOND_PERSON and same_person(analyst, by):
        raise CallerError("report_same_person", by)


def standing(*, state: str, warn_at_ms: int, due_at_ms: int, now_ms: int) -> Standing:
    """Where a report stands on its clock."""
    if state in ENDED:
        return Standing.DONE
    if now_ms >= due_at_ms:
        return Standing.OVERDUE
    return Standing.WARNED if now_ms >= warn_at_ms else Standing.IN_TIME
