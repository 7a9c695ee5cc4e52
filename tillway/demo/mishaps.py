"""What institutions get wrong, and what comes of it: a file with a row missing, a payout that the
merchant's bank sends back."""

from datetime import date, timedelta
from typing import Any

from protocol.clock import DAY_MS
from tillway.demo.sandbox import NETSUNION, OWN_BANK
from tillway.demo.stack import SHOP_ACCOUNT
from tillway.demo.story import Play, advance


def missing_row(play: Play, day: date) -> None:
    """NetsUnion's file of a day lacks its last row, which is a refund: the day is compared, the
    refund is missed by its name and in the day's sum, and the day stays open until a whole file is
    there."""
    play.stack.sandbox.arm(NETSUNION, row_missing=1)
    report = play.stack.operator.post(f"/operator/v1/clearing/{day}/run")
    kinds = " ".join(report["reconciliation"]["kinds"])
    play.note("a refund missing in NetsUnion's file", "FUNDS REFUND_PENDING", kinds)
    play.note("a refund missing: the day", "open", str(report["state"]))


def returned_payout(play: Play) -> None:
    """The merchant's bank sends a payout back: the money is the merchant's again, and waits."""
    bank, operator = play.stack.sandbox.api(OWN_BANK), play.stack.operator
    payout = play.payouts[-1]
    before = play.stack.sandbox.left_minor(OWN_BANK, f"accounts/{SHOP_ACCOUNT}")
    bank.post("/control/returns", {"end_to_end_id": payout["payout_id"]})
    left = play.stack.sandbox.left_minor(OWN_BANK, f"accounts/{SHOP_ACCOUNT}")
    play.note(
        "payout sent back by the bank", str(payout["amount_minor"]), str(before - left),
        minor=before - left,
    )  # fmt: skip
    day = play.last_day + timedelta(days=1)
    advance(play, DAY_MS)
    report = operator.post(f"/operator/v1/clearing/{day}/run")
    play.note("payout sent back: in our books", "returned", _states(report, payout["payout_id"]))
    play.note("payout sent back: the day", "closed", str(report["state"]))
    proof = operator.get("/operator/v1/ledger/verify")
    play.note("payout sent back: ledger verifies", "True", str(proof["is_whole"]))


def _states(report: dict[str, Any], payout_id: str) -> str:
    found = {str(row["state"]) for row in report["returned"] if row["payout_id"] == payout_id}
    return " ".join(sorted(found)) or "not there"
