"""A payment's timeline whole: its own steps, and beside them tries, refunds, disputes, callbacks.
Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from faces.words import Words
from protocol.payment import WAITING_STATES

Row = Mapping[str, Any]
_REFUNDS = {
    "processing": Words("退款处理中", "Refund under way"),
    "succeeded": Words("退款成功", "Refund succeeded"),
    "failed": Words("退款失败", "Refund failed"),
}
_DISPUTES = {
    "DisputeOpened": Words("顾客提出争议", "Disputed by the payer"),
    "DisputeEvidenceGiven": Words("商户已提交说明", "The merchant has answered"),
    "DisputeWon": Words("争议胜诉", "Dispute won"),
    "DisputeLost": Words("争议败诉", "Dispute lost"),
    "DisputeWithdrawn": Words("争议已撤回", "Dispute withdrawn"),
}
_WRITTEN = Words("通知已产生", "Callback written")
_DELIVERED = Words("通知已送达", "Callback delivered")
_TRIED = Words("支付尝试未成", "A try that did not succeed")
_NEEDS_PIN = Words("请顾客输入支付密码", "The payer was asked for the PIN")
_PIN_CODE = "pin_required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the timeline."""

    at_ms: int
    words: Words
    actor: str = ""
    note: str = ""
    refusal: str = ""
    """The code of why not, where it says so."""
    detail: Row = field(default_factory=dict)
    tone: str = ""
    """``own``: the payment's own step; empty: beside it."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A timeline with what lies between its beginning and its end apart, where it is long."""

    first: Sequence[Line]
    between: Sequence[Line] = ()
    last: Sequence[Line] = ()


def parted(lines: Sequence[Line], few: int) -> Parted:
    """``few`` lines at each end; of one line more nothing is apart."""
    if len(lines) <= 2 * few + 1:
        return Parted(lines)
    return Parted(lines[:few], lines[few:-few], lines[-few:])


def urgent_first(callbacks: Sequence[Row]) -> list[Row]:
    """What has not arrived before what has, each the newest first."""
    newest = sorted(callbacks, key=lambda one: one["created_at_ms"], reverse=True)
    return sorted(newest, key=lambda one: one["delivered_at_ms"] is not None)


def told(
    steps: Sequence[Row],
    words: Mapping[str, Words],
    *,
    attempts: Sequence[Row],
    refunds: Sequence[Row],
    disputes: Sequence[Row],
    callbacks: Sequence[Row],
) -> list[Line]:
    """Everything in the order of time; a payment's own step before what came of it. ``words`` are
    the steps' own, ``disputes`` the steps of all disputes."""
    lines = [
        Line(
            at_ms=step["at_ms"],
            words=words.get(step["event"], Words(step["event"], step["event"])),
            actor=step["actor"],
            refusal=step["detail"].get("code", ""),
            detail={name: value for name, value in step["detail"].items() if name != "code"},
            tone="own",
        )
        for step in steps
    ]
    lines += [_attempt(one) for one in attempts if one["error_code"]]
    lines += [
        Line(
            at_ms=one["created_at_ms"],
            words=_REFUNDS.get(one["state"], Words(one["state"], one["state"])),
            actor=one["cashier"] or one["device"],
            note=one["reason"],
        )
        for one in refunds
    ]
    lines += [
        Line(
            at_ms=one["at_ms"],
            words=_DISPUTES.get(one["event"], Words(one["event"], one["event"])),
            actor=one["actor"],
            note=one["evidence"],
        )
        for one in disputes
    ]
    for one in callbacks:
        lines.append(Line(at_ms=one["created_at_ms"], words=_WRITTEN, note=one["event_type"]))
        if one["delivered_at_ms"] is not None:
            note = f"HTTP {one['answer_status']}" if one["answer_status"] else ""
            lines.append(Line(at_ms=one["delivered_at_ms"], words=_DELIVERED, note=note))
    return sorted(lines, key=lambda line: line.at_ms)


_OF_PAYMENT = ("frozen", "captured", "released", "long", "reversed", "gathered")
_OF_SAGA = ("accepted", "refused", "assigned")
"""How a refund of a channel ends, and what is done with money that it kept."""
_OF_DISPUTE = ("won", "withdrawn", "lost", "repaid")


def ledger_events(
    payment_id: str, *, sagas: Sequence[Row], refunds: Sequence[Row], disputes: Sequence[Row]
) -> list[str]:
    """What the ledger calls whatever may have been posted for a payment, for its refunds and
    disputes, and for its conversations with channels."""
    begun = [one["refund_id"] for one in refunds]
    begun += [one["saga_id"] for one in sagas if one["saga_id"] != payment_id]
    ends = {payment_id: _OF_PAYMENT} | dict.fromkeys(begun, _OF_SAGA)
    ends |= dict.fromkeys((one["dispute_id"] for one in disputes), _OF_DISPUTE)
    return [
        event for key, names in ends.items() for event in (key, *(f"{key}.{one}" for one in names))
    ]


def _attempt(one: Row) -> Line:
    asked = one["error_code"] == _PIN_CODE
    return Line(
        at_ms=one["at_ms"],
        words=_NEEDS_PIN if asked else _TRIED,
        note=one["code_masked"],
        refusal="" if asked else one["error_code"],
    )


def ended(attempts: Sequence[Row], payment: Row) -> list[Row]:
    """Attempts with what came of them: one that left an institution to answer ended as its payment
    did, for none comes after it."""
    return [
        {**one, "outcome": payment["state"], "error_code": payment["error_code"]}
        if one["outcome"] in WAITING_STATES
        else one
        for one in attempts
    ]
