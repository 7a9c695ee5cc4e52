"""Rule 26: coupons that a merchant pays for (充值代金券). Its money is set aside when their stock
starts. A coupon of it pays as ours do (rule 17), and the stock makes it good to us in the same
chain: own money is promised and no more due at once."""

from backend.ledger.chart import client, merchant_available, own, stock
from backend.ledger.model import Transfer
from backend.ledger.rules.legs import Event, own_money_legs, posted, undone
from backend.ledger.rules.returns import Sources


def stock_set_aside(
    event: Event, *, stock_id: str, merchant_id: str, amount_minor: int
) -> list[Transfer]:
    """26. A stock of coupons starts: Dr MAVAIL / Cr STOCK."""
    available = merchant_available(merchant_id, event.currency)
    leg = (available, stock(stock_id, event.currency), amount_minor)
    return posted(event, "stock_set_aside", [leg])


def stock_paid(
    event: Event, *, stock_id: str, amount_minor: int, first_leg: int = 1
) -> list[Transfer]:
    """26, beside 17. A coupon of the stock has paid: Dr STOCK / Cr OWN_DUE; Dr OWN_PAYABLE / Cr
    PROMO. ``first_leg``: the legs of the payment are numbered before."""
    currency = event.currency
    account, promo = stock(stock_id, currency), own("PROMO", currency)
    legs = undone(own_money_legs(account, promo, amount_minor, currency))
    return posted(event, "stock_paid", legs, first_leg=first_leg)


def stock_refunded(event: Event, *, to_accounts: Sources, first_leg: int = 1) -> list[Transfer]:
    """26, beside 12 or 13. What a coupon had paid of a refund is the merchant's again, not ours,
    and goes back whence the refund took it (a refusal that undoes both never finds an account
    short): Dr OWN_DUE / Cr SHARE, MPEND or MAVAIL; Dr PROMO / Cr OWN_PAYABLE. ``first_leg`` as in
    ``stock_paid``."""
    currency = event.currency
    due, promo = client("OWN_DUE", currency), own("PROMO", currency)
    whole_minor = sum(amount_minor for _, amount_minor in to_accounts)
    legs = [
        *((due, account, amount_minor) for account, amount_minor in to_accounts),
        (promo, own("OWN_PAYABLE", currency), whole_minor),
    ]
    return posted(event, "stock_refunded", legs, first_leg=first_leg)


def stock_released(
    event: Event, *, stock_id: str, merchant_id: str, amount_minor: int
) -> list[Transfer]:
    """26. A stock has ended, and what no coupon has used is the merchant's again: Dr STOCK / Cr
    MAVAIL."""
    available = merchant_available(merchant_id, event.currency)
    leg = (stock(stock_id, event.currency), available, amount_minor)
    return posted(event, "stock_released", [leg])
