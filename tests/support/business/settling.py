"""Rules 7, 8, 10 and 23, and the own money that follows: what leaves, and what is exchanged."""

from backend.ledger import rules
from backend.ledger.rules.settlement import Bank
from protocol.money import Money
from tests.support.business.world import CURRENCIES, SHARDS, Step, World, fee, within


def settle(w: World) -> Step | None:
    """A merchant's pending money becomes available: of a hot one, the sum of its shards."""
    currency, merchant = w.currency(), w.merchant()
    owners = SHARDS.get(merchant, (merchant,))
    parts = [(owner, w.available(f"C:MPEND:{owner}:{currency}")) for owner in owners]
    due = sum(part for _, part in parts)
    if not due:
        return None
    return Step(
        rule="merchant_settled",
        transfers=rules.merchant_settled(
            w.event(currency), merchant_id=merchant, amount_minor=due,
            shards_minor=parts if merchant in SHARDS else (),
        ),
        changes=within(
            currency, (f"C:MAVAIL:{merchant}", due),
            *((f"C:MPEND:{owner}", -part) for owner, part in parts),
        ),
    )  # fmt: skip


def pay_out(w: World) -> Step | None:
    """Tell the bank to pay; a fen more than there is, is refused."""
    currency, merchant = w.currency(), w.merchant()
    a = w.available(f"C:MAVAIL:{merchant}:{currency}") + w.luck(0.2)
    if not a:
        return None
    return Step(
        rule="payout_instructed",
        transfers=rules.payout_instructed(w.event(currency), merchant_id=merchant, amount_minor=a),
        changes=within(currency, (f"C:MAVAIL:{merchant}", -a), ("C:PAYOUT", a)),
        then=w.keep("payouts", (merchant, currency, a)),
    )


def end_payout(w: World) -> Step | None:
    found = w.pick("payouts")
    if found is None:
        return None
    merchant, currency, a = found
    if w.luck(0.3):
        return Step(
            rule="payout_rejected",
            transfers=rules.payout_rejected(
                w.event(currency), merchant_id=merchant, amount_minor=a
            ),
            changes=within(currency, ("C:PAYOUT", -a), (f"C:MAVAIL:{merchant}", a)),
            then=w.drop("payouts", found),
        )

    bank: Bank = "NOSTRO" if w.luck(0.3) else "RESERVE"

    def then() -> None:
        w.drop("payouts", found)()
        w.keep("paid_out", (bank, *found))()

    return Step(
        rule="payout_confirmed",
        transfers=rules.payout_confirmed(w.event(currency), amount_minor=a, bank=bank),
        changes=within(currency, ("C:PAYOUT", -a), (f"C:{bank}", -a)),
        then=then,
    )


def return_payout(w: World) -> Step | None:
    found = w.pick("paid_out")
    if found is None:
        return None
    bank, merchant, currency, a = found
    return Step(
        rule="payout_returned",
        transfers=rules.payout_returned(
            w.event(currency), merchant_id=merchant, amount_minor=a, bank=bank
        ),
        changes=within(currency, (f"C:{bank}", a), (f"C:MAVAIL:{merchant}", a)),
        then=w.drop("paid_out", found),
    )


def sweep(w: World) -> Step | None:
    """Fees leave the reserve; if more were given back than earned, own money comes in."""
    currency = w.currency()
    a = w.tally[f"C:UNSWEPT:{currency}"]
    if not a:
        return None
    return Step(
        rule="fees_swept",
        transfers=rules.fees_swept(w.event(currency), amount_minor=a),
        changes=within(
            currency, ("C:UNSWEPT", -a), ("C:RESERVE", -a), ("O:OWN", a), ("O:DUE_CLIENT", -a)
        ),
    )


def inject(w: World) -> Step | None:
    """The own money that was promised has arrived, or what came back too much has left."""
    currency = w.currency()
    a = w.tally[f"C:OWN_DUE:{currency}"]
    if not a:
        return None
    return Step(
        rule="own_funds_injected",
        transfers=rules.own_funds_injected(w.event(currency), amount_minor=a),
        changes=within(
            currency, ("C:RESERVE", a), ("C:OWN_DUE", -a), ("O:OWN", -a), ("O:OWN_PAYABLE", -a)
        ),
    )


def earn_interest(w: World) -> Step:
    """The reserve bank has paid interest, or has taken back what it paid too much."""
    currency, a = w.currency(), w.amount(90)
    if w.luck(0.2) and w.available(f"C:RESERVE:{currency}") >= a:
        a = -a
    return Step(
        rule="reserve_interest_paid",
        transfers=rules.reserve_interest_paid(w.event(currency), amount_minor=a),
        changes=within(currency, ("C:RESERVE", a), *fee(a, "O:INTEREST")),
    )


def exchange(w: World) -> Step:
    """A payer pays in one currency what a merchant gets in another; both happen, or neither."""
    currency, other = w.dice.sample(CURRENCIES, 2)
    user, owner, a, got = w.user(), w.owner(w.merchant()), w.amount(9_000), w.amount(9_000)
    s = w.dice.randint(0, a // 50)
    return Step(
        rule="exchange_paid",
        transfers=rules.exchange_paid(
            w.event(currency), user_id=user, merchant_id=owner, amount_minor=a, spread_minor=s,
            bought=Money(got, other),
        ),
        changes=[
            *within(currency, (f"C:CUST:{user}", -a), ("C:FXPOS", s - a), *fee(s, "O:FX_SPREAD")),
            *within(other, ("C:FXPOS", got), (f"C:MPEND:{owner}", got)),
        ],
        then=w.keep("exchanges", (currency, a - s, other, got)),
    )  # fmt: skip


def buy(w: World) -> Step | None:
    """The exchange bank delivers what an exchange has promised."""
    found = w.pick("exchanges")
    if found is None:
        return None
    currency, cost, other, got = found
    return Step(
        rule="exchange_bought",
        transfers=rules.exchange_bought(
            w.event(currency), amount_minor=cost, bought=Money(got, other)
        ),
        changes=[
            *within(currency, ("C:FXPOS", cost), ("C:RESERVE", -cost)),
            *within(other, ("C:NOSTRO", got), ("C:FXPOS", -got)),
        ],
        then=w.drop("exchanges", found),
    )


KINDS = (
    (settle, 4), (pay_out, 3), (end_payout, 4), (return_payout, 1), (sweep, 2), (inject, 3),
    (earn_interest, 1),    (exchange, 2), (buy, 3),
)  # fmt: skip
