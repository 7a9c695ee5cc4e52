"""The tables of a mandate's and a notice's states: every pair of state and command is walked."""

from itertools import product

import pytest

from backend.mandates.model import (
    NOTICE_TRANSITIONS,
    TRANSITIONS,
    MandateCommand,
    MandateEvent,
    MandateStatus,
    NoticeCommand,
    NoticeStatus,
    Side,
    next_edge,
    next_notice,
)
from protocol.errors import CallerError

SUSPENDERS = {
    MandateStatus.ACTIVE: frozenset(),
    MandateStatus.SUSPENDED_BY_PAYER: frozenset({Side.PAYER}),
    MandateStatus.SUSPENDED_BY_MERCHANT: frozenset({Side.MERCHANT}),
    MandateStatus.SUSPENDED_BY_BOTH: frozenset(Side),
}
STATUS_OF = {sides: status for status, sides in SUSPENDERS.items()}


@pytest.mark.parametrize(
    ("status", "side", "command"), list(product(SUSPENDERS, Side, MandateCommand))
)
def test_a_living_mandate_is_the_set_of_sides_that_suspend_it(
    status: MandateStatus, side: Side, command: MandateCommand
) -> None:
    before = SUSPENDERS[status]
    wanted: tuple[MandateStatus, MandateEvent | None]
    if command is MandateCommand.TERMINATE:
        wanted = (MandateStatus.TERMINATED, MandateEvent.TERMINATED)
    elif command is MandateCommand.SUSPEND:
        is_new = side not in before
        wanted = (STATUS_OF[before | {side}], MandateEvent.SUSPENDED if is_new else None)
    elif side in before:
        wanted = (STATUS_OF[before - {side}], MandateEvent.RESUMED)
    elif before:
        with pytest.raises(CallerError, match="mandate_other_side"):
            next_edge(status, side, command)
        return
    else:
        wanted = (status, None)
    edge = next_edge(status, side, command)
    assert (edge.status, edge.event) == wanted


@pytest.mark.parametrize("side", Side)
def test_nobody_revives_a_terminated_mandate(side: Side) -> None:
    over = MandateStatus.TERMINATED
    assert next_edge(over, side, MandateCommand.TERMINATE).event is None
    for command in (MandateCommand.SUSPEND, MandateCommand.RESUME):
        with pytest.raises(CallerError, match="mandate_inactive"):
            next_edge(over, side, command)


def test_an_edge_emits_an_event_if_and_only_if_the_status_changes() -> None:
    for (origin, _, _), edge in TRANSITIONS.items():
        assert (edge.event is None) == (edge.status is origin)


@pytest.mark.parametrize(("status", "command"), list(product(NoticeStatus, NoticeCommand)))
def test_a_notice_takes_the_edges_of_its_table_and_no_others(
    status: NoticeStatus, command: NoticeCommand
) -> None:
    if (status, command) in NOTICE_TRANSITIONS:
        assert next_notice(status, command) is NOTICE_TRANSITIONS[status, command]
    else:
        with pytest.raises(CallerError, match="notice_state"):
            next_notice(status, command)
