"""Payments whose money does not come from the payer's balance alone: a bank card, a money-market
fund, a coupon of ours."""

import secrets

from protocol.ids import COUPON, INSTRUMENT, RANDOM_BYTES, mint
from tillway.demo.phone import Phone
from tillway.demo.story import FINAL, Play, outcome

CARD_MINOR, FUND_MINOR, UNSURE_MINOR, REFUND_MINOR = 4_560, 3_210, 2_590, 1_560
OPENING_MINOR = 100_000
COUPON_MINOR, WITH_COUPON_MINOR = 300, 1_450
DAY_MS = 86_400_000


def by_channel(play: Play) -> None:
    """A card is debited and a fund redeemed by their own institutions; the till waits for their
    word. One answer is lost after the institution committed: the backend asks, and charges once."""
    carl, account = _payer(play, "孙八", "card")
    sale = play.pay_by_code(play.pos1, carl, CARD_MINOR)
    play.note_sale("bank card", "paid", sale)
    play.note("bank card: debited by the bank", *_taken(play, account, CARD_MINOR))
    play.pos1.dismiss()

    play.stack.sandbox.post("/control/faults", {"drop_answer_after_commit": 1})
    unsure = play.pay_by_code(play.pos1, carl, UNSURE_MINOR)
    play.note("bank card, answer lost", "paid", outcome(unsure), minor=UNSURE_MINOR)
    both = CARD_MINOR + UNSURE_MINOR
    play.note("bank card, answer lost: debited once", *_taken(play, account, both))
    play.pos1.dismiss()

    refund = play.pos1.refund(sale["payment_id"], REFUND_MINOR)
    play.note("bank card: refund of a part", "succeeded", refund["state"], minor=REFUND_MINOR)
    play.note("bank card: credited by the bank", *_taken(play, account, both - REFUND_MINOR))
    play.pos1.dismiss()

    fay, units = _payer(play, "吴九", "fund")
    payment_id = play.pos2.sell(FUND_MINOR, "merchant_qr")
    play.pos2.wait_sale(payment_id, "showing_qr")
    fay.pay_merchant_code(play.pos2.qr_picture(), now_ms=play.stack.now_ms())
    sale = play.pos2.wait_sale(payment_id, *FINAL)
    play.note("money-market fund", "paid", outcome(sale), minor=FUND_MINOR)
    play.note("money-market fund: redeemed", *_taken(play, units, FUND_MINOR))
    play.pos2.dismiss()


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


def _payer(play: Play, name: str, kind: str) -> tuple[Phone, str]:
    """A payer with an empty wallet who pays by a card or a fund; and the account behind it, for
    which the channel has given the wallet a token."""
    phone, sandbox = play.stack.new_phone(name, 0), play.stack.sandbox
    account, token = f"{kind.upper()}-{phone.payer_id[-12:]}", f"{kind}_{secrets.token_hex(5)}"
    opening = {"account": account, "name": name, "opening_minor": OPENING_MINOR}
    sandbox.post("/control/accounts", opening)
    sandbox.post("/control/tokens", {"channel": kind, "token": token, "account": account})
    number = mint(
        INSTRUMENT, time_ms=play.stack.now_ms(), random_bytes=secrets.token_bytes(RANDOM_BYTES)
    )
    phone.pay_with(
        {"instrument_id": number, "kind": kind, "bank": "招商银行", "last4": "8888", "token": token}
    )
    return phone, account


def _taken(play: Play, account: str, expected_minor: int) -> tuple[str, str]:
    """What must have left an account at the institution, and what has."""
    left = int(play.stack.sandbox.get(f"/control/accounts/{account}")["balance_minor"])
    return str(expected_minor), str(OPENING_MINOR - left)
