"""Payments whose money does not come from the payer's balance alone: a bank card over NetsUnion or
UnionPay, a money-market fund, an e-CNY wallet, a coupon of ours."""

import secrets
from dataclasses import dataclass

from protocol.clock import DAY_MS
from protocol.ids import COUPON, RANDOM_BYTES, mint
from tillway.demo.payers import new_phone
from tillway.demo.phone import Phone
from tillway.demo.sandbox import ECNY, FUND, NETSUNION, UNIONPAY
from tillway.demo.story import FINAL, Play, outcome

CARD_MINOR, FUND_MINOR, UNSURE_MINOR, REFUND_MINOR = 4_560, 3_210, 2_590, 1_560
FALLBACK_MINOR, ECNY_MINOR = 3_330, 2_880
OPENING_MINOR = 100_000
COUPON_MINOR, WITH_COUPON_MINOR = 300, 1_450


@dataclass(frozen=True, slots=True)
class Purse:
    """An account of a payer's at an institution, as its controls name it."""

    institution: str
    path: str


def by_channel(play: Play) -> None:
    """A card is debited by its bank over NetsUnion; the till waits for its word. One answer is lost
    after the bank committed: the backend asks, and charges once."""
    carl, at_bank, in_network = _card_holder(play, "孙八")
    sale = play.pay_by_code(play.pos1, carl, CARD_MINOR)
    play.note_sale("bank card", "paid", sale)
    play.note("bank card: debited by the bank", *_taken(play, at_bank, CARD_MINOR))
    play.pos1.dismiss()

    play.stack.sandbox.arm(NETSUNION, drop_answer_after_commit=1)
    unsure = play.pay_by_code(play.pos1, carl, UNSURE_MINOR)
    play.note("bank card, answer lost", "paid", outcome(unsure), minor=UNSURE_MINOR)
    both = CARD_MINOR + UNSURE_MINOR
    play.note("bank card, answer lost: debited once", *_taken(play, at_bank, both))
    play.pos1.dismiss()

    refund = play.pos1.refund(sale["payment_id"], REFUND_MINOR)
    play.note("bank card: refund of a part", "succeeded", refund["state"], minor=REFUND_MINOR)
    play.note("bank card: credited by the bank", *_taken(play, at_bank, both - REFUND_MINOR))
    play.pos1.dismiss()
    _fall_back(play, carl, at_bank, in_network)


def fund(play: Play) -> None:
    """A money-market fund is redeemed while the customer waits."""
    phone, account = new_phone(play.stack, "吴九", 0), f"FUND-{secrets.token_hex(5)}"
    token = _token(FUND)
    play.stack.sandbox.open_fund(account, phone.name, OPENING_MINOR, token=token)
    _register(play, phone, "fund", token)
    payment_id = play.pos2.sell(FUND_MINOR, "merchant_qr")
    play.pos2.wait_sale(payment_id, "showing_qr")
    phone.pay_merchant_code(play.pos2.qr_picture(), now_ms=play.stack.now_ms())
    sale = play.pos2.wait_sale(payment_id, *FINAL)
    play.note("money-market fund", "paid", outcome(sale), minor=FUND_MINOR)
    purse = Purse(FUND, f"investors/{account}")
    play.note("money-market fund: redeemed", *_taken(play, purse, FUND_MINOR))
    play.pos2.dismiss()


def ecny(play: Play) -> None:
    """An e-CNY wallet pays: its operator's word is final at once."""
    phone, number = new_phone(play.stack, "郑十", 0), f"ECNY-{secrets.token_hex(5)}"
    token = _token(ECNY)
    play.stack.sandbox.open_wallet(number, phone.name, OPENING_MINOR, token=token)
    _register(play, phone, "ecny", token)
    sale = play.pay_by_code(play.pos1, phone, ECNY_MINOR)
    play.note_sale("e-CNY", "paid", sale)
    purse = Purse(ECNY, f"wallets/{number}")
    play.note("e-CNY: taken from the wallet", *_taken(play, purse, ECNY_MINOR))
    play.pos1.dismiss()


def coupon(play: Play) -> None:
    """A coupon of ours pays a part; payer and coupon pay together or not at all."""
    now_ms, bob = play.stack.now_ms(), play.bob
    issued = {
        "coupon_id": mint(COUPON, time_ms=now_ms, random_bytes=secrets.token_bytes(RANDOM_BYTES)),
        "payer_id": bob.payer_id,
        "amount_minor": COUPON_MINOR,
        "currency": "CNY",
        "minimum_minor": 1_000,
        "valid_from_ms": now_ms,
        "valid_until_ms": now_ms + DAY_MS,
    }
    play.stack.operator.post("/operator/v1/coupons", issued)
    bob.choose_coupon(str(issued["coupon_id"]))
    before = bob.balance_minor()
    sale = play.pay_by_code(play.pos2, bob, WITH_COUPON_MINOR)
    play.coupons_minor += COUPON_MINOR
    play.note_sale("coupon and balance", "paid", sale)
    charged = before - bob.balance_minor()
    play.note("coupon and balance: the payer's part", "1150", str(charged), minor=charged)
    receipt = play.pos2.receipt_with("优惠 Coupon")
    words = [word for word in ("-3.00", "11.50") if word in receipt]
    play.note("coupon and balance: on the receipt", "-3.00 11.50", " ".join(words))
    play.pos2.dismiss()


def _fall_back(play: Play, carl: Phone, at_bank: Purse, in_network: Purse) -> None:
    """NetsUnion has no power: the same card pays over UnionPay. When it is back, on other ports and
    with its books, it has not debited the card."""
    before = play.stack.sandbox.left_minor(at_bank.institution, at_bank.path)
    play.stack.cut_power(NETSUNION)
    sale = play.pay_by_code(play.pos1, carl, FALLBACK_MINOR)
    play.stack.restart(NETSUNION)
    play.note_sale("NetsUnion down: card over UnionPay", "paid", sale)
    play.note("NetsUnion down: debited over UnionPay", *_taken(play, in_network, FALLBACK_MINOR))
    again = before - play.stack.sandbox.left_minor(at_bank.institution, at_bank.path)
    play.note("NetsUnion down: not debited there", "0", str(again))
    play.pos1.dismiss()


def _card_holder(play: Play, name: str) -> tuple[Phone, Purse, Purse]:
    """A payer with an empty wallet and a card that both networks have a token for: its account at
    the bank, and what UnionPay's issuer has."""
    phone, sandbox = new_phone(play.stack, name, 0), play.stack.sandbox
    account, token, other = f"DEBIT-{secrets.token_hex(5)}", _token(NETSUNION), _token(UNIONPAY)
    sandbox.open_bank_account(account, name, OPENING_MINOR, token=token)
    sandbox.issue_card(account, name, OPENING_MINOR, token=other)
    _register(play, phone, "card", token, tokens={"CUP": other})
    path = account
    return phone, Purse(NETSUNION, f"accounts/{path}"), Purse(UNIONPAY, f"cards/{path}")


def _register(
    play: Play, phone: Phone, kind: str, token: str, *, tokens: dict[str, str] | None = None
) -> None:
    """The channels have given the wallet their tokens for the account behind it."""
    phone.pay_with(phone.add_instrument(kind, token, tokens=tokens, now_ms=play.stack.now_ms()))


def _token(institution: str) -> str:
    return f"{institution}_{secrets.token_hex(5)}"


def _taken(play: Play, purse: Purse, expected_minor: int) -> tuple[str, str]:
    """What must have left an account at the institution, and what has."""
    left = play.stack.sandbox.left_minor(purse.institution, purse.path)
    return str(expected_minor), str(OPENING_MINOR - left)
