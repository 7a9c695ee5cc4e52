"""Reading back what an event has posted, inside a command, by its transfers' ids."""

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.ledger.limits import LEGS_PER_POST_MAX, LEGS_READ_BACK_FIRST
from backend.ledger.model import Transfer
from backend.ledger.tables import ACCOUNT, TRANSFER


def posted_reads(ws: WorkingSet, event_id: str) -> list[Read]:
    """What undoing an event reads: its transfers, and once these are known, their accounts."""
    found: list[Read] = []
    has_more = ws.loaded(TRANSFER, f"{event_id}:{LEGS_READ_BACK_FIRST}") is not None
    for leg in range(1, (LEGS_PER_POST_MAX if has_more else LEGS_READ_BACK_FIRST) + 1):
        key = f"{event_id}:{leg}"
        found.append((TRANSFER, key))
        row = ws.loaded(TRANSFER, key)
        if row is not None:
            transfer = Transfer.of_row(row)
            found += [(ACCOUNT, transfer.debit), (ACCOUNT, transfer.credit)]
    return found


def posted_transfers(ws: WorkingSet, event_id: str) -> list[Transfer]:
    """The transfers of an event, in order; an event's legs are numbered without a gap."""
    found: list[Transfer] = []
    for leg in range(1, LEGS_PER_POST_MAX + 1):
        row = ws.find(TRANSFER, f"{event_id}:{leg}")
        if row is None:
            break
        found.append(Transfer.of_row(row))
    return found
