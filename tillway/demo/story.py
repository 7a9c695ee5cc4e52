"""The shop's day, act by act. Each act plays something real and notes what came of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from protocol.clock import MINUTE_MS
from protocol.envelope import unseal
from protocol.errors import advice
from protocol.money import Money
from tillway.demo.at_work import CarPark, Charger
from tillway.demo.callbacks import MerchantServer
from tillway.demo.eavesdropper import Eavesdropper, post_envelope
from tillway.demo.outcome import Case, Day
from tillway.demo.payers import new_phone
from tillway.demo.phone import Phone
from tillway.demo.stack import HUB, Stack
from tillway.demo.till import Shown, Till, wait_for

FINAL = ("paid", "declined", "cancelled")
FINGER, STRANGER = "alice", "stranger"
PUSH_S_MAX = 3
Act = Callable[["Play"], None]


@dataclass(frozen=True, slots=True)
class Sold:
    """One payment that was made, and how much of it was given back."""

    payment_id: str
    amount_minor: int
    refunded_minor: int


@dataclass(slots=True)
class Play:
    """Everybody who takes part, and the account of the day."""

    stack: Stack
    day: Day
    alice: Phone
    bob: Phone
    crowd: list[Phone]
    merchant: MerchantServer
    wire: Eavesdropper
    pos1: Till
    pos2: Till
    vending: Till
    exit: Till
    """The terminal at a car park's exit."""
    charger: Charger
    """An EV charger; it pays by its hub."""
    papers: Path
    """Where statements and bills are put."""
    first_day: date
    """The business day on which the play began."""
    paid: dict[str, str] = field(default_factory=dict)
    """Payments by the name of their case, for the acts that come later."""
    last_day: date = date.min
    """The last that was closed."""
    payouts: list[dict[str, Any]] = field(default_factory=list)
    """What merchants were paid, as the clearing tells it."""
    aside_minor: int = 0
    """What payers have set aside for offline payments, and not spent."""
    coupons_minor: int = 0
    """What our coupons have paid."""

    @property
    def car_park(self) -> CarPark:
        """What the exit's terminal stands at."""
        return CarPark(self.exit)

    def sold(self) -> list[Sold]:
        """What the shop's tills, machines and charger were paid, by their own word."""
        at_tills = [
            Sold(sale["payment_id"], int(sale["amount_minor"]), int(sale["refunded_minor"]))
            for till in (self.pos1, self.pos2, self.vending, self.exit)
            for sale in till.recent()
            if sale["paid_at_ms"] is not None
        ]
        charged = [
            Sold(charge["payment_id"], int(charge["cost_minor"]), 0)
            for charge in self.charger.charges()
            if charge["state"] == "paid"
        ]
        return at_tills + charged

    def note(
        self, name: str, expected: str, actual: str, *, minor: int = 0, ms: int | None = None
    ) -> None:
        """Put one expectation and its outcome on the account."""
        amount = Money(minor, "CNY").decimal() if minor else ""
        self.day.cases.append(Case(name, expected, actual, amount, ms))

    def note_sale(self, name: str, expected: str, sale: Shown) -> None:
        """Note how a sale ended, as the terminal has it, with its latency."""
        latency = latency_ms(sale)
        if latency is not None and sale["state"] == "paid":
            self.day.latencies_ms.append(latency)
        self.paid[name] = sale["payment_id"]
        actual = outcome(sale)
        self.note(name, expected, actual, minor=sale["amount_minor"], ms=latency)

    def pay_by_code(self, till: Till, phone: Phone, amount_minor: int) -> Shown:
        """A customer shows the pay code; the sale when it has ended."""
        payment_id = till.sell(amount_minor, "pay_code")
        till.present(phone.pay_code_picture())
        return till.wait_sale(payment_id, *FINAL)


def outcome(sale: Shown) -> str:
    """A sale's state and, if it was refused, the code."""
    code = sale.get("error_code")
    return f"{sale['state']} ({code})" if code and sale["state"] != "paid" else str(sale["state"])


def latency_ms(sale: Shown) -> int | None:
    """Terminal to terminal: from the stored request to the verified answer."""
    if sale["sent_at_ms"] is None or sale["settled_at_ms"] is None:
        return None
    return int(sale["settled_at_ms"]) - int(sale["sent_at_ms"])


def pay_code(play: Play) -> None:
    """Consumer-presented code: picture → scanner → terminal → hub → backend → receipt."""
    before = play.alice.balance_minor()
    sale = play.pay_by_code(play.pos1, play.alice, 1_280)
    play.note_sale("pay code", "paid", sale)
    charged = before - play.alice.balance_minor()
    play.note("pay code: charged once", "1280", str(charged), minor=charged)
    receipt = wait_for(
        lambda: {"receipts": play.pos1.receipts()}, lambda seen: bool(seen["receipts"]), "receipt"
    )["receipts"][-1]
    words = [word for word in ("支付成功", "PAID", "12.80") if word in receipt["text"]]
    play.note("pay code: receipt in zh and en", "支付成功 PAID 12.80", " ".join(words))
    shown = wait_for(
        lambda: {"words": play.pos1.payer_sees()},
        lambda seen: seen["words"].startswith("Paid"),
        "the payer's display",
    )
    play.note("pay code: the payer's display", "Paid - thank you CNY 12.80", shown["words"])
    play.pos1.dismiss()


def merchant_qr(play: Play) -> None:
    """Merchant-presented code: the wallet scans the till's picture; the till learns by push."""
    payment_id = play.pos1.sell(2_350, "merchant_qr")
    play.pos1.wait_sale(payment_id, "showing_qr")
    play.bob.pay_merchant_code(play.pos1.qr_picture(), now_ms=play.stack.now_ms())
    confirmed_at_s = time.monotonic()
    sale = play.pos1.wait_sale(payment_id, *FINAL)
    waited_s = time.monotonic() - confirmed_at_s
    play.paid["merchant QR"] = payment_id
    play.note("merchant QR", "paid", outcome(sale), minor=sale["amount_minor"])
    # The till itself asks only after five seconds: what comes sooner was pushed.
    pushed = "pushed" if waited_s < PUSH_S_MAX else f"after {int(waited_s)} s"
    play.note("merchant QR: the till learns", "pushed", pushed)
    play.pos1.dismiss()


def vending(play: Play) -> None:
    """A machine pays by itself under a mandate, within its limits and beyond them."""
    for name, item, expected in (
        ("vending: tea under the mandate", "tea", "paid"),
        ("vending: gift box over the limit per payment", "box",
         "declined (mandate_limit_payment)"),
        ("vending: coffee under the mandate", "coffee", "paid"),
        ("vending: coffee over the limit of the day", "coffee", "declined (mandate_limit_day)"),
    ):  # fmt: skip
        sale = play.vending.wait_sale(play.vending.vend(item), *FINAL)
        play.note_sale(name, expected, sale)
        if sale["error_code"]:
            _note_words(play, name, play.vending, sale["error_code"])
        play.vending.dismiss()
    seen = wait_for(
        play.vending.machine_state, lambda machine: machine["machine"] == "ready", "a free machine"
    )
    play.note("vending: goods that fell", "2", str(seen["given"]))


def biometric(play: Play) -> None:
    """Above the limit the payer's finger is asked for: match → paid, no match → declined."""
    for name, finger, expected in (
        ("fingerprint matches", FINGER, "paid"),
        ("fingerprint does not match", STRANGER, "declined (biometric_mismatch)"),
    ):
        payment_id = play.pos2.sell(68_000, "pay_code")
        play.pos2.present(play.alice.pay_code_picture())
        play.pos2.wait_sale(payment_id, "verifying", *FINAL)
        play.pos2.lay_finger(finger)
        sale = play.pos2.wait_sale(payment_id, *FINAL)
        play.pos2.lift_finger()
        play.note_sale(name, expected, sale)
        if sale["error_code"]:
            _note_words(play, name, play.pos2, sale["error_code"])
        play.pos2.dismiss()


def refusals(play: Play) -> None:
    """Insufficient balance, an expired code, a risk rule: each its own code and words."""
    poor = new_phone(play.stack, "赵六", 500)
    sale = play.pay_by_code(play.pos1, poor, 600)
    play.note_sale("insufficient balance", "declined (insufficient_balance)", sale)
    _note_words(play, "insufficient balance", play.pos1, "insufficient_balance")
    play.pos1.dismiss()

    payment_id = play.pos1.sell(700, "pay_code")
    made_at_ms = play.stack.now_ms() - 3 * MINUTE_MS
    play.pos1.present(play.alice.old_screenshot(made_at_ms=made_at_ms))
    sale = play.pos1.wait_sale(payment_id, *FINAL)
    play.note_sale("expired pay code", "declined (pay_code_expired)", sale)
    _note_words(play, "expired pay code", play.pos1, "pay_code_expired")
    play.pos1.dismiss()

    suspect = new_phone(play.stack, "钱七", 10_000)
    block = {"is_on": True, "reason": "reported stolen phone"}
    play.stack.operator.post(f"/operator/v1/payers/{suspect.payer_id}/block", block)
    sale = play.pay_by_code(play.pos1, suspect, 800)
    play.note_sale("risk rule", "declined (risk_declined)", sale)
    _note_words(play, "risk rule", play.pos1, "risk_declined")
    play.pos1.dismiss()


def replay(play: Play) -> None:
    """Somebody recorded the vending machine's paid request on the wire and sends it again."""
    before = play.alice.balance_minor()
    paid = play.paid["vending: tea under the mandate"]
    (envelope,) = [
        recorded
        for recorded in play.wire.recorded_requests()
        if unseal(recorded).envelope.body.get("payment_id") == paid
    ]
    answer = post_envelope(play.stack.programs[HUB].port("coap"), envelope)
    code = str(answer.body.get("error", {}).get("code", answer.message_type))
    play.note("replayed envelope", "envelope_replayed", code)
    play.note("replayed envelope: charged", "0", str(before - play.alice.balance_minor()))


def cut_line(play: Play) -> None:
    """The answer is lost after the backend committed; the till learns the truth afterwards."""
    before = play.alice.balance_minor()
    play.stack.hub_control.post("/faults/line", {"drop_answers": True, "cut": False})
    payment_id = play.pos1.sell(1_500, "pay_code")
    play.pos1.present(play.alice.pay_code_picture())
    sale = play.pos1.wait_sale(payment_id, "unknown", *FINAL)
    play.note(
        "cut line: the till shows", "unknown (backend_unreachable)", outcome(sale), minor=1_500
    )
    play.note("cut line: charged once", "1500", str(before - play.alice.balance_minor()))
    play.stack.hub_control.post("/faults/line", {"drop_answers": False, "cut": False})
    sale = play.pos1.wait_sale(payment_id, *FINAL)
    play.note("cut line: the till learns", "paid", outcome(sale), minor=1_500)
    play.note("cut line: still charged once", "1500", str(before - play.alice.balance_minor()))
    play.pos1.dismiss()


def power_cut(play: Play) -> None:
    """The terminal loses power while it waits; its journal brings the sale back."""
    before = play.bob.balance_minor()
    play.stack.hub_control.post("/faults/line", {"drop_answers": True, "cut": False})
    payment_id = play.pos2.sell(1_600, "pay_code")
    play.pos2.present(play.bob.pay_code_picture())
    wait_for(
        lambda: {"charged": before - play.bob.balance_minor()},
        lambda seen: seen["charged"] > 0,
        "the backend's commit",
    )
    play.stack.cut_power("pos-2")
    play.stack.hub_control.post("/faults/line", {"drop_answers": False, "cut": False})
    play.stack.restart("pos-2")
    play.pos2 = play.stack.till("pos-2")
    sale = play.pos2.wait_sale(payment_id, *FINAL)
    play.note("power cut: recovered from the journal", "paid", outcome(sale), minor=1_600)
    play.note("power cut: marked as recovered", "True", str(sale["is_recovered"]))
    play.note("power cut: charged once", "1600", str(before - play.bob.balance_minor()))


def refunds(play: Play) -> None:
    """Part of a payment, the rest of it, and never more."""
    payment_id, before = play.paid["pay code"], play.alice.balance_minor()
    for name, amount, expected in (
        ("refund of a part", 280, "succeeded"),
        ("refund of more than the rest", 1_001, "failed (refund_exceeds)"),
        ("refund of the rest", None, "succeeded"),
    ):
        refund = play.pos1.refund(payment_id, amount)
        code = refund.get("error_code")
        said = f"{refund['state']} ({code})" if code else refund["state"]
        play.note(name, expected, said, minor=refund["amount_minor"])
        play.pos1.dismiss()
    play.note("refunds: given back", "1280", str(play.alice.balance_minor() - before))


def rush_hour(play: Play) -> None:
    """Many customers at both tills, one after another: the latencies of the final table."""
    paid = 0
    for number, phone in enumerate(play.crowd * 3):
        till = (play.pos1, play.pos2)[number % 2]
        sale = play.pay_by_code(till, phone, 500 + number)
        latency = latency_ms(sale)
        if latency is not None:
            play.day.latencies_ms.append(latency)
        paid += sale["state"] == "paid"
        till.dismiss()
    count = len(play.crowd) * 3
    play.note(f"rush hour: {count} payments", f"{count} paid", f"{paid} paid")


def revoked(play: Play) -> None:
    """A stolen machine is revoked: within seconds its signature counts for nothing."""
    reason = {"reason": "stolen"}
    play.stack.operator.post("/operator/v1/devices/vend-1/revoke", reason)
    before = play.alice.balance_minor()
    sale = play.vending.wait_sale(play.vending.vend("gum"), *FINAL)
    play.note("revoked device", "declined (device_revoked)", outcome(sale), minor=100)
    _note_words(play, "revoked device", play.vending, "device_revoked")
    play.note("revoked device: charged", "0", str(before - play.alice.balance_minor()))


def callbacks(play: Play) -> None:
    """The merchant's server has been told of every payment, by callbacks it could verify."""
    paid = {sale.payment_id for sale in play.sold()}
    seen = wait_for(
        lambda: {"missing": paid - play.merchant.payments()},
        lambda found: not found["missing"],
        f"callbacks for {len(paid)} payments",
    )
    told = len(paid) - len(seen["missing"])
    play.note("merchant's callbacks", f"{len(paid)} genuine", f"{told} genuine")
    play.note("merchant's callbacks: forged", "0", str(play.merchant.forged))


def advance(play: Play, advance_ms: int) -> None:
    """Move the clocks of the backend and of the institutions together."""
    play.stack.operator.post("/operator/v1/clock", {"advance_ms": advance_ms})
    play.stack.sandbox.advance(advance_ms)
    play.merchant.skew_s += advance_ms // 1000


def _note_words(play: Play, name: str, till: Till, code: str) -> None:
    """The refusal's own words stand, in both languages, on the screen and on the receipt."""
    wanted = advice(code)
    shown = (till.screen()["error"] or {"words": {}})["words"]
    places = ["screen"] if shown == {"zh": wanted.zh, "en": wanted.en} else []
    expected = "screen"
    if till.board is not None:
        expected = "screen and receipt"
        receipt = wait_for(
            lambda: {"text": _unwrapped(till)},
            lambda seen: _joined(wanted.zh) in seen["text"],
            f"a receipt that says {code}",
        )
        if _joined(wanted.en) in receipt["text"]:
            places.append("receipt")
    play.note(f"{name}: words in zh and en", expected, " and ".join(places) or "missing")


def _unwrapped(till: Till) -> str:
    """The last receipt without its spaces and line ends."""
    receipts = till.receipts()
    return "" if not receipts else _joined(str(receipts[-1]["text"]))


def _joined(text: str) -> str:
    return "".join(text.split())
