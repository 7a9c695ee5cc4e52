"""Our e-CNY wallet as its operator states it, against what the operator told us payment by payment.

The day's file says which movements there were, the statement what the wallet has of them: a fault
in either, or in ours, shows as a difference of sums.
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from backend.channels.model import ECNY
from backend.channels.wallet_statement import WalletStatement
from backend.clearing.ecny_repository import WalletBooks
from backend.reconciliation.breaks import BreakClass
from backend.reconciliation.match import Matched, match_figures, total

SOURCE = f"wallet {ECNY}"
"""Where such a break is found."""


class WalletPort(Protocol):
    """Whoever keeps our wallet."""

    async def wallet_statement(self, day: date) -> WalletStatement:
        """Our wallet's day, as sums that agree."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletComparison:
    """Compares what came into our wallet and what went, each by itself: one may not hide the
    other."""

    wallet: WalletPort
    books: WalletBooks

    async def compare(self, day: date) -> Matched:
        """The wallet's day, in minor units of its currency; each sum that differs is a break."""
        stated = await self.wallet.wallet_statement(day)
        came, went = await self.books.came_and_went(day)
        return total(
            match_figures(
                BreakClass.WALLET,
                SOURCE,
                ours_minor=ours,
                theirs_minor=theirs,
                name=f"{ECNY}.{day.isoformat()}.{name}",
            )
            for name, ours, theirs in (
                ("paid", came, stated.paid_minor),
                ("refunded", went, stated.refunded_minor),
            )
        )
