"""The act in which the risk engine judges: a known fraud is declined, a watched payer confirms, and
every decision is explained and judged again from what was kept."""

from tillway.demo.live_rules import WATCHED
from tillway.demo.payers import new_phone
from tillway.demo.story import FINAL, Play, outcome
from tillway.risk.labels import new_label

_DECISIONS = "/operator/v1/risk/decisions"


def judged(play: Play) -> None:
    """A fraud that became known, and a payer whom somebody watches."""
    _known_fraud(play)
    _watched(play)


def _known_fraud(play: Play) -> None:
    """The first payment goes through; once a person has said what it was, the next does not."""
    thief = new_phone(play.stack, "周八", 10_000)
    sale = play.pay_by_code(play.pos1, thief, 900)
    play.note_sale("risk: nothing is known yet", "paid", sale)
    play.pos1.dismiss()
    label = new_label(sale["payment_id"], is_fraud=True, by="李雷", reason="持卡人来电，卡被盗刷")
    play.stack.operator.post("/operator/v1/risk/labels", label)
    sale = play.pay_by_code(play.pos1, thief, 900)
    play.note_sale("risk: a known fraud", "declined (risk_declined)", sale)
    play.pos1.dismiss()
    _explained(play, "risk: a known fraud", sale["payment_id"], "decline by payer_known_fraud")


def _watched(play: Play) -> None:
    """A code alone is not enough: the payment waits until the phone has given the PIN."""
    payer = new_phone(play.stack, "吴九", 20_000)
    watched = {"list_name": "grey", "kind": "payer", "value": payer.payer_id, "owner": "risk",
               "reason": "客户来电核实", "by": "李雷"}  # fmt: skip
    play.stack.operator.post("/operator/v1/risk/lists/put", watched)
    payment_id = play.pos1.sell(1_100, "pay_code")
    play.pos1.present(payer.pay_code_picture())
    sale = play.pos1.wait_sale(payment_id, "waiting", *FINAL)
    play.note("risk: a watched payer's code", "waiting", outcome(sale))
    _explained(play, "risk: the code", payment_id, f"challenge by {WATCHED}")
    payer.confirm_asked(payment_id, now_ms=play.stack.now_ms())
    sale = play.pos1.wait_sale(payment_id, *FINAL)
    play.pos1.dismiss()
    play.note("risk: the challenge met by the PIN", "paid", outcome(sale), minor=1_100)
    _explained(play, "risk: the PIN", payment_id, f"challenge by {WATCHED}")


def _explained(play: Play, name: str, payment_id: str, expected: str) -> None:
    """The latest decision on a payment as an operator reads it, and whether judging again from what
    was kept gives the same."""
    found = play.stack.operator.get(f"{_DECISIONS}/{payment_id}")["decisions"]
    play.note(f"{name}: explained", expected, f"{found[-1]['action']} by {found[-1]['rule']}")
    again = [
        part["is_repeated"]
        for one in found
        for part in (one, one["guards"], one["score"], one["challenger"])
        if part is not None
    ]
    told = "the same" if again and all(again) else "not the same"
    play.note(f"{name}: judged again", "the same", told)
