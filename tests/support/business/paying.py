"""Rules 1, 3, 4, 9 and 17 to 20, as the business meets them: what payers do."""

from dataclasses import dataclass, field

from backend.ledger import rules
from backend.ledger.model import Transfer
from protocol.money import fee_half_up
from tests.support.business.world import (
    DATES,
    HOLD_MS,
    Changes,
    Step,
    World,
    fee,
    opposite,
    promised,
    within,
)

FEE_BPS = 60
PACKET_MS = 80


@dataclass(slots=True, eq=False)
class Paid:
    """A payment as a refund needs it."""

    user: str
    merchant: str
    owner: str
    currency: str
    amount: int
    coupon: int
    transfers: list[Transfer]
    changes: Changes
    channel: str = ""
    """Empty: it was paid from the balance."""
    refunded: int = 0
    parts: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Kept:
    """Money put aside for somebody: what is left of it."""

    name: str
    user: str
    currency: str
    left: int
    until_ms: int = 0

    def take(self, amount: int) -> None:
        self.left -= amount


def fill(w: World) -> Step:
    currency, user, date, a = w.currency(), w.user(), w.dice.choice(DATES), w.amount(80_000)
    return Step(
        rule="top_up",
        transfers=rules.top_up(
            w.event(currency), user_id=user, channel_id="NUCC", settlement_date=date, amount_minor=a
        ),
        changes=within(currency, (f"C:CH:NUCC.{date}", a), (f"C:CUST:{user}", a)),
    )


def pay(w: World) -> Step:
    currency, user, merchant, a = w.currency(), w.user(), w.merchant(), w.amount(20_000)
    owner, f = w.owner(merchant), fee_half_up(a, FEE_BPS)
    c = w.amount(a) if w.luck(0.3) else 0
    transfers = rules.balance_paid(
        w.event(currency), user_id=user, merchant_id=owner, amount_minor=a, fee_minor=f,
        coupon_minor=c,
    )  # fmt: skip
    changes = within(
        currency, (f"C:CUST:{user}", c - a), (f"C:MPEND:{owner}", a - f), *fee(f), *promised(c)
    )
    paid = Paid(user, merchant, owner, currency, a, c, transfers, changes)
    return Step(
        rule="balance_paid", transfers=transfers, changes=changes, then=w.keep("payments", paid)
    )


def hold(w: World) -> Step:
    currency, user, owner, a = w.currency(), w.user(), w.owner(w.merchant()), w.amount(20_000)
    transfers = rules.balance_held(
        w.event(currency), user_id=user, merchant_id=owner, amount_minor=a,
        expires_at_ms=w.now_ms + HOLD_MS,
    )  # fmt: skip
    assert transfers, "balance_held: no transfer"
    held = Kept(f"{user} {owner}", user, currency, a, w.now_ms + HOLD_MS)
    return Step(
        rule="balance_held",
        transfers=transfers,
        changes=[],
        held=[(f"C:CUST:{user}:{currency}", "Dr", a), (f"C:MPEND:{owner}:{currency}", "Cr", a)],
        then=w.keep("holds", (held, transfers[0])),
    )


def end_hold(w: World) -> Step | None:
    """Post a part, void or expire; also one that has ended or expired, which is refused."""
    found = w.pick("holds")
    if found is None:
        return None
    held, transfer = found
    owner, currency = held.name.split()[1], held.currency
    payer, pending = f"C:CUST:{held.user}", f"C:MPEND:{owner}"
    is_open, is_over = held.left > 0, w.now_ms >= held.until_ms
    if not is_open and w.luck(0.8):
        return None
    how = w.dice.choice(("hold_posted", "hold_posted", "hold_voided", "hold_expired"))
    if is_over and w.luck(0.5):
        how = "hold_expired"
    event, part = w.event(currency), 0
    if how == "hold_posted":
        part = w.amount(transfer.amount_minor + 5)
        transfers = rules.hold_posted(event, transfer, amount_minor=part)
        fits = not is_over and part <= transfer.amount_minor
    elif how == "hold_voided":
        transfers, fits = rules.hold_voided(event, transfer), True
    else:
        transfers, fits = rules.hold_expired(event, transfer), is_over
    all_of_it = -transfer.amount_minor
    return Step(
        rule=how,
        transfers=transfers,
        changes=within(currency, (payer, -part), (pending, part)),
        held=[(f"{payer}:{currency}", "Dr", all_of_it), (f"{pending}:{currency}", "Cr", all_of_it)],
        refused="" if is_open and fits else "transfer_state",
        then=lambda: held.take(held.left),
    )


def charge_fee(w: World) -> Step:
    currency, owner, f = w.currency(), w.owner(w.merchant()), w.amount(50)
    return Step(
        rule="fee_charged",
        transfers=rules.fee_charged(w.event(currency), merchant_id=owner, fee_minor=f),
        changes=within(currency, (f"C:MPEND:{owner}", -f), *fee(f)),
    )


def give_coupon(w: World) -> Step:
    currency, owner, a = w.currency(), w.owner(w.merchant()), w.amount(500)
    return Step(
        rule="coupon_paid",
        transfers=rules.coupon_paid(w.event(currency), merchant_id=owner, amount_minor=a),
        changes=within(currency, (f"C:MPEND:{owner}", a), *promised(a)),
    )


def withdraw(w: World) -> Step:
    currency, user, a, f = w.currency(), w.user(), w.amount(20_000), w.dice.randint(0, 30)
    changes = within(
        currency, (f"C:CUST:{user}", -a - f), ("C:PAYOUT", a), *fee(f, "O:WITHDRAWAL_FEE")
    )
    return Step(
        rule="customer_withdrawn",
        transfers=rules.customer_withdrawn(
            w.event(currency), user_id=user, amount_minor=a, fee_minor=f
        ),
        changes=changes,
        then=w.keep("withdrawals", (user, currency, a, f, changes)),
    )


def end_withdrawal(w: World) -> Step | None:
    found = w.pick("withdrawals")
    if found is None:
        return None
    user, currency, a, f, changes = found
    if w.luck(0.4):
        return Step(
            rule="customer_withdrawal_rejected",
            transfers=rules.customer_withdrawal_rejected(
                w.event(currency), user_id=user, amount_minor=a, fee_minor=f
            ),
            changes=opposite(changes),
            then=w.drop("withdrawals", found),
        )
    if w.luck(0.5):
        date = w.dice.choice(DATES)
        return Step(
            rule="customer_withdrawal_through_channel",
            transfers=rules.customer_withdrawal_through_channel(
                w.event(currency), channel_id="NUCC", settlement_date=date, amount_minor=a
            ),
            changes=within(currency, ("C:PAYOUT", -a), (f"C:CH:NUCC.{date}", -a)),
            then=w.drop("withdrawals", found),
        )
    return Step(
        rule="customer_withdrawal_confirmed",
        transfers=rules.customer_withdrawal_confirmed(w.event(currency), amount_minor=a),
        changes=within(currency, ("C:PAYOUT", -a), ("C:RESERVE", -a)),
        then=w.drop("withdrawals", found),
    )


def send_packet(w: World) -> Step:
    currency, user, a = w.currency(), w.user(), w.amount(5_000)
    packet = Kept("packet", user, currency, a, w.now_ms + PACKET_MS)
    return Step(
        rule="red_packet_sent",
        transfers=rules.red_packet_sent(w.event(currency), user_id=user, amount_minor=a),
        changes=within(currency, (f"C:CUST:{user}", -a), ("C:REDPKT", a)),
        then=w.keep("packets", packet),
    )


def send_from_merchant(w: World) -> Step | None:
    """A merchant gives a packet of its settled money; a fen too much is refused."""
    currency, merchant = w.currency(), w.merchant()
    most = w.available(f"C:MAVAIL:{merchant}:{currency}")
    if not most:
        return None
    a = most + 1 if w.luck(0.1) else w.amount(min(most, 5_000))
    packet = Kept("packet", merchant, currency, a, w.now_ms + PACKET_MS)
    return Step(
        rule="merchant_packet_sent",
        transfers=rules.merchant_packet_sent(
            w.event(currency), merchant_id=merchant, amount_minor=a
        ),
        changes=within(currency, (f"C:MAVAIL:{merchant}", -a), ("C:REDPKT", a)),
        then=w.keep("merchant packets", packet),
    )


def end_merchants_packet(w: World) -> Step | None:
    """Its payer takes it, or it goes back."""
    packet = w.pick("merchant packets")
    if packet is None:
        return None
    currency, a = packet.currency, packet.left
    if w.now_ms < packet.until_ms and w.luck(0.5):
        user = w.user()
        return Step(
            rule="red_packet_claimed",
            transfers=rules.red_packet_claimed(w.event(currency), user_id=user, amount_minor=a),
            changes=within(currency, ("C:REDPKT", -a), (f"C:CUST:{user}", a)),
            then=w.drop("merchant packets", packet),
        )
    return Step(
        rule="merchant_packet_expired",
        transfers=rules.merchant_packet_expired(
            w.event(currency), merchant_id=packet.user, amount_minor=a
        ),
        changes=within(currency, ("C:REDPKT", -a), (f"C:MAVAIL:{packet.user}", a)),
        then=w.drop("merchant packets", packet),
    )


def open_packet(w: World) -> Step | None:
    """Claim a share; once its time has passed, what is left goes back to the sender."""
    packet = w.pick("packets")
    if packet is None or not packet.left:
        return None
    currency, is_over = packet.currency, w.now_ms >= packet.until_ms
    user, a = (packet.user, packet.left) if is_over else (w.user(), w.amount(packet.left))
    rule = rules.red_packet_expired if is_over else rules.red_packet_claimed
    return Step(
        rule="red_packet_expired" if is_over else "red_packet_claimed",
        transfers=rule(w.event(currency), user_id=user, amount_minor=a),
        changes=within(currency, ("C:REDPKT", -a), (f"C:CUST:{user}", a)),
        then=lambda: packet.take(a),
    )


def prepay(w: World) -> Step:
    currency, user, a = w.currency(), w.user(), w.amount(5_000)
    deal = Kept(f"deal_{w.number}", user, currency, a)
    return Step(
        rule="escrow_funded",
        transfers=rules.escrow_funded(
            w.event(currency), user_id=user, contract_id=deal.name, amount_minor=a
        ),
        changes=within(currency, (f"C:CUST:{user}", -a), (f"C:ESCROW:{deal.name}", a)),
        then=w.keep("deals", deal),
    )


def fulfil(w: World) -> Step | None:
    """Release a part to a merchant, or give the rest back; a fen too much is refused."""
    deal = w.pick("deals")
    if deal is None or not deal.left:
        return None
    event, escrow = w.event(deal.currency), f"C:ESCROW:{deal.name}"
    if w.luck(0.6):
        owner, a = w.owner(w.merchant()), w.amount(deal.left + 1)
        return Step(
            rule="escrow_released",
            transfers=rules.escrow_released(
                event, contract_id=deal.name, merchant_id=owner, amount_minor=a
            ),
            changes=within(deal.currency, (escrow, -a), (f"C:MPEND:{owner}", a)),
            then=lambda: deal.take(a),
        )
    a = deal.left
    return Step(
        rule="escrow_returned",
        transfers=rules.escrow_returned(
            event, contract_id=deal.name, user_id=deal.user, amount_minor=a
        ),
        changes=within(deal.currency, (escrow, -a), (f"C:CUST:{deal.user}", a)),
        then=lambda: deal.take(a),
    )


KINDS = (
    (fill, 8), (pay, 8), (hold, 3), (end_hold, 6), (charge_fee, 1), (give_coupon, 1), (withdraw, 2),
    (end_withdrawal, 3), (send_packet, 2), (open_packet, 3), (prepay, 2), (fulfil, 3),
    (send_from_merchant, 2), (end_merchants_packet, 2),
)  # fmt: skip
