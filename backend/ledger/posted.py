"""Reading back what an event has posted, inside a command, by its transfers' ids."""

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.ledger.limits import LEGS_READ_BACK_MAX
from backend.ledger.model import Transfer
from backend.ledger.tables import ACCOUNT, TRANSFER


def posted_reads(ws: WorkingSet, event_id: str) -> list[Read]:
    """What undoing an event reads: its transfers, and once these are known, their accounts."""
    found: list[Read] = []
    for leg in range(1, LEGS_READ_BACK_MAX + 1):
        key = f"{event_id}:{leg}"
        found.append((TRANSFER, key))
        row = ws.loaded(TRANSFER, key)
        if row is not None:
            transfer = Transfer(*row[: len(Transfer._fields)])
            found += [(ACCOUNT, transfer.debit), (ACCOUNT, transfer.credit)]
    return found


def posted_transfers(ws: WorkingSet, event_id: str) -> list[Transfer]:
    """The transfers of an event, in order; an event's legs are numbered without a gap."""
    found: list[Transfer] = []
    for leg in range(1, LEGS_READ_BACK_MAX + 1):
        row = ws.find(TRANSFER, f"{event_id}:{leg}")
        if row is None:
            return found
        found.append(Transfer(*row[: len(Transfer._fields)]))
    raise AssertionError(f"{event_id} has more legs than an event that is undone")
