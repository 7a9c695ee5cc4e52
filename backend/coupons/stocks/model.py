"""The life of a stock of coupons that a merchant pays for. Pure.

Rule 1: the merchant's money for all of its coupons is set aside when the stock starts, so that a
        coupon that a payer has is always paid for.
Rule 2: a paused stock gives none out; what was given out goes on being used.
Rule 3: a stock ends with its time. What is left is the merchant's again once no coupon of it can be
        used, or is a part of a payment under way.
"""

from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import CallerError


class StockState(StrEnum):
    """Where a stock is."""

    UNACTIVATED = "unactivated"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class StockStep(StrEnum):
    """What may happen to one."""

    START = "start"
    PAUSE = "pause"
    RESTART = "restart"
    END = "end"


_S, _T = StockState, StockStep
TRANSITIONS: dict[tuple[StockState, StockStep], StockState] = {
    (_S.UNACTIVATED, _T.START): _S.RUNNING,
    (_S.UNACTIVATED, _T.END): _S.STOPPED,
    (_S.RUNNING, _T.PAUSE): _S.PAUSED,
    (_S.RUNNING, _T.END): _S.STOPPED,
    (_S.PAUSED, _T.RESTART): _S.RUNNING,
    (_S.PAUSED, _T.END): _S.STOPPED,
}


def next_state(state: str, step: StockStep) -> StockState:
    """The state a step leads to; ``stock_state`` where there is no edge."""
    found = TRANSITIONS.get((StockState(state), step))
    if found is None:
        raise CallerError("stock_state", f"{step} in {state}")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """A stock as it stands when somebody is to get a coupon of it."""

    state: str
    amount_minor: int
    """Of each coupon."""
    max_coupons: int
    max_amount_minor: int
    max_per_payer: int
    begin_ms: int
    end_ms: int
    sent_count: int

    @property
    def set_aside_minor(self) -> int:
        """What all of its coupons can come to."""
        return min(self.max_amount_minor, self.max_coupons * self.amount_minor)


def refusal(stock: Stock, *, had_count: int, now_ms: int) -> str | None:
    """The code of the first reason why a payer who has had so many gets none; None if one more."""
    if stock.state != StockState.RUNNING or not stock.begin_ms <= now_ms < stock.end_ms:
        return "stock_not_running"
    if (stock.sent_count + 1) * stock.amount_minor > stock.set_aside_minor:
        return "stock_exhausted"
    return "stock_payer_limit" if had_count >= stock.max_per_payer else None
