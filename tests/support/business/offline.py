"""Rule 27, as the business meets it: tokens that come back, and who bears what is not covered."""

from backend.ledger import rules
from protocol.money import fee_half_up
from tests.support.business.paying import FEE_BPS, Paid
from tests.support.business.returning import sources_of
from tests.support.business.world import Step, World, fee, promised, within


def come_back(w: World) -> Step | None:
    """A token's voucher covers it; a fen too much is refused."""
    deal = w.pick("deals")
    if deal is None or not deal.left:
        return None
    owner, a = w.owner(w.merchant()), w.amount(deal.left + 1)
    f = fee_half_up(a, FEE_BPS)
    return Step(
        rule="offline_paid",
        transfers=rules.offline_paid(
            w.event(deal.currency), voucher_id=deal.name, merchant_id=owner, amount_minor=a,
            fee_minor=f,
        ),
        changes=within(
            deal.currency, (f"C:ESCROW:{deal.name}", -a), (f"C:MPEND:{owner}", a - f), *fee(f)
        ),
        then=lambda: deal.take(a),
    )  # fmt: skip


def bear(w: World) -> Step:
    """A voucher was spent twice, and the house pays the merchant."""
    currency, merchant, a = w.currency(), w.merchant(), w.amount(3_000)
    owner, f = w.owner(merchant), fee_half_up(a, FEE_BPS)
    transfers = rules.offline_covered(
        w.event(currency), merchant_id=owner, amount_minor=a, fee_minor=f
    )
    changes = within(currency, (f"C:MPEND:{owner}", a - f), *promised(a, "O:LOSS"), *fee(f))
    paid = Paid("", merchant, owner, currency, a, 0, transfers, changes)
    return Step(
        rule="offline_covered", transfers=transfers, changes=changes, then=w.keep("borne", paid)
    )


def give_back(w: World) -> Step | None:
    """A refund of what the house had borne goes to the house; often more than the merchant has."""
    paid = w.pick("borne")
    if paid is None:
        return None
    f = fee_half_up(paid.amount, FEE_BPS)
    sources = sources_of(w, paid, paid.amount)
    given = [(account, -amount) for account, amount in sources]
    return Step(
        rule="offline_cover_returned",
        transfers=rules.offline_cover_returned(
            w.event(paid.currency),
            sources=[(f"{account}:{paid.currency}", amount) for account, amount in sources],
            fee_back_minor=f,
        ),
        changes=within(
            paid.currency,
            *given,
            *promised(-paid.amount, "O:LOSS"),
            *fee(-f),
            (sources[0][0], f),
        ),
        then=w.drop("borne", paid),
    )


KINDS = ((come_back, 2), (bear, 2), (give_back, 2))
