"""What a report says, from the payments it names. Pure: the same rows give the same file.

Rule 1: every sentence is a fact that is counted here; what a person thinks of it is in the
        analysis, in that person's words.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from backend.risk.aml.reports.limits import LARGEST_TOLD_MAX
from protocol.clock import DAY_MS
from protocol.money import Money

Row = Mapping[str, Any]
_EPOCH = date(1970, 1, 1)
_NIGHT_ENDS_MS = 6 * 3_600_000
_ROUND_MINOR = 10_000
"""Whole hundreds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is counted of the payments of one currency. Times are local days."""

    currency: str
    count: int
    total_minor: int
    largest: tuple[tuple[str, int], ...]
    first_on: date
    last_on: date
    days: int
    counterparties: int
    at_night: int
    round_amounts: int
    returned_minor: int


def facts_of(
    payments: Sequence[Row], *, subject_kind: str, day_offset_ms: int
) -> tuple[Facts, ...]:
    """A currency after the other; ``payments`` are rows of the payments' table."""
    other = "merchant_id" if subject_kind == "payer" else "payer_id"
    found = []
    for currency in sorted({row["currency"] for row in payments}):
        rows = [row for row in payments if row["currency"] == currency]
        days = [_local_day(row["created_at_ms"], day_offset_ms) for row in rows]
        largest = sorted(rows, key=lambda row: (-row["amount_minor"], row["payment_id"]))
        found.append(
            Facts(
                currency=currency,
                count=len(rows),
                total_minor=sum(row["amount_minor"] for row in rows),
                largest=tuple(
                    (row["payment_id"], row["amount_minor"]) for row in largest[:LARGEST_TOLD_MAX]
                ),
                first_on=min(days),
                last_on=max(days),
                days=len(set(days)),
                counterparties=len({row[other] for row in rows}),
                at_night=sum(_is_night(row["created_at_ms"], day_offset_ms) for row in rows),
                round_amounts=sum(row["amount_minor"] % _ROUND_MINOR == 0 for row in rows),
                returned_minor=sum(row["refunded_minor"] for row in rows),
            )
        )
    return tuple(found)


def sentences(facts: Facts) -> dict[str, str]:
    """The facts as a person reads them, in Chinese and English."""

    def money(minor: int) -> str:
        return f"{facts.currency} {Money(minor, facts.currency).decimal()}"

    total, returned = money(facts.total_minor), money(facts.returned_minor)
    largest_zh = "、".join(f"{name} {money(minor)}" for name, minor in facts.largest)
    largest_en = ", ".join(f"{name} {money(minor)}" for name, minor in facts.largest)
    return {
        "zh": f"{facts.first_on} 至 {facts.last_on} 的 {facts.days} 天内有 {facts.count} 笔付款，"
        f"共 {total}，涉及 {facts.counterparties} 个对手方；夜间（0 至 6 时）"
        f"{facts.at_night} 笔，整百金额 {facts.round_amounts} 笔，"
        f"已退回 {returned}。最大金额：{largest_zh}。",
        "en": f"From {facts.first_on} to {facts.last_on}, on {facts.days} days: {facts.count} "
        f"payments of {total} in all with {facts.counterparties} counterparties; "
        f"{facts.at_night} of them between midnight and six, {facts.round_amounts} of whole "
        f"hundreds; {returned} was given back. The largest: {largest_en}.",
    }


def report_file(report: Row, payments: Sequence[Row], *, day_offset_ms: int) -> str:
    """The file: canonical JSON, so that two of the same rows are the same bytes."""
    facts = facts_of(payments, subject_kind=report["subject_kind"], day_offset_ms=day_offset_ms)
    content = {
        "report_id": report["report_id"],
        "subject": {"kind": report["subject_kind"], "id": report["subject_id"]},
        "reason": report["reason"],
        "case_id": report["case_id"],
        "raised_on": _local_day(report["raised_at_ms"], day_offset_ms).isoformat(),
        "narrative": [sentences(one) for one in facts],
        "analysis": report["analysis"],
        "analyst": report["analyst"],
        "decided_by": report["decided_by"],
        "payments": [_told(row, day_offset_ms) for row in payments],
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _told(row: Row, day_offset_ms: int) -> dict[str, Any]:
    amount = Money(row["amount_minor"], row["currency"]).decimal()
    day = _local_day(row["created_at_ms"], day_offset_ms).isoformat()
    told = {"amount": amount, "day": day}
    return told | {name: row[name] for name in _COPIED}


_COPIED = (
    "payment_id", "created_at_ms", "currency", "state", "payer_id", "merchant_id", "device",
    "method",
)  # fmt: skip


def _local_day(at_ms: int, day_offset_ms: int) -> date:
    return _EPOCH + timedelta(days=(at_ms + day_offset_ms) // DAY_MS)


def _is_night(at_ms: int, day_offset_ms: int) -> bool:
    return (at_ms + day_offset_ms) % DAY_MS < _NIGHT_ENDS_MS
