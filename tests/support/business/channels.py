"""Rules 2, 5, 6, 11, 19, 21 and 22: what channels do, and what reconciliation finds of them."""

from collections.abc import Callable
from dataclasses import dataclass

from backend.ledger import rules
from backend.ledger.model import Transfer
from protocol.money import fee_half_up
from tests.support.business.paying import FEE_BPS, Paid
from tests.support.business.world import DATES, Changes, Step, World, fee, promised, within

CHANNELS = ("CUP", "ADVBANK", "ECNY")


def account_of(channel: str, date: str) -> str:
    """Where a channel's money stands before the reserve has it, without the currency."""
    return "C:ECNY" if channel == "ECNY" else f"C:CH:{channel}.{date}"


@dataclass(slots=True, eq=False)
class Asked:
    """A channel that was asked to pay, and has not answered yet."""

    channel: str
    date: str
    user: str
    merchant: str
    owner: str
    currency: str
    price: int
    coupon: int
    held: int
    transfer: Transfer

    def released(self) -> list[tuple[str, str, int]]:
        """The hold's end."""
        source = f"{account_of(self.channel, self.date)}:{self.currency}"
        return [(source, "Dr", -self.held),
                (f"C:MPEND:{self.owner}:{self.currency}", "Cr", -self.held)]  # fmt: skip


def ask(w: World) -> Step:
    currency, merchant, price = w.currency(), w.merchant(), w.amount(20_000)
    channel, date, owner = w.dice.choice(CHANNELS), w.dice.choice(DATES), w.owner(merchant)
    coupon = w.amount(price) - 1 if w.luck(0.3) else 0
    transfers = rules.channel_held(
        w.event(currency), channel_id=channel, settlement_date=date, merchant_id=owner,
        amount_minor=price - coupon,
    )  # fmt: skip
    assert transfers, "channel_held: no transfer"
    asked = Asked(
        channel, date, w.user(), merchant, owner, currency, price, coupon, price - coupon,
        transfers[0],
    )  # fmt: skip
    source = f"{account_of(channel, date)}:{currency}"
    return Step(
        rule="channel_held",
        transfers=transfers,
        changes=[],
        held=[(source, "Dr", asked.held), (f"C:MPEND:{owner}:{currency}", "Cr", asked.held)],
        then=w.keep("asked", asked),
    )


def answer(w: World) -> Step | None:
    """The channel has paid (perhaps on another day), or has not, or we advance it ourselves."""
    asked = w.pick("asked")
    if asked is None:
        return None
    how = w.dice.random()
    if how < 0.15:
        return Step(
            rule="hold_voided",
            transfers=rules.hold_voided(w.event(asked.currency), asked.transfer),
            changes=[],
            held=asked.released(),
            then=w.drop("asked", asked),
        )
    if how < 0.4:
        return _advanced(w, asked)
    return _paid_in_ecny(w, asked) if asked.channel == "ECNY" else _paid(w, asked)


def _paid_in_ecny(w: World, asked: Asked) -> Step:
    """Final at once, in the wallet whatever the date; it costs nothing."""
    a, c, currency = asked.price, asked.coupon, asked.currency
    f = fee_half_up(a, FEE_BPS)
    transfers = rules.ecny_paid(
        w.event(currency), asked.transfer, merchant_id=asked.owner, amount_minor=a, fee_minor=f,
        coupon_minor=c,
    )  # fmt: skip
    changes = within(
        currency, ("C:ECNY", a - c), (f"C:MPEND:{asked.owner}", a - f), *fee(f), *promised(c)
    )
    return Step(
        rule="ecny_paid",
        transfers=transfers,
        changes=changes,
        held=asked.released(),
        then=_paid_now(w, asked, transfers, changes),
    )


def _paid(w: World, asked: Asked) -> Step:
    a, c, currency = asked.price, asked.coupon, asked.currency
    date = asked.date if w.luck(0.7) else w.dice.choice(DATES)
    f, cost, at_once = fee_half_up(a, FEE_BPS), w.dice.randint(0, 3), w.luck(0.3)
    is_fund = asked.channel == "ADVBANK"
    transfers = (rules.fund_paid if is_fund else rules.card_paid)(
        w.event(currency), asked.transfer, channel_id=asked.channel, settlement_date=date,
        merchant_id=asked.owner, amount_minor=a, fee_minor=f, cost_minor=cost, coupon_minor=c,
        is_real_time=at_once,
    )  # fmt: skip
    earned = f"C:MAVAIL:{asked.merchant}" if at_once else f"C:MPEND:{asked.owner}"
    changes: Changes = within(
        currency, (account_of(asked.channel, date), a - c), (earned, a - f), *fee(f), *promised(c),
        ("O:CHANNEL_COST", cost), ("O:COST_PAYABLE", cost),
    )  # fmt: skip
    if is_fund:
        owner = f"{asked.channel}.{date}"
        changes += within(
            currency, (f"M:FUND_ADVANCED:{owner}", a - c), (f"M:FUND_OWED:{owner}", a - c)
        )
    return Step(
        rule="fund_paid" if is_fund else "card_paid",
        transfers=transfers,
        changes=changes,
        held=asked.released(),
        then=_paid_now(w, asked, transfers, changes),
    )


def _paid_now(
    w: World, asked: Asked, transfers: list[Transfer], changes: Changes
) -> Callable[[], None]:
    paid = Paid(
        asked.user, asked.merchant, asked.owner, asked.currency, asked.price, asked.coupon,
        transfers, changes, asked.channel,
    )  # fmt: skip

    def then() -> None:
        w.drop("asked", asked)()
        w.keep("payments", paid)()

    return then


def _advanced(w: World, asked: Asked) -> Step:
    a, c, currency = asked.price, asked.coupon, asked.currency
    f = fee_half_up(a, FEE_BPS)
    return Step(
        rule="fund_paid_by_own_advance",
        transfers=rules.fund_paid_by_own_advance(
            w.event(currency), asked.transfer, merchant_id=asked.owner, amount_minor=a, fee_minor=f,
            coupon_minor=c,
        ),
        changes=within(
            currency, (f"C:MPEND:{asked.owner}", a - f), *fee(f), *promised(c),
            *promised(a - c, "O:ADVANCE"),
        ),
        held=asked.released(),
        then=w.drop("asked", asked),
    )  # fmt: skip


def find_advanced_long(w: World) -> Step:
    """The fund keeps a payment that was given up."""
    currency, a = w.currency(), w.amount(5_000)
    return Step(
        rule="own_advance_long_found",
        transfers=rules.own_advance_long_found(w.event(currency), amount_minor=a),
        changes=within(currency, *promised(a, "O:ADVANCE"), ("C:LONG", a)),
    )


def return_advance(w: World) -> Step:
    """The fund takes a refund, or what was nobody's; more than is on its way is refused."""
    currency, source = w.currency(), w.dice.choice(("C:REFUND", "C:LONG"))
    a = w.amount(max(w.tally[f"{source}:{currency}"], 1) + 1)
    return Step(
        rule="own_advance_returned",
        transfers=rules.own_advance_returned(
            w.event(currency), from_account=f"{source}:{currency}", amount_minor=a
        ),
        changes=within(currency, *promised(-a, "O:ADVANCE"), (source, -a)),
    )


def repay_advance(w: World) -> Step | None:
    """The fund repays our advance, or more, or takes back what it paid too much."""
    currency = w.currency()
    a = w.tally[f"O:ADVANCE:{currency}"] if w.luck(0.6) else w.amount(5_000)
    if not a:
        return None
    return Step(
        rule="own_advance_repaid",
        transfers=rules.own_advance_repaid(w.event(currency), amount_minor=a),
        changes=within(currency, ("O:OWN", a), ("O:ADVANCE", -a)),
    )


def repay_bank(w: World) -> Step:
    currency, date, a = w.currency(), w.dice.choice(DATES), w.amount(5_000)
    owner = f"ADVBANK.{date}"
    return Step(
        rule="fund_repaid_bank",
        transfers=rules.fund_repaid_bank(
            w.event(currency), channel_id="ADVBANK", settlement_date=date, amount_minor=a
        ),
        changes=within(currency, (f"M:FUND_ADVANCED:{owner}", -a), (f"M:FUND_OWED:{owner}", -a)),
    )


def settle_channel(w: World) -> Step | None:
    """A channel pays what it owes (or we pay it), or some other amount; card schemes keep their
    cost back."""
    channel, date, currency = w.dice.choice((*CHANNELS, "NUCC")), w.dice.choice(DATES), w.currency()
    source = account_of(channel, date)
    a = w.tally[f"{source}:{currency}"] if w.luck(0.8) else w.amount(20_000) - 10_000
    if not a:
        return None
    if channel == "CUP":
        c = w.amount(20)
        return Step(
            rule="channel_settled_net",
            transfers=rules.channel_settled_net(
                w.event(currency), channel_id=channel, settlement_date=date, amount_minor=a,
                cost_minor=c,
            ),
            changes=within(
                currency, ("C:RESERVE", a - c), (source, -a), ("C:UNSWEPT", -c),
                ("O:DUE_CLIENT", -c), ("O:COST_PAYABLE", -c),
            ),
        )  # fmt: skip
    return Step(
        rule="channel_settled",
        transfers=rules.channel_settled(
            w.event(currency), channel_id=channel, settlement_date=date, amount_minor=a
        ),
        changes=within(currency, ("C:RESERVE", a), (source, -a)),
    )


def count_cost(w: World) -> Step:
    currency, c = w.currency(), w.amount(9)
    return Step(
        rule="channel_cost_accrued",
        transfers=rules.channel_cost_accrued(w.event(currency), cost_minor=c),
        changes=within(currency, ("O:CHANNEL_COST", c), ("O:COST_PAYABLE", c)),
    )


def round_fee(w: World) -> Step:
    currency, a = w.currency(), w.amount(1)
    return Step(
        rule="fee_rounded",
        transfers=rules.fee_rounded(w.event(currency), amount_minor=-a),
        changes=within(currency, ("O:ROUNDING", a), ("O:COST_PAYABLE", a)),
    )


def find_long(w: World) -> Step:
    currency, channel, date, a = w.currency(), w.dice.choice(CHANNELS), DATES[0], w.amount(900)
    return Step(
        rule="long_found",
        transfers=rules.long_found(
            w.event(currency), channel_id=channel, settlement_date=date, amount_minor=a
        ),
        changes=within(currency, (account_of(channel, date), a), ("C:LONG", a)),
        then=w.keep("longs", (currency, channel, date, a)),
    )


def end_long(w: World) -> Step | None:
    found = w.pick("longs")
    if found is None:
        return None
    currency, channel, date, a = found
    if w.luck(0.5):
        to = f"C:MPEND:{w.owner(w.merchant())}" if w.luck(0.5) else f"C:CUST:{w.user()}"
        return Step(
            rule="long_assigned",
            transfers=rules.long_assigned(
                w.event(currency), to_account=f"{to}:{currency}", amount_minor=a
            ),
            changes=within(currency, ("C:LONG", -a), (to, a)),
            then=w.drop("longs", found),
        )
    return Step(
        rule="long_given_back",
        transfers=rules.long_given_back(
            w.event(currency), channel_id=channel, settlement_date=date, amount_minor=a
        ),
        changes=within(currency, ("C:LONG", -a), (account_of(channel, date), -a)),
        then=w.drop("longs", found),
    )


def find_short(w: World) -> Step:
    currency, channel, date, a = w.currency(), w.dice.choice(CHANNELS), DATES[0], w.amount(900)
    return Step(
        rule="short_found",
        transfers=rules.short_found(
            w.event(currency), channel_id=channel, settlement_date=date, amount_minor=a
        ),
        changes=within(currency, ("C:SHORT", a), (account_of(channel, date), -a)),
        then=w.keep("shorts", (currency, channel, date, a)),
    )


def end_short(w: World) -> Step | None:
    found = w.pick("shorts")
    if found is None:
        return None
    currency, channel, date, a = found
    if w.luck(0.5):
        return Step(
            rule="short_written_off",
            transfers=rules.short_written_off(w.event(currency), amount_minor=a),
            changes=within(currency, ("C:SHORT", -a), *promised(a, "O:LOSS")),
            then=w.drop("shorts", found),
        )
    return Step(
        rule="short_recovered",
        transfers=rules.short_recovered(
            w.event(currency), channel_id=channel, settlement_date=date, amount_minor=a
        ),
        changes=within(currency, (account_of(channel, date), a), ("C:SHORT", -a)),
        then=w.drop("shorts", found),
    )


KINDS = (
    (ask, 6), (answer, 7), (repay_advance, 2), (repay_bank, 1), (settle_channel, 8),
    (find_advanced_long, 1), (return_advance, 2), (count_cost, 1), (find_long, 2), (round_fee, 1),
    (end_long, 3), (find_short, 2), (end_short, 4),
)  # fmt: skip
