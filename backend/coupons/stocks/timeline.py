"""When the clock has to look at a stock again."""

from backend.coupons.stocks.model import StockState
from backend.coupons.stocks.tables import COUPON_STOCK
from backend.db.working_set import WorkingSet


def look_again(ws: WorkingSet, stock_id: str, now_ms: int) -> None:
    """A coupon came back from a payment. If its stock has ended, its money is the merchant's."""
    stock = ws.get(COUPON_STOCK, stock_id)
    assert stock is not None, "stocks are never removed"
    if stock["state"] == StockState.STOPPED:
        ws.update(COUPON_STOCK, stock_id, due_at_ms=now_ms)
