"""The hub loses the backend: a pay code's outcome is unknown; a phone pays by what it has."""

from tillway.demo.phone import draw_qr, read_qr
from tillway.demo.story import FINAL, Play, outcome
from tillway.demo.till import wait_for

ASIDE_MINOR, PRICE_MINOR, UNKNOWN_MINOR = 8_000, 2_600, 900


def offline(play: Play) -> None:
    """Bob has set money aside; Alice's pay code is what shows that nobody can be asked."""
    before, alice_before = play.bob.balance_minor(), play.alice.balance_minor()
    voucher_id = play.bob.take_along(ASIDE_MINOR, now_ms=play.stack.now_ms())
    aside_minor = before - play.bob.balance_minor()
    play.note("offline: set aside", str(ASIDE_MINOR), str(aside_minor), minor=aside_minor)
    play.stack.hub_control.post("/faults/line", {"drop_answers": False, "cut": True})
    asked = play.pos2.sell(UNKNOWN_MINOR, "pay_code")
    play.pos2.present(play.alice.pay_code_picture())
    play.pos2.wait_sale(asked, "unknown", *FINAL)
    wait_for(play.pos1.screen, lambda seen: not seen["is_hub_online"], "the hub's word")

    payment_id = play.pos1.sell(PRICE_MINOR, "offline_token")
    play.pos1.wait_screen("offline_scan")
    wish = read_qr(play.pos1.qr_picture())
    play.pos1.present(draw_qr(play.bob.sign_offline(wish, now_ms=play.stack.now_ms())))
    sale = play.pos1.wait_sale(payment_id, "accepted_offline", *FINAL)
    play.note("offline: the till takes it", "accepted_offline", outcome(sale), minor=PRICE_MINOR)
    paper = play.pos1.receipt_with("PAID OFFLINE")
    words = [word for word in ("PAID OFFLINE", "50.00", "由商户承担") if word in paper]
    play.note("offline: who bears it", "PAID OFFLINE 50.00 由商户承担", " ".join(words))
    play.pos1.dismiss()

    play.stack.hub_control.post("/faults/line", {"drop_answers": False, "cut": False})
    sale = play.pos1.wait_sale(payment_id, *FINAL)
    play.note("offline: it comes back", "paid", outcome(sale), minor=PRICE_MINOR)
    spent_minor = play.bob.spent_offline_minor(voucher_id)
    play.aside_minor += ASIDE_MINOR - spent_minor
    play.note("offline: spent once", str(PRICE_MINOR), str(spent_minor), minor=spent_minor)
    sale = play.pos2.wait_sale(asked, *FINAL)
    charged = alice_before - play.alice.balance_minor()
    play.note("offline: the unknown one", f"paid {UNKNOWN_MINOR}", f"{outcome(sale)} {charged}")
    play.pos2.dismiss()
    wait_for(play.pos1.screen, lambda seen: bool(seen["is_hub_online"]), "the hub's word")
