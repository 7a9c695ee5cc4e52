"""Our e-CNY wallet as its operator states it, against what the operator told us payment by payment.

The day's file says which movements there were, the statement what the wallet has of them: a fault
in either, or in ours, shows as a difference of sums.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import structlog

from backend.channels.wallet_statement import WalletStatement
from backend.clearing.ecny_repository import WalletBooks
from backend.clearing.ports import Reconcile

WALLET = "WALLET"
"""The kind of break."""
_log = structlog.get_logger()


class WalletPort(Protocol):
    """Whoever keeps our wallet."""

    async def wallet_statement(self, day: date) -> WalletStatement:
        """Our wallet's day, as sums that agree."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletReconciled:
    """``Reconcile`` with the wallet compared after everything else."""

    others: Reconcile
    wallet: WalletPort
    books: WalletBooks

    async def __call__(self, *, day: date, booked: Sequence[date]) -> Mapping[str, Any]:
        """``Reconcile``: one comparison more; a difference is one break more."""
        found = await self.others(day=day, booked=booked)
        stated = await self.wallet.wallet_statement(day)
        ours = await self.books.came_and_went(day)
        theirs = (stated.paid_minor, stated.refunded_minor)
        if ours == theirs:
            return {**found, "matched": found["matched"] + 1}
        _log.error("wallet_differs", day=day.isoformat(), ours=ours, theirs=theirs)
        kinds = sorted({*found["kinds"], WALLET})
        return {**found, "breaks": found["breaks"] + 1, "kinds": kinds}
