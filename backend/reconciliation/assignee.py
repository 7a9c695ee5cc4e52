"""Whose money it is that stands in LONG, when a person has found out."""

from dataclasses import dataclass
from typing import Literal

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.merchants.tables import MERCHANT
from backend.wallet.tables import PAYER
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True)
class Assignee:
    """A payer, to whose balance it goes, or a merchant, whose pending money it becomes (补单)."""

    kind: Literal["payer", "merchant"]
    owner_id: str

    @property
    def read(self) -> Read:
        """The row that must be there."""
        return (PAYER if self.kind == "payer" else MERCHANT), self.owner_id

    def check(self, ws: WorkingSet) -> None:
        """``payer_unknown`` or ``merchant_unknown`` if there is nobody of that id."""
        if ws.get(*self.read) is None:
            raise CallerError(f"{self.kind}_unknown", self.owner_id)

    def account(self, currency: str) -> str:
        """The account that gets it."""
        is_payer = self.kind == "payer"
        name = chart.customer if is_payer else chart.merchant_pending
        return name(self.owner_id, currency)
