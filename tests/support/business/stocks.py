"""Rule 26, as the business meets it: a merchant sets money aside for its own coupons."""

from backend.ledger import rules
from tests.support.business.paying import Kept
from tests.support.business.world import Changes, Step, World, promised, within


def set_aside(w: World) -> Step | None:
    """A stock starts; a fen more than the merchant has is refused."""
    currency, merchant = w.currency(), w.merchant()
    most = w.available(f"C:MAVAIL:{merchant}:{currency}")
    if not most:
        return None
    a = most + 1 if w.luck(0.1) else w.amount(min(most, 5_000))
    stock = Kept(f"stock_{w.number}", merchant, currency, a)
    return Step(
        rule="stock_set_aside",
        transfers=rules.stock_set_aside(
            w.event(currency), stock_id=stock.name, merchant_id=merchant, amount_minor=a
        ),
        changes=within(currency, (f"C:MAVAIL:{merchant}", -a), (f"C:STOCK:{stock.name}", a)),
        then=w.keep("stocks", stock),
    )


def use_stock(w: World) -> Step | None:
    """A coupon of it has paid, or its time is over."""
    stock = w.pick("stocks")
    if stock is None or not stock.left:
        return None
    event, account, currency = w.event(stock.currency), f"C:STOCK:{stock.name}", stock.currency
    if w.luck(0.4):
        a = stock.left
        return Step(
            rule="stock_released",
            transfers=rules.stock_released(
                event, stock_id=stock.name, merchant_id=stock.user, amount_minor=a
            ),
            changes=within(currency, (account, -a), (f"C:MAVAIL:{stock.user}", a)),
            then=lambda: stock.take(a),
        )
    a = w.amount(stock.left)
    return Step(
        rule="stock_paid",
        transfers=rules.stock_paid(event, stock_id=stock.name, amount_minor=a),
        changes=within(currency, (account, -a), *_kept(a)),
        then=lambda: stock.take(a),
    )


def give_back(w: World) -> Step:
    """What a coupon had paid of a refund is the merchant's again."""
    currency, account, a = w.currency(), f"C:MPEND:{w.owner(w.merchant())}", w.amount(300)
    return Step(
        rule="stock_refunded",
        transfers=rules.stock_refunded(
            w.event(currency), to_accounts=[(f"{account}:{currency}", a)]
        ),
        changes=within(currency, (account, a), *promised(a)),
    )


def _kept(amount: int) -> Changes:
    """A promise of own money that needs not be kept: the stock has."""
    return [(account, -minor) for account, minor in promised(amount)]


KINDS = ((set_aside, 2), (use_stock, 3), (give_back, 1))
