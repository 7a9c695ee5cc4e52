"""The day's end: the clocks move past midnight, the day is closed, the books are proved."""

import csv
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from protocol.money import Money
from tillway.demo.outcome import LedgerProof
from tillway.demo.stack import MERCHANT, OWN_ACCOUNT, RESERVE_ACCOUNT, SHOP_ACCOUNT
from tillway.demo.story import Play, advance

DAY_MS = 86_400_000
CHINA = timedelta(hours=8)


def day_end(play: Play) -> None:
    """D+1: fees, settlement, payout, confirmation, reconciliation, sweep, proof."""
    operator = play.stack.operator
    before = operator.get("/operator/v1/ledger/verify")
    day = (datetime.fromtimestamp(play.stack.now_ms() // 1000, UTC) + CHINA).date()
    advance(play, DAY_MS)
    report = operator.post(f"/operator/v1/clearing/{day.isoformat()}/run")
    _note_report(play, report)
    again = operator.post(f"/operator/v1/clearing/{day.isoformat()}/run")
    moved = operator.get("/operator/v1/ledger/verify")["transfers"]
    play.note("day end: run again moves nothing", report["state"], again["state"])
    _note_accounts(play, report)
    _keep_papers(play, report)
    proof = operator.get("/operator/v1/ledger/verify")
    play.day.ledger = LedgerProof(
        balanced=bool(proof["is_whole"]),
        reserve_equation=not any("equation" in found["kind"] for found in proof["breaks"])
        and bool(proof["is_whole"]),
        transfers=int(proof["transfers"]),
    )
    play.note("ledger verifies", "whole", "whole" if proof["is_whole"] else str(proof["breaks"]))
    play.note("ledger grew by the day's end", "True", str(before["transfers"] < moved))


def _note_report(play: Play, report: dict[str, Any]) -> None:
    payouts = report["payouts"]
    states = " ".join(str(payout["state"]) for payout in payouts)
    paid_out = sum(int(payout["amount_minor"]) for payout in payouts)
    play.note("day end: payout to the merchant's bank", "confirmed", states, minor=paid_out)
    play.note("day end: reconciliation", "0 breaks", f"{report['reconciliation']['breaks']} breaks")
    play.note("day end: state", "closed", str(report["state"]))


def _note_accounts(play: Play, report: dict[str, Any]) -> None:
    """The bank's own balances are what our books say they are."""
    paid_out = sum(int(payout["amount_minor"]) for payout in report["payouts"])
    for name, account, expected in (
        ("day end: merchant's bank account", SHOP_ACCOUNT, paid_out),
        ("day end: our fees at the bank", OWN_ACCOUNT, int(report["swept_minor"])),
        ("day end: reserve = clients' money", RESERVE_ACCOUNT, _clients_minor(play)),
    ):
        found = int(play.stack.sandbox.get(f"/control/accounts/{account}")["balance_minor"])
        play.note(name, _yuan(expected), _yuan(found), minor=found)


def _keep_papers(play: Play, report: dict[str, Any]) -> None:
    """The merchant's bill, the bank's statements and the run's report, for people to look at."""
    day, booked_on = report["day"], report["booked_on"]
    bill = play.stack.operator.call("GET", f"/operator/v1/clearing/{day}/bills/{MERCHANT}")
    paid_out = sum(int(payout["amount_minor"]) for payout in report["payouts"])
    total = list(csv.reader(bill.decode("utf-8-sig").splitlines()))[-1]
    play.note("day end: the merchant's bill adds up to the payout", _yuan(paid_out), total[6])
    papers = {
        f"bill-{MERCHANT}-{day}.csv": bill,
        f"clearing-{day}.json": json.dumps(report, ensure_ascii=False, indent=2).encode(),
    }
    for account in (RESERVE_ACCOUNT, SHOP_ACCOUNT):
        path = f"/control/accounts/{account}/statements/{booked_on}"
        papers[f"statement-{account}-{booked_on}.xml"] = play.stack.sandbox.call("GET", path)
    play.papers.mkdir(parents=True, exist_ok=True)
    for name, content in papers.items():
        (play.papers / name).write_bytes(content)


def _clients_minor(play: Play) -> int:
    """What all payers can still spend: the wallets' own word."""
    return sum(phone.balance_minor() for phone in play.stack.phones)


def _yuan(minor: int) -> str:
    return Money(minor, "CNY").decimal()
