"""Which days are over, asked inside a command: by key, at the same moment as what follows."""

from collections.abc import Iterable

from backend.clearing.model import settlement_transfer
from backend.clearing.tables import CLEARING_DAY
from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.ledger.tables import TRANSFER


class ClosedDays:
    """``SettledDays`` over the runs' reports and the settlements that are in the ledger."""

    def reads(self, channel_id: str, day: str) -> Iterable[Read]:
        return [(CLEARING_DAY, day), (TRANSFER, settlement_transfer(channel_id, day))]

    def is_over(self, ws: WorkingSet, channel_id: str, day: str) -> bool:
        closed = ws.get(CLEARING_DAY, day)
        is_closed = closed is not None and closed["state"] == "closed"
        return is_closed or ws.find(TRANSFER, settlement_transfer(channel_id, day)) is not None
