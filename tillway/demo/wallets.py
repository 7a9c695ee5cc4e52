"""Payers of other wallets at the till: Alipay's and UnionPay's codes, scanned like ours."""

from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from protocol.tls import joining_context
from tillway.demo.phone import draw_qr, read_qr
from tillway.demo.sandbox import ALIPAY, UNIONPAY_QR
from tillway.demo.stack import PAGE_URL
from tillway.demo.story import FINAL, Play, outcome
from tillway.demo.till import Shown, wait_for

ALIPAY_MINOR, ALIPAY_BACK_MINOR = 1_880, 380
CONFIRMED_MINOR, UNIONPAY_MINOR, SCANNED_MINOR = 23_900, 2_640, 3_450
OPEN_TIMEOUT_S = 30
OPENING_MINOR, PASSWORD_FREE_MINOR = 100_000, 20_000
BUYER, PAYER = "lilei@example.com", "hanmeimei"


def alipay(play: Play) -> None:
    """A buyer shows Alipay's code: paid, on the receipt, a part given back. Then a price for which
    Alipay wants the password: the till waits for the buyer."""
    api, path = play.stack.sandbox.api(ALIPAY), f"buyers/{BUYER}"
    api.post("/control/buyers", _account("buyer", BUYER))
    sale = _scan(play, str(api.post(f"/control/{path}/code")["auth_code"]), ALIPAY_MINOR)
    play.note_sale("Alipay's code", "paid", sale)
    receipt = play.pos1.receipt_with("lil***@example.com")
    play.note("Alipay's code: the buyer, masked", "18.80", "18.80" if "18.80" in receipt else "")
    play.pos1.dismiss()
    refund = play.pos1.refund(sale["payment_id"], ALIPAY_BACK_MINOR)
    play.note("Alipay: refund of a part", "succeeded", refund["state"], minor=ALIPAY_BACK_MINOR)
    play.pos1.dismiss()

    payment_id = play.pos1.sell(CONFIRMED_MINOR, "pay_code")
    play.pos1.present(draw_qr(str(api.post(f"/control/{path}/code")["auth_code"])))
    asked = wait_for(
        lambda: dict(api.get(f"/control/{path}")), lambda seen: bool(seen["waiting"]), "a question"
    )
    api.post(f"/control/{path}/confirm", {"what": asked["waiting"][0]})
    sale = play.pos1.wait_sale(payment_id, *FINAL)
    play.note("Alipay, with the password", "paid", outcome(sale), minor=CONFIRMED_MINOR)
    taken = ALIPAY_MINOR - ALIPAY_BACK_MINOR + CONFIRMED_MINOR
    left = play.stack.sandbox.left_minor(ALIPAY, path)
    play.note("Alipay: taken from the buyer", str(taken), str(OPENING_MINOR - left))
    play.pos1.dismiss()


def unionpay_qr(play: Play) -> None:
    """A payer shows UnionPay's code; the gateway's answer is lost, and the backend asks."""
    api, path = play.stack.sandbox.api(UNIONPAY_QR), f"payers/{PAYER}"
    api.post("/control/payers", _account("payer", PAYER))
    play.stack.sandbox.arm(UNIONPAY_QR, drop_answer_after_commit=1)
    sale = _scan(play, str(api.post(f"/control/{path}/code")["qrNo"]), UNIONPAY_MINOR)
    play.note("UnionPay's code, answer lost", "paid", outcome(sale), minor=UNIONPAY_MINOR)
    left = play.stack.sandbox.left_minor(UNIONPAY_QR, path)
    taken = str(OPENING_MINOR - left)
    play.note("UnionPay's code, answer lost: charged once", str(UNIONPAY_MINOR), taken)
    play.pos1.dismiss()


def alipay_scans(play: Play) -> None:
    """A buyer scans the till's code with Alipay: its browser opens our page, and is sent to a code
    of Alipay's own. It is the code that our wallets scan, too."""
    payment_id = play.pos2.sell(SCANNED_MINOR, "merchant_qr")
    play.pos2.wait_sale(payment_id, "showing_qr")
    shown = read_qr(play.pos2.qr_picture())
    address = _opened(play.stack.public_url + shown.removeprefix(PAGE_URL), play.stack.ca)
    expected = "https://qr.alipay.com/"
    play.note("the till's code in Alipay: sent on", expected, address[: len(expected)])
    play.stack.sandbox.api(ALIPAY).post(f"/control/buyers/{BUYER}/confirm", {"what": address})
    sale = play.pos2.wait_sale(payment_id, *FINAL)
    play.note("the till's code in Alipay", "paid", outcome(sale), minor=SCANNED_MINOR)
    play.pos2.dismiss()


def _opened(url: str, ca: Path) -> str:
    """Where Alipay's browser is sent from an address."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    context = joining_context(ca.read_text("ascii"))
    line = HTTPSConnection(parts.hostname, parts.port, context=context, timeout=OPEN_TIMEOUT_S)
    try:
        line.request("GET", parts.path, headers={"User-Agent": "AlipayClient/10.5.90"})
        return line.getresponse().getheader("location") or ""
    finally:
        line.close()


def _scan(play: Play, code: str, amount_minor: int) -> Shown:
    payment_id = play.pos1.sell(amount_minor, "pay_code")
    play.pos1.present(draw_qr(code))
    return play.pos1.wait_sale(payment_id, *FINAL)


def _account(kind: str, name: str) -> dict[str, object]:
    return {
        kind: name,
        "opening_minor": OPENING_MINOR,
        "password_free_minor": PASSWORD_FREE_MINOR,
    }
