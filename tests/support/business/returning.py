"""Rules 12 to 16: what goes back to payers, and who bears it."""

from backend.ledger import rules
from tests.support.business.channels import account_of
from tests.support.business.paying import FEE_BPS, Paid
from tests.support.business.world import (
    DATES,
    SHARDS,
    Changes,
    Step,
    World,
    opposite,
    promised,
    within,
)


def refund(w: World) -> Step | None:
    """Give back a part or the rest, from the balance payment's payer or through its channel."""
    paid = w.pick("payments")
    left = paid.amount - paid.refunded if paid is not None else 0
    if paid is None or left <= 0:
        return None
    part = w.amount(left) if w.luck(0.6) else left
    before, after = paid.refunded, paid.refunded + part
    f = _rounded(after) - _rounded(before)
    c = after * paid.coupon // paid.amount - before * paid.coupon // paid.amount
    sources = sources_of(w, paid, part)
    given = [(account, -amount) for account, amount in sources]
    back = [("C:UNSWEPT", -f), ("O:DUE_CLIENT", -f), ("O:MDR", -f), (sources[0][0], f)]
    full = [(f"{account}:{paid.currency}", amount) for account, amount in sources]
    payee = "C:REFUND" if paid.channel else f"C:CUST:{paid.user}"
    changes = within(paid.currency, *given, (payee, part - c), *promised(-c), *back)

    def gone() -> None:
        paid.refunded = after

    if not paid.channel:
        return Step(
            rule="balance_refunded",
            transfers=rules.balance_refunded(
                w.event(paid.currency), user_id=paid.user, sources=full, fee_back_minor=f,
                coupon_back_minor=c, refers_to=paid.transfers[0].id,
            ),
            changes=changes,
            then=gone,
        )  # fmt: skip
    transfers = rules.channel_refund_started(
        w.event(paid.currency), sources=full, fee_back_minor=f, coupon_back_minor=c,
        refers_to=paid.transfers[0].id,
    )  # fmt: skip

    def started() -> None:
        gone()
        w.keep("refunds", (paid, part - c, transfers, changes))()

    return Step(rule="channel_refund_started", transfers=transfers, changes=changes, then=started)


def _rounded(amount: int) -> int:
    """The fee of an amount, half up to one minor unit, once more by hand."""
    whole, rest = divmod(amount * FEE_BPS, 10_000)
    return whole + (rest >= 5_000)


def sources_of(w: World, paid: Paid, amount: int) -> list[tuple[str, int]]:
    """Out of the merchant's pending accounts, then out of what is available; often more than is
    there, which is refused."""
    found, left = [], amount
    for owner in SHARDS.get(paid.merchant, (paid.merchant,)):
        account = f"C:MPEND:{owner}"
        part = min(left, max(w.available(f"{account}:{paid.currency}"), 0))
        if part:
            found.append((account, part))
            left -= part
    return [*found, (f"C:MAVAIL:{paid.merchant}", left)] if left else found


def end_refund(w: World) -> Step | None:
    """The channel accepts the refund, or refuses it: then its start is undone."""
    found = w.pick("refunds")
    if found is None:
        return None
    paid, amount, transfers, changes = found
    date = w.dice.choice(DATES)
    if amount and w.luck(0.7):
        return Step(
            rule="channel_refund_accepted",
            transfers=rules.channel_refund_accepted(
                w.event(paid.currency), channel_id=paid.channel, settlement_date=date,
                amount_minor=amount,
            ),
            changes=within(
                paid.currency, ("C:REFUND", -amount), (account_of(paid.channel, date), -amount)
            ),
            then=w.drop("refunds", found),
        )  # fmt: skip
    return Step(
        rule="reversed_transfers",
        transfers=rules.reversed_transfers(w.event(paid.currency), transfers),
        changes=opposite(changes),
        then=w.drop("refunds", found),
    )


def reverse(w: World) -> Step | None:
    """Undo a payment of which nothing was given back; the contra of all it did."""
    paid = w.pick("payments")
    if paid is None or paid.refunded:
        return None

    def gone() -> None:
        paid.refunded = paid.amount

    return Step(
        rule="reversed_transfers",
        transfers=rules.reversed_transfers(w.event(paid.currency), paid.transfers),
        changes=opposite(paid.changes),
        then=gone,
    )


def gather(w: World) -> Step | None:
    """A hot merchant's other sub-accounts lend to one; a fen more than one has is refused."""
    currency, (own, *others) = w.currency(), w.dice.sample(SHARDS["mall"], 3)
    found = [(owner, w.available(f"C:MPEND:{owner}:{currency}")) for owner in others]
    parts = [(owner, w.amount(held + w.luck(0.2))) for owner, held in found if held > 0]
    if not parts:
        return None
    return Step(
        rule="pending_gathered",
        transfers=rules.pending_gathered(
            w.event(currency), merchant_id=own, parts_minor=parts
        ),
        changes=within(
            currency, (f"C:MPEND:{own}", sum(part for _, part in parts)),
            *((f"C:MPEND:{owner}", -part) for owner, part in parts),
        ),
    )  # fmt: skip


def dispute(w: World) -> Step | None:
    """A payer's bank takes a payment back; own money covers what the merchant has not."""
    currency, merchant, a = w.currency(), w.merchant(), w.amount(5_000)
    short = max(a - w.available(f"C:MAVAIL:{merchant}:{currency}"), 0)
    cover = short if w.luck(0.8) else 0
    event = w.event(currency)
    case = f"case_{w.number}"
    changes: Changes = within(
        currency, (f"C:MAVAIL:{merchant}", cover - a), (f"C:DISPUTE:{case}", a),
        *promised(cover, f"O:MERCH_RECV:{merchant}"),
    )  # fmt: skip
    return Step(
        rule="dispute_opened",
        transfers=rules.dispute_opened(
            event, merchant_id=merchant, case_id=case, amount_minor=a, cover_minor=cover
        ),
        changes=changes,
        then=w.keep("disputes", (case, merchant, currency, a)),
    )


def decide_dispute(w: World) -> Step | None:
    found = w.pick("disputes")
    if found is None:
        return None
    case, merchant, currency, a = found
    event, forget = w.event(currency), w.drop("disputes", found)
    if w.luck(0.5):
        return Step(
            rule="dispute_won",
            transfers=rules.dispute_won(event, case_id=case, merchant_id=merchant, amount_minor=a),
            changes=within(currency, (f"C:DISPUTE:{case}", -a), (f"C:MAVAIL:{merchant}", a)),
            then=forget,
        )
    to, gain = (f"C:CH:CUP.{DATES[0]}", -a) if w.luck(0.5) else (f"C:CUST:{w.user()}", a)
    return Step(
        rule="dispute_lost",
        transfers=rules.dispute_lost(
            event, case_id=case, amount_minor=a, to_account=f"{to}:{currency}"
        ),
        changes=within(currency, (f"C:DISPUTE:{case}", -a), (to, gain)),
        then=forget,
    )


def cover(w: World) -> Step:
    currency, merchant, a = w.currency(), w.merchant(), w.amount(500)
    return Step(
        rule="merchant_covered",
        transfers=rules.merchant_covered(w.event(currency), merchant_id=merchant, amount_minor=a),
        changes=within(
            currency, (f"C:MAVAIL:{merchant}", a), *promised(a, f"O:MERCH_RECV:{merchant}")
        ),
    )


def repay_cover(w: World) -> Step | None:
    """The merchant repays; a fen more than it owes is refused."""
    currency, merchant = w.currency(), w.merchant()
    a = w.amount(w.tally[f"O:MERCH_RECV:{merchant}:{currency}"] + 1)
    return Step(
        rule="merchant_cover_repaid",
        transfers=rules.merchant_cover_repaid(
            w.event(currency), merchant_id=merchant, amount_minor=a
        ),
        changes=within(
            currency, (f"C:MAVAIL:{merchant}", -a), *promised(-a, f"O:MERCH_RECV:{merchant}")
        ),
    )


KINDS = (
    (refund, 7), (end_refund, 3), (reverse, 2), (gather, 2), (dispute, 2), (decide_dispute, 3),
    (cover, 1), (repay_cover, 2),
)  # fmt: skip
