"""Each posting rule against the table of rules, written out again here as debit, credit, amount."""

import pytest

from backend.ledger import rules
from backend.ledger.chart import HEADINGS, Heading, account
from backend.ledger.model import Transfer
from backend.ledger.rules import Event
from protocol.errors import CallerError

EVENT = Event("evt_1", "CNY", "2026-09-30")
PAYMENT = rules.balance_paid(EVENT, user_id="u", merchant_id="m", amount_minor=100, fee_minor=1)
CUST, MPEND, MAVAIL = "C:CUST:u:CNY", "C:MPEND:m:CNY", "C:MAVAIL:m:CNY"
RESERVE, PAYOUT, UNSWEPT = "C:RESERVE:CNY", "C:PAYOUT:CNY", "C:UNSWEPT:CNY"
CH, DUE, MDR, OWN = "C:CH:NUCC.2026-10-01:CNY", "O:DUE_CLIENT:CNY", "O:MDR:CNY", "O:OWN:CNY"
TO_CHANNEL = {"channel_id": "NUCC", "settlement_date": "2026-10-01"}

TABLE = [
    (rules.top_up(EVENT, user_id="u", amount_minor=5, **TO_CHANNEL), [(CH, CUST, 5)]),
    (rules.channel_settled(EVENT, amount_minor=5, **TO_CHANNEL), [(RESERVE, CH, 5)]),
    (rules.channel_settled(EVENT, amount_minor=-5, **TO_CHANNEL), [(CH, RESERVE, 5)]),
    (PAYMENT, [(CUST, MPEND, 100), (MPEND, UNSWEPT, 1), (DUE, MDR, 1)]),
    (
        rules.balance_held(EVENT, user_id="u", merchant_id="m", amount_minor=9, expires_at_ms=1),
        [(CUST, MPEND, 9)],
    ),
    (
        rules.fee_charged(EVENT, merchant_id="m", fee_minor=2),
        [(MPEND, UNSWEPT, 2), (DUE, MDR, 2)],
    ),
    (rules.merchant_settled(EVENT, merchant_id="m", amount_minor=7), [(MPEND, MAVAIL, 7)]),
    (
        rules.merchant_settled(
            EVENT, merchant_id="m", amount_minor=7, shards_minor=(("m#0", 3), ("m#1", 4))
        ),
        [("C:MPEND:m#0:CNY", MAVAIL, 3), ("C:MPEND:m#1:CNY", MAVAIL, 4)],
    ),
    (rules.payout_instructed(EVENT, merchant_id="m", amount_minor=7), [(MAVAIL, PAYOUT, 7)]),
    (rules.payout_confirmed(EVENT, amount_minor=7), [(PAYOUT, RESERVE, 7)]),
    (rules.payout_rejected(EVENT, merchant_id="m", amount_minor=7), [(PAYOUT, MAVAIL, 7)]),
    (rules.payout_returned(EVENT, merchant_id="m", amount_minor=7), [(RESERVE, MAVAIL, 7)]),
    (rules.fees_swept(EVENT, amount_minor=3), [(UNSWEPT, RESERVE, 3), (OWN, DUE, 3)]),
    (rules.fees_swept(EVENT, amount_minor=-3), [(RESERVE, UNSWEPT, 3), (DUE, OWN, 3)]),
    (
        rules.balance_refunded(
            EVENT, user_id="u", merchant_id="m", amount_minor=50, fee_back_minor=1
        ),
        [(MPEND, CUST, 50), (UNSWEPT, MPEND, 1), (MDR, DUE, 1)],
    ),
    (
        rules.balance_refunded(
            EVENT, user_id="u", merchant_id="m", amount_minor=50, fee_back_minor=0,
            from_available=True,
        ),
        [(MAVAIL, CUST, 50)],
    ),
    (
        rules.reversed_transfers(EVENT, PAYMENT),
        [(MDR, DUE, 1), (UNSWEPT, MPEND, 1), (MPEND, CUST, 100)],
    ),
    (
        rules.coupon_paid(EVENT, merchant_id="m", amount_minor=8),
        [(RESERVE, MPEND, 8), ("O:PROMO:CNY", OWN, 8)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("transfers", "legs"), TABLE)
def test_the_rule_posts_what_the_table_says(
    transfers: list[Transfer], legs: list[tuple[str, str, int]]
) -> None:
    assert [(one.debit, one.credit, one.amount_minor) for one in transfers] == legs
    assert len({one.id for one in transfers}) == len(transfers)
    for one in transfers:
        assert account(one.debit).book == account(one.credit).book
        assert one.event_id == "evt_1"
        assert one.business_date == EVENT.business_date


def test_a_fee_that_rounds_to_nothing_leaves_no_legs() -> None:
    free = rules.balance_paid(EVENT, user_id="u", merchant_id="m", amount_minor=1, fee_minor=0)
    assert [one.leg for one in free] == [1]


def test_only_what_was_posted_can_be_reversed() -> None:
    held = rules.balance_held(EVENT, user_id="u", merchant_id="m", amount_minor=9, expires_at_ms=1)
    with pytest.raises(CallerError, match="transfer_state"):
        rules.reversed_transfers(EVENT, held)


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
