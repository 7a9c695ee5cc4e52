"""The day's end: the clocks move past midnight, the days are closed, the books are proved.

What is expected is reckoned here from what the tills sold and gave back, by the merchant's rate;
what happened is read from the bank's own accounts, the bill and the ledger's proof.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from protocol.clock import DAY_MS
from protocol.money import Money, fee_half_up, fee_returned
from tillway.demo.day_close import china_day
from tillway.demo.mishaps import missing_row
from tillway.demo.outcome import LedgerProof
from tillway.demo.sandbox import OWN_ACCOUNT, OWN_BANK, RESERVE_ACCOUNT, RESERVE_BANK
from tillway.demo.stack import FEE_BPS, MERCHANT, OWN_MINOR, SHOP_ACCOUNT
from tillway.demo.story import Play, advance

PAPERS = {"bill": "trade", "fund-flow": "fund-flow", "settlement": "settlement"}
"""A paper's name, and the last part of its path."""
Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the merchant and we must have at the bank in the end, in minor units."""

    payout_minor: int
    fees_minor: int


def day_end(play: Play) -> None:
    """D+1: fees, settlement, payout, confirmation, reconciliation, sweep, proof."""
    operator = play.stack.operator
    expected = expect(play)
    last = china_day(play.stack.now_ms())
    advance(play, DAY_MS)
    days = [play.first_day + timedelta(days=n) for n in range((last - play.first_day).days + 1)]
    missing_row(play, days[0])
    reports = [operator.post(f"/operator/v1/clearing/{day}/run") for day in days]
    play.last_day = last
    play.payouts = [payout for report in reports for payout in report["payouts"]]
    _note_reports(play, reports, expected)
    _note_accounts(play, expected)
    _keep_papers(play, reports, expected)
    proof = operator.get("/operator/v1/ledger/verify")
    for day in days:
        operator.post(f"/operator/v1/clearing/{day}/run")
    again = operator.get("/operator/v1/ledger/verify")
    moved = str(again["transfers"] - proof["transfers"])
    play.note("day end: run again moves nothing", "0 transfers", f"{moved} transfers")
    _note_proof(play, again)


def expect(play: Play) -> Expected:
    """By the machines' own journals: what was paid, what was given back, the fee of each."""
    paid_out, fees = 0, 0
    for sale in play.sold():
        back = fee_returned(
            refunded_before_minor=0, refund_minor=sale.refunded_minor, fee_bps=FEE_BPS
        )
        fee = fee_half_up(sale.amount_minor, FEE_BPS) - back
        paid_out += sale.amount_minor - sale.refunded_minor - fee
        fees += fee
    return Expected(paid_out, fees)


def _note_reports(play: Play, reports: list[Report], expected: Expected) -> None:
    payouts = play.payouts
    states = " ".join(sorted({str(payout["state"]) for payout in payouts}))
    paid_out = sum(int(payout["amount_minor"]) for payout in payouts)
    breaks = sum(int(report["reconciliation"]["breaks"]) for report in reports)
    matched = sum(int(report["reconciliation"]["matched"]) for report in reports)
    closed = " ".join(sorted({str(report["state"]) for report in reports}))
    play.note("day end: payout instructed", _yuan(expected.payout_minor), _yuan(paid_out))
    play.note("day end: payout to the merchant's bank", "confirmed", states, minor=paid_out)
    play.note("day end: reconciliation", "0 breaks", f"{breaks} breaks")
    play.note("day end: reconciliation compared", "True", str(matched > len(play.stack.phones)))
    play.note("day end: state", "closed", closed)


def _note_accounts(play: Play, expected: Expected) -> None:
    """The banks' own balances are what we reckoned, to the fen. The clocks stand a whole day after
    the last sale: the channels' days of all sales are over, whatever their cut-offs, and paid."""
    clients = sum(phone.balance_minor() for phone in play.stack.phones)
    for name, bank, account, minor in (
        ("day end: merchant's bank account", OWN_BANK, SHOP_ACCOUNT, expected.payout_minor),
        ("day end: our own account, fees in and coupons out", OWN_BANK, OWN_ACCOUNT,
         OWN_MINOR + expected.fees_minor - play.coupons_minor),
        ("day end: reserve = all wallets' money", RESERVE_BANK, RESERVE_ACCOUNT,
         clients + play.aside_minor),
    ):  # fmt: skip
        found = play.stack.sandbox.left_minor(bank, f"accounts/{account}")
        play.note(name, _yuan(minor), _yuan(found), minor=found)


def _note_proof(play: Play, proof: Report) -> None:
    kinds = {found["kind"] for found in proof["breaks"]}
    play.day.ledger = LedgerProof(
        balanced="book" not in kinds and "account" not in kinds,
        reserve_equation="reserve" not in kinds,
        transfers=int(proof["transfers"]),
    )
    play.note("ledger verifies", "whole", "whole" if proof["is_whole"] else str(proof["breaks"]))


def _keep_papers(play: Play, reports: list[Report], expected: Expected) -> None:
    """The merchant's bills, the bank's statements and the reports, for people to look at."""
    papers: dict[str, bytes] = {}
    billed, flowed = 0, 0
    for report in reports:
        day, booked_on = report["day"], report["booked_on"]
        found = {name: _paper(play, day, kind) for name, kind in PAPERS.items()}
        papers |= {f"{name}-{MERCHANT}-{day}.csv": paper for name, paper in found.items()}
        billed += trade_net(found["bill"])
        flowed += flow_net(found["fund-flow"])
        papers[f"clearing-{day}.json"] = json.dumps(report, ensure_ascii=False, indent=2).encode()
        for bank, account in ((RESERVE_BANK, RESERVE_ACCOUNT), (OWN_BANK, SHOP_ACCOUNT)):
            path = f"/control/accounts/{account}/statements/{booked_on}"
            name = f"statement-{account}-{booked_on}.xml"
            papers[name] = play.stack.sandbox.api(bank).call("GET", path)
    wanted = _yuan(expected.payout_minor)
    play.note("day end: the merchant's trade bills add up", wanted, _yuan(billed))
    play.note("day end: the merchant's fund-flow bills add up", wanted, _yuan(flowed))
    play.papers.mkdir(parents=True, exist_ok=True)
    for name, content in papers.items():
        (play.papers / name).write_bytes(content)


def _paper(play: Play, day: str, kind: str) -> bytes:
    return play.stack.operator.call("GET", f"/operator/v1/bills/{MERCHANT}/{day}/{kind}")


def trade_net(bill: bytes) -> int:
    """Of a trade bill, as a merchant reads it: paid, less given back, less fees; from its lines."""
    names, *rows, _, _ = _read(bill)
    lines = [dict(zip(names, row, strict=True)) for row in rows]
    return sum(
        _minor(line["应结订单金额"]) - _minor(line["退款金额"]) - _minor(line["手续费"][:-3])
        for line in lines
    )


def flow_net(bill: bytes) -> int:
    """Of a fund-flow bill: what came and went, but for payouts."""
    names, *rows, _, _ = _read(bill)
    lines = [dict(zip(names, row, strict=True)) for row in rows]
    return sum(
        _minor(line["收支金额(元)"]) * (1 if line["收支类型"] == "收入" else -1)
        for line in lines
        if line["业务名称"] != "提现"
    )


def _read(bill: bytes) -> list[list[str]]:
    """Names without, values after a backtick; commas between them and nowhere else."""
    lines = bill.decode("utf-8-sig").splitlines()
    return [[word.removeprefix("`") for word in line.split(",")] for line in lines]


def _minor(yuan: str) -> int:
    return int(yuan.replace(".", ""))


def _yuan(minor: int) -> str:
    return Money(minor, "CNY").decimal()
