"""Profit sharing as the business meets it: a part waits, is shared, held, released, given back."""

from backend.ledger import rules
from tests.support.business.paying import Kept
from tests.support.business.world import (
    Step,
    World,
    within,
)


def freeze_share(w: World) -> Step | None:
    """A part of what a merchant has pending waits to be shared; a fen too much is refused."""
    currency, owner = w.currency(), w.owner(w.merchant())
    most = w.available(f"C:MPEND:{owner}:{currency}")
    if not most:
        return None
    a = most + 1 if w.luck(0.1) else w.amount(min(most, 5_000))
    frozen = Kept(f"shared_{w.number}", owner, currency, a)
    return Step(
        rule="share_frozen",
        transfers=rules.share_frozen(
            w.event(currency), merchant_id=owner, payment_id=frozen.name, amount_minor=a
        ),
        changes=within(currency, (f"C:MPEND:{owner}", -a), (f"C:SHARE:{frozen.name}", a)),
        then=w.keep("frozen", frozen),
    )


def share_out(w: World) -> Step | None:
    """A receiver gets a part, at once or first held; or the merchant has the rest."""
    frozen = w.pick("frozen")
    if frozen is None or not frozen.left:
        return None
    event, account, currency = w.event(frozen.currency), f"C:SHARE:{frozen.name}", frozen.currency
    if w.luck(0.2):
        a = frozen.left
        return Step(
            rule="share_released",
            transfers=rules.share_released(
                event, merchant_id=frozen.user, payment_id=frozen.name, amount_minor=a
            ),
            changes=within(currency, (account, -a), (f"C:MPEND:{frozen.user}", a)),
            then=lambda: frozen.take(a),
        )
    a, to = w.amount(frozen.left), f"C:CUST:{w.user()}"
    how = w.dice.choice(("share_paid", "share_held"))
    rule = rules.share_paid if how == "share_paid" else rules.share_held
    transfers = rule(event, payment_id=frozen.name, to_account=f"{to}:{currency}", amount_minor=a)
    if how == "share_paid":
        return Step(
            rule=how,
            transfers=transfers,
            changes=within(currency, (account, -a), (to, a)),
            then=lambda: frozen.take(a),
        )

    def then() -> None:
        frozen.take(a)
        w.keep("held shares", (transfers[0], account, to))()

    return Step(
        rule=how,
        transfers=transfers,
        changes=[],
        held=[(f"{account}:{currency}", "Dr", a), (f"{to}:{currency}", "Cr", a)],
        then=then,
    )


def post_share(w: World) -> Step | None:
    """A share that was held is paid."""
    found = w.pick("held shares")
    if found is None:
        return None
    hold, account, to = found
    currency, a = hold.currency, hold.amount_minor
    return Step(
        rule="share_posted",
        transfers=rules.share_posted(w.event(currency), hold),
        changes=within(currency, (account, -a), (to, a)),
        held=[(f"{account}:{currency}", "Dr", -a), (f"{to}:{currency}", "Cr", -a)],
        then=w.drop("held shares", found),
    )


def return_share(w: World) -> Step | None:
    """A merchant that got a share gives of it back."""
    currency, giver, taker = w.currency(), w.merchant(), w.merchant()
    source = f"C:MAVAIL:{giver}"
    most = w.available(f"{source}:{currency}")
    if not most:
        return None
    a = w.amount(min(most, 500))
    return Step(
        rule="share_returned",
        transfers=rules.share_returned(
            w.event(currency),
            sources=[(f"{source}:{currency}", a)],
            payment_id="any",
            merchant_id=taker,
        ),
        changes=within(currency, (source, -a), (f"C:MPEND:{taker}", a)),
    )


KINDS = ((freeze_share, 2), (share_out, 3), (post_share, 2), (return_share, 1))
