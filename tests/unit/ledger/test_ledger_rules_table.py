"""Each posting rule against the table of rules, written out again here as debit, credit, amount."""

import re
from pathlib import Path
from typing import Any

import pytest

from backend.ledger import rules
from backend.ledger.chart import HEADINGS, Heading, account
from backend.ledger.model import Transfer
from backend.ledger.rules import Event
from protocol.errors import CallerError
from protocol.money import Money

EVENT = Event("evt_1", "CNY", "2026-09-30")
PAYMENT = rules.balance_paid(EVENT, user_id="u", merchant_id="m", amount_minor=100, fee_minor=1)
CUST, MPEND, MAVAIL = "C:CUST:u:CNY", "C:MPEND:m:CNY", "C:MAVAIL:m:CNY"
SHARD = "C:MPEND:m#3:CNY"
RESERVE, PAYOUT, UNSWEPT, REFUND = "C:RESERVE:CNY", "C:PAYOUT:CNY", "C:UNSWEPT:CNY", "C:REFUND:CNY"
INTEREST = "O:INTEREST:CNY"
CH, DUE, MDR, OWN = "C:CH:NUCC.2026-10-01:CNY", "O:DUE_CLIENT:CNY", "O:MDR:CNY", "O:OWN:CNY"
OWN_DUE, PAYABLE, PROMO = "C:OWN_DUE:CNY", "O:OWN_PAYABLE:CNY", "O:PROMO:CNY"
ROUNDING = "O:ROUNDING:CNY"
COST, COST_PAYABLE = "O:CHANNEL_COST:CNY", "O:COST_PAYABLE:CNY"
RECEIVABLE, ADVANCE, LOSS = "O:MERCH_RECV:m:CNY", "O:ADVANCE:CNY", "O:LOSS:CNY"
WITHDRAWAL_FEE, SPREAD = "O:WITHDRAWAL_FEE:CNY", "O:FX_SPREAD:CNY"
DISPUTE, ESCROW, REDPKT = "C:DISPUTE:case:CNY", "C:ESCROW:deal:CNY", "C:REDPKT:CNY"
LONG, SHORT, ECNY = "C:LONG:CNY", "C:SHORT:CNY", "C:ECNY:CNY"
NOSTRO, FXPOS, FXPOS_USD, NOSTRO_USD = (
    "C:NOSTRO:CNY", "C:FXPOS:CNY", "C:FXPOS:USD", "C:NOSTRO:USD"
)  # fmt: skip
ADVANCED, OWED = "M:FUND_ADVANCED:NUCC.2026-10-01:CNY", "M:FUND_OWED:NUCC.2026-10-01:CNY"
TO_CHANNEL: Any = {"channel_id": "NUCC", "settlement_date": "2026-10-01"}
OTHER_DATE: Any = {"channel_id": "NUCC", "settlement_date": "2026-10-02"}
CH_LATER = "C:CH:NUCC.2026-10-02:CNY"
[HOLD] = rules.channel_held(
    Event("hold_1", "CNY", "2026-09-30"), merchant_id="m", amount_minor=100, **TO_CHANNEL
)
PRICE: Any = {"merchant_id": "m", "amount_minor": 100, "fee_minor": 1}
TO_WALLET: Any = {"channel_id": "ECNY", "settlement_date": "2026-10-01"}
[WALLET_HOLD] = rules.channel_held(
    Event("hold_2", "CNY", "2026-09-30"), merchant_id="m", amount_minor=100, **TO_WALLET
)
FEE = [(MPEND, UNSWEPT, 1), (DUE, MDR, 1)]
CARD = rules.card_paid(EVENT, HOLD, cost_minor=2, **PRICE, **TO_CHANNEL)
SHARE, STOCK = "C:SHARE:p:CNY", "C:STOCK:s:CNY"
SHARE_HELD = rules.share_held(EVENT, payment_id="p", to_account=MPEND, amount_minor=8)

TABLE: list[tuple[list[Transfer], list[tuple[str, str, int]]]] = [
    (rules.top_up(EVENT, user_id="u", amount_minor=5, **TO_CHANNEL), [(CH, CUST, 5)]),
    (rules.channel_settled(EVENT, amount_minor=5, **TO_CHANNEL), [(RESERVE, CH, 5)]),
    (rules.channel_settled(EVENT, amount_minor=-5, **TO_CHANNEL), [(CH, RESERVE, 5)]),
    (PAYMENT, [(CUST, MPEND, 100), (MPEND, UNSWEPT, 1), (DUE, MDR, 1)]),
    (
        rules.balance_paid(EVENT, user_id="u", coupon_minor=30, **PRICE),
        [(CUST, MPEND, 70), (OWN_DUE, MPEND, 30), (PROMO, PAYABLE, 30), (MPEND, UNSWEPT, 1),
         (DUE, MDR, 1)],
    ),
    (
        rules.balance_paid(EVENT, user_id="u", coupon_minor=100, **PRICE),
        [(OWN_DUE, MPEND, 100), (PROMO, PAYABLE, 100), (MPEND, UNSWEPT, 1), (DUE, MDR, 1)],
    ),
    (
        rules.balance_held(EVENT, user_id="u", merchant_id="m", amount_minor=9, expires_at_ms=1),
        [(CUST, MPEND, 9)],
    ),
    (rules.fee_charged(EVENT, merchant_id="m", fee_minor=2), [(MPEND, UNSWEPT, 2), (DUE, MDR, 2)]),
    ([HOLD._replace(id="evt_1:1")], [(CH, MPEND, 100)]),
    (CARD, [(CH, MPEND, 100), (MPEND, UNSWEPT, 1), (DUE, MDR, 1), (COST, COST_PAYABLE, 2)]),
    (
        rules.card_paid(EVENT, HOLD, **PRICE, **OTHER_DATE),
        [(CH_LATER, MPEND, 100), (MPEND, UNSWEPT, 1), (DUE, MDR, 1), (CH, MPEND, 100)],
    ),
    (
        rules.card_paid(EVENT, HOLD, coupon_minor=30, **PRICE, **TO_CHANNEL),
        [(CH, MPEND, 70), (OWN_DUE, MPEND, 30), (PROMO, PAYABLE, 30), (MPEND, UNSWEPT, 1),
         (DUE, MDR, 1), (CH, MPEND, 100)],
    ),
    (
        rules.card_paid(
            EVENT, HOLD, merchant_id="m#3", amount_minor=100, fee_minor=1, is_real_time=True,
            **TO_CHANNEL,
        ),
        [(CH, SHARD, 100), (SHARD, UNSWEPT, 1), (DUE, MDR, 1), (SHARD, MAVAIL, 99),
         (CH, MPEND, 100)],
    ),
    (
        rules.fund_paid(EVENT, HOLD, cost_minor=2, **PRICE, **TO_CHANNEL),
        [(CH, MPEND, 100), (MPEND, UNSWEPT, 1), (DUE, MDR, 1), (COST, COST_PAYABLE, 2),
         (ADVANCED, OWED, 100)],
    ),
    (rules.fund_repaid_bank(EVENT, amount_minor=5, **TO_CHANNEL), [(OWED, ADVANCED, 5)]),
    (
        rules.fund_paid_by_own_advance(EVENT, HOLD, coupon_minor=30, **PRICE),
        [(OWN_DUE, MPEND, 70), (ADVANCE, PAYABLE, 70), (OWN_DUE, MPEND, 30), (PROMO, PAYABLE, 30),
         (MPEND, UNSWEPT, 1), (DUE, MDR, 1), (CH, MPEND, 100)],
    ),
    (rules.own_advance_repaid(EVENT, amount_minor=5), [(OWN, ADVANCE, 5)]),
    (rules.own_advance_repaid(EVENT, amount_minor=-5), [(ADVANCE, OWN, 5)]),
    (
        rules.own_advance_long_found(EVENT, amount_minor=5),
        [(OWN_DUE, LONG, 5), (ADVANCE, PAYABLE, 5)],
    ),
    (
        rules.own_advance_returned(EVENT, from_account=REFUND, amount_minor=5),
        [(REFUND, OWN_DUE, 5), (PAYABLE, ADVANCE, 5)],
    ),
    (
        rules.own_advance_returned(EVENT, from_account="C:DISPUTE:case:CNY", amount_minor=5),
        [("C:DISPUTE:case:CNY", OWN_DUE, 5), (PAYABLE, ADVANCE, 5)],
    ),
    (rules.channel_cost_accrued(EVENT, cost_minor=5), [(COST, COST_PAYABLE, 5)]),
    (rules.merchant_settled(EVENT, merchant_id="m", amount_minor=7), [(MPEND, MAVAIL, 7)]),
    (
        rules.merchant_settled(
            EVENT, merchant_id="m", amount_minor=7, shards_minor=(("m#0", 3), ("m#1", 4))
        ),
        [("C:MPEND:m#0:CNY", MAVAIL, 3), ("C:MPEND:m#1:CNY", MAVAIL, 4)],
    ),
    (rules.payout_instructed(EVENT, merchant_id="m", amount_minor=7), [(MAVAIL, PAYOUT, 7)]),
    (rules.payout_confirmed(EVENT, amount_minor=7), [(PAYOUT, RESERVE, 7)]),
    (rules.payout_confirmed(EVENT, amount_minor=7, bank="NOSTRO"), [(PAYOUT, NOSTRO, 7)]),
    (rules.payout_rejected(EVENT, merchant_id="m", amount_minor=7), [(PAYOUT, MAVAIL, 7)]),
    (rules.payout_returned(EVENT, merchant_id="m", amount_minor=7), [(RESERVE, MAVAIL, 7)]),
    (
        rules.payout_returned(EVENT, merchant_id="m", amount_minor=7, bank="NOSTRO"),
        [(NOSTRO, MAVAIL, 7)],
    ),
    (
        rules.customer_withdrawn(EVENT, user_id="u", amount_minor=7, fee_minor=1),
        [(CUST, PAYOUT, 7), (CUST, UNSWEPT, 1), (DUE, WITHDRAWAL_FEE, 1)],
    ),
    (rules.customer_withdrawal_confirmed(EVENT, amount_minor=7), [(PAYOUT, RESERVE, 7)]),
    (
        rules.customer_withdrawal_through_channel(EVENT, amount_minor=7, **TO_CHANNEL),
        [(PAYOUT, CH, 7)],
    ),
    (
        rules.customer_withdrawal_rejected(EVENT, user_id="u", amount_minor=7, fee_minor=1),
        [(PAYOUT, CUST, 7), (UNSWEPT, CUST, 1), (WITHDRAWAL_FEE, DUE, 1)],
    ),
    (rules.fees_swept(EVENT, amount_minor=3), [(UNSWEPT, RESERVE, 3), (OWN, DUE, 3)]),
    (rules.fees_swept(EVENT, amount_minor=-3), [(RESERVE, UNSWEPT, 3), (DUE, OWN, 3)]),
    (
        rules.channel_settled_net(EVENT, amount_minor=9, cost_minor=2, **TO_CHANNEL),
        [(RESERVE, CH, 7), (UNSWEPT, CH, 2), (COST_PAYABLE, DUE, 2)],
    ),
    (
        rules.channel_settled_net(EVENT, amount_minor=-9, cost_minor=2, **TO_CHANNEL),
        [(CH, RESERVE, 11), (UNSWEPT, CH, 2), (COST_PAYABLE, DUE, 2)],
    ),
    (
        rules.balance_refunded(EVENT, user_id="u", sources=[(MPEND, 50)], fee_back_minor=1),
        [(MPEND, CUST, 50), (UNSWEPT, MPEND, 1), (MDR, DUE, 1)],
    ),
    (
        rules.balance_refunded(
            EVENT, user_id="u", sources=[(SHARD, 20), (MAVAIL, 30)], fee_back_minor=1,
            coupon_back_minor=35,
        ),
        [(SHARD, CUST, 15), (SHARD, OWN_DUE, 5), (MAVAIL, OWN_DUE, 30), (PAYABLE, PROMO, 35),
         (UNSWEPT, SHARD, 1), (MDR, DUE, 1)],
    ),
    (
        rules.channel_refund_started(
            EVENT, sources=[(MPEND, 20), (MAVAIL, 30)], fee_back_minor=1, coupon_back_minor=5
        ),
        [(MPEND, REFUND, 20), (MAVAIL, REFUND, 25), (MAVAIL, OWN_DUE, 5), (PAYABLE, PROMO, 5),
         (UNSWEPT, MPEND, 1), (MDR, DUE, 1)],
    ),
    (rules.channel_refund_accepted(EVENT, amount_minor=7, **TO_CHANNEL), [(REFUND, CH, 7)]),
    (
        rules.reversed_transfers(EVENT, PAYMENT),
        [(MDR, DUE, 1), (UNSWEPT, MPEND, 1), (MPEND, CUST, 100)],
    ),
    (
        rules.reversed_transfers(EVENT, rules.card_paid(EVENT, HOLD, **PRICE, **OTHER_DATE)),
        [(MDR, DUE, 1), (UNSWEPT, MPEND, 1), (MPEND, CH_LATER, 100)],
    ),
    (
        rules.reversed_transfers(EVENT, CARD),
        [(COST_PAYABLE, COST, 2), (MDR, DUE, 1), (UNSWEPT, MPEND, 1), (MPEND, CH, 100)],
    ),
    (
        rules.pending_gathered(
            EVENT, merchant_id="m#1", parts_minor=(("m#0", 3), ("m#2", 4), ("m", 0))
        ),
        [("C:MPEND:m#0:CNY", "C:MPEND:m#1:CNY", 3), ("C:MPEND:m#2:CNY", "C:MPEND:m#1:CNY", 4)],
    ),
    (
        rules.dispute_opened(
            EVENT, merchant_id="m", case_id="case", amount_minor=9, cover_minor=4
        ),
        [(OWN_DUE, MAVAIL, 4), (RECEIVABLE, PAYABLE, 4), (MAVAIL, DISPUTE, 9)],
    ),
    (
        rules.dispute_lost(EVENT, case_id="case", amount_minor=9, to_account=CH),
        [(DISPUTE, CH, 9)],
    ),
    (
        rules.dispute_won(EVENT, case_id="case", merchant_id="m", amount_minor=9),
        [(DISPUTE, MAVAIL, 9)],
    ),
    (
        rules.merchant_covered(EVENT, merchant_id="m", amount_minor=4),
        [(OWN_DUE, MAVAIL, 4), (RECEIVABLE, PAYABLE, 4)],
    ),
    (
        rules.merchant_cover_repaid(EVENT, merchant_id="m", amount_minor=4),
        [(MAVAIL, OWN_DUE, 4), (PAYABLE, RECEIVABLE, 4)],
    ),
    (
        rules.coupon_paid(EVENT, merchant_id="m", amount_minor=8),
        [(OWN_DUE, MPEND, 8), (PROMO, PAYABLE, 8)],
    ),
    (
        rules.stock_set_aside(EVENT, stock_id="s", merchant_id="m", amount_minor=8),
        [(MAVAIL, STOCK, 8)],
    ),
    (
        rules.stock_paid(EVENT, stock_id="s", amount_minor=8),
        [(STOCK, OWN_DUE, 8), (PAYABLE, PROMO, 8)],
    ),
    (
        rules.stock_refunded(EVENT, to_accounts=[(MPEND, 5), (MAVAIL, 3)]),
        [(OWN_DUE, MPEND, 5), (OWN_DUE, MAVAIL, 3), (PROMO, PAYABLE, 8)],
    ),
    (
        rules.stock_released(EVENT, stock_id="s", merchant_id="m", amount_minor=8),
        [(STOCK, MAVAIL, 8)],
    ),
    (
        rules.reserve_interest_paid(EVENT, amount_minor=8),
        [(RESERVE, UNSWEPT, 8), (DUE, INTEREST, 8)],
    ),
    (
        rules.reserve_interest_paid(EVENT, amount_minor=-8),
        [(UNSWEPT, RESERVE, 8), (INTEREST, DUE, 8)],
    ),
    (rules.own_funds_injected(EVENT, amount_minor=8), [(RESERVE, OWN_DUE, 8), (PAYABLE, OWN, 8)]),
    (rules.own_funds_injected(EVENT, amount_minor=-8), [(OWN_DUE, RESERVE, 8), (OWN, PAYABLE, 8)]),
    (rules.red_packet_sent(EVENT, user_id="u", amount_minor=8), [(CUST, REDPKT, 8)]),
    (rules.merchant_packet_sent(EVENT, merchant_id="m", amount_minor=8), [(MAVAIL, REDPKT, 8)]),
    (rules.merchant_packet_expired(EVENT, merchant_id="m", amount_minor=8), [(REDPKT, MAVAIL, 8)]),
    (
        rules.share_frozen(EVENT, merchant_id="m#3", payment_id="p", amount_minor=8),
        [(SHARD, SHARE, 8)],
    ),
    (
        rules.share_paid(EVENT, payment_id="p", to_account=CUST, amount_minor=8),
        [(SHARE, CUST, 8)],
    ),
    (SHARE_HELD, [(SHARE, MPEND, 8)]),
    (rules.share_posted(EVENT, SHARE_HELD[0]), [(SHARE, MPEND, 8)]),
    (
        rules.share_released(EVENT, merchant_id="m", payment_id="p", amount_minor=8),
        [(SHARE, MPEND, 8)],
    ),
    (
        rules.share_returned(
            EVENT, sources=[(SHARD, 5), (MAVAIL, 3)], payment_id="p", merchant_id="m"
        ),
        [(SHARD, SHARE, 5), (MAVAIL, SHARE, 3), (SHARE, MPEND, 8)],
    ),
    (rules.red_packet_claimed(EVENT, user_id="u", amount_minor=8), [(REDPKT, CUST, 8)]),
    (rules.red_packet_expired(EVENT, user_id="u", amount_minor=8), [(REDPKT, CUST, 8)]),
    (rules.ecny_paid(EVENT, WALLET_HOLD, **PRICE), [(ECNY, MPEND, 100), *FEE]),
    (
        rules.ecny_paid(EVENT, WALLET_HOLD, coupon_minor=30, **PRICE),
        [(ECNY, MPEND, 70), (OWN_DUE, MPEND, 30), (PROMO, PAYABLE, 30), *FEE, (ECNY, MPEND, 100)],
    ),
    (rules.channel_refund_accepted(EVENT, amount_minor=7, **TO_WALLET), [(REFUND, ECNY, 7)]),
    (rules.channel_settled(EVENT, amount_minor=7, **TO_WALLET), [(RESERVE, ECNY, 7)]),
    (rules.channel_settled(EVENT, amount_minor=-7, **TO_WALLET), [(ECNY, RESERVE, 7)]),
    (
        rules.escrow_funded(EVENT, user_id="u", contract_id="deal", amount_minor=8),
        [(CUST, ESCROW, 8)],
    ),
    (
        rules.escrow_released(EVENT, contract_id="deal", merchant_id="m", amount_minor=8),
        [(ESCROW, MPEND, 8)],
    ),
    (
        rules.escrow_returned(EVENT, contract_id="deal", user_id="u", amount_minor=8),
        [(ESCROW, CUST, 8)],
    ),
    (rules.long_found(EVENT, amount_minor=8, **TO_CHANNEL), [(CH, LONG, 8)]),
    (rules.long_assigned(EVENT, to_account=MPEND, amount_minor=8), [(LONG, MPEND, 8)]),
    (rules.long_given_back(EVENT, amount_minor=8, **TO_CHANNEL), [(LONG, CH, 8)]),
    (rules.short_found(EVENT, amount_minor=8, **TO_CHANNEL), [(SHORT, CH, 8)]),
    (rules.short_recovered(EVENT, amount_minor=8, **TO_CHANNEL), [(CH, SHORT, 8)]),
    (rules.fee_rounded(EVENT, amount_minor=1), [(COST_PAYABLE, ROUNDING, 1)]),
    (rules.fee_rounded(EVENT, amount_minor=-1), [(ROUNDING, COST_PAYABLE, 1)]),
    (rules.short_written_off(EVENT, amount_minor=8), [(OWN_DUE, SHORT, 8), (LOSS, PAYABLE, 8)]),
    (
        rules.exchange_paid(
            EVENT, user_id="u", merchant_id="m", amount_minor=720, spread_minor=7,
            bought=Money(100, "USD"),
        ),
        [(CUST, FXPOS, 720), (FXPOS, UNSWEPT, 7), (DUE, SPREAD, 7),
         (FXPOS_USD, "C:MPEND:m:USD", 100)],
    ),
    (
        rules.exchange_bought(EVENT, amount_minor=713, bought=Money(100, "USD")),
        [(FXPOS, RESERVE, 713), (NOSTRO_USD, FXPOS_USD, 100)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("transfers", "legs"), TABLE)
def test_the_rule_posts_what_the_table_says(
    transfers: list[Transfer], legs: list[tuple[str, str, int]]
) -> None:
    assert [(one.debit, one.credit, one.amount_minor) for one in transfers] == legs
    assert [one.id for one in transfers] == [f"evt_1:{leg + 1}" for leg in range(len(legs))]
    for one in transfers:
        debit, credit = account(one.debit), account(one.credit)
        assert (debit.book, debit.currency) == (credit.book, one.currency)
        assert (credit.currency, one.link) == (one.currency, 1)
        assert one.business_date == EVENT.business_date


def test_a_fee_that_rounds_to_nothing_leaves_no_legs() -> None:
    free = rules.balance_paid(EVENT, user_id="u", merchant_id="m", amount_minor=1, fee_minor=0)
    assert [one.leg for one in free] == [1]


def test_only_what_was_posted_can_be_reversed() -> None:
    held = rules.balance_held(EVENT, user_id="u", merchant_id="m", amount_minor=9, expires_at_ms=1)
    for never in (held, rules.hold_voided(EVENT, held[0]), rules.hold_expired(EVENT, held[0])):
        with pytest.raises(CallerError, match="transfer_state"):
            rules.reversed_transfers(EVENT, never)


def test_a_hold_that_says_what_was_paid_is_taken_and_another_is_released_beside() -> None:
    later = rules.card_paid(EVENT, HOLD, **PRICE, **OTHER_DATE)
    assert [(CARD[0].kind, CARD[0].refers_to), {one.kind for one in CARD[1:]}] == [
        ("post", "hold_1:1"), {"posted"}
    ]  # fmt: skip
    assert [(later[-1].kind, later[-1].refers_to), {one.kind for one in later[:-1]}] == [
        ("void", "hold_1:1"), {"posted"}
    ]  # fmt: skip
    assert (HOLD.kind, HOLD.expires_at_ms) == ("pending", None)


def test_an_exchange_into_the_same_currency_is_refused() -> None:
    with pytest.raises(CallerError, match="currency_mismatch"):
        rules.exchange_bought(EVENT, amount_minor=713, bought=Money(100, "CNY"))


def test_the_document_lists_every_rule_and_every_account() -> None:
    page = (Path(__file__).parents[3] / "docs" / "ledger.md").read_text()
    named = set(re.findall(r"`([a-z_]+)`", page))
    assert {name for name in rules.__all__ if name.islower()} <= named
    rows = {tuple(cell.strip() for cell in line.split("|")[1:4]) for line in page.splitlines()}
    assert {(one.number, one.book, f"`{one.code}`") for one in HEADINGS.values()} <= rows


@pytest.mark.parametrize("heading", HEADINGS.values(), ids=lambda heading: heading.code)
def test_every_line_of_the_chart_gives_accounts(heading: Heading) -> None:
    owner = "who:" if heading.is_owned else ""
    found = account(f"{heading.book}:{heading.code}:{owner}JPY")
    assert (found.side, found.floor_minor, found.currency) == (
        heading.side, heading.floor_minor, "JPY",
    )  # fmt: skip


@pytest.mark.parametrize(
    "bad", ["", "C", "C:CUST:u:XXX", "C:CUST:CNY", "C:RESERVE:u:CNY", "O:CUST:u:CNY",
            "C:CUST:a b:CNY", "C:CUST::CNY", "C:CUST:u\n:CNY", "C:CUST:u:v:CNY"],
)  # fmt: skip
def test_an_account_outside_the_chart_is_refused(bad: str) -> None:
    with pytest.raises(CallerError, match="account_unknown"):
        account(bad)
