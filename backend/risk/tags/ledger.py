"""From the ledger's rows to the facts that tags read. Pure.

Rule 1: payments come in order of time. What became of one is known from the moment it became so,
and counts for the payments after that.
Rule 2: the device's facts are those of its latest reading that was judged before the payment.
Rule 3: what the rows do not tell (places, addresses, lists at the time) is unknown.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.risk.devices.attributes import ATTRIBUTES, attribute_of
from backend.risk.features.calendar import calendar_features
from backend.risk.features.columns import Events
from backend.risk.features.definition import Kind
from backend.risk.features.label_columns import Labels
from backend.risk.features.place import NOWHERE
from backend.risk.rules.language.columns import Column, Texts
from backend.risk.tags.signals import OUTCOMES, PAIRS, signal_sets, signals_of
from protocol.payment import PaymentState

Row = Mapping[str, Any]
SMALL_MINOR = 500
"""Up to five yuan: what a thief tries a card with."""
ROUND_MINOR = 10_000
BIG_MINOR = 500_000
_KEYS = {"payer": "payer_id", "card": "instrument_id", "device": "device",
         "merchant": "merchant_id", "store": "store", "cashier": "cashier"}  # fmt: skip
_REFUSED = {"insufficient_balance": "no_funds", "pin_wrong": "pin_wrong", "pin_locked": "pin_wrong"}
_ENDED = {
    PaymentState.DECLINED: ("declined", "unfinished"),
    PaymentState.EXPIRED: ("expired", "unfinished"),
    PaymentState.CLOSED: ("closed", "unfinished"),
    PaymentState.REVERSED: ("reversed", "unfinished"),
    PaymentState.UNKNOWN: ("contact_lost",),
    PaymentState.PARTIALLY_REFUNDED: ("refunded",),
    PaymentState.REFUNDED: ("refunded",),
}


@dataclass(frozen=True, slots=True)
class LedgerRows:
    """Rows of the tables: payments by (created_at_ms, payment_id), the rest in any order."""

    payments: Sequence[Row]
    events: Sequence[Row] = ()
    attempts: Sequence[Row] = ()
    disputes: Sequence[Row] = ()
    readings: Sequence[Row] = ()


def payment_facts(rows: LedgerRows) -> dict[str, Column]:
    """The facts of each payment, by their names."""
    events = _events(rows.payments)
    known: dict[str, Column] = dict(signals_of(events, _outcomes(rows)))
    for name, column in (("payment.currency", "currency"), ("payment.method", "funding")):
        known[name] = Texts.of([payment[column] for payment in rows.payments])
    known["payment.entry"] = Texts.of([payment["method"] for payment in rows.payments])
    confirmed = _confirmed(rows)
    known["payment.is_confirmed"] = np.array(
        [payment["payment_id"] in confirmed for payment in rows.payments], np.int8
    )
    return known | _device_facts(rows.payments, rows.readings)


def _confirmed(rows: LedgerRows) -> set[str]:
    """The payments whose payer gave a PIN or a biometric, at the till or on the phone."""
    at_till = {p["payment_id"] for p in rows.payments if p["verification"] != "none"}
    return at_till | {a["payment_id"] for a in rows.attempts if a["verification_kind"] != "none"}


def _events(payments: Sequence[Row]) -> Events:
    size = len(payments)
    at = np.array([payment["created_at_ms"] for payment in payments], np.int64)
    amount = np.array([payment["amount_minor"] for payment in payments], np.int64)
    plain = signal_sets()[""]
    columns: dict[str, NDArray[np.int64]] = {
        "amount_minor": amount,
        "lat_e6": np.full(size, NOWHERE),
        "lon_e6": np.full(size, NOWHERE),
        "address": np.full(size, -1),
        "is_night": calendar_features(Kind.IS_NIGHT, at, plain).astype(np.int64),
        "is_weekend": calendar_features(Kind.IS_WEEKEND, at, plain).astype(np.int64),
        "is_small": (amount <= SMALL_MINOR).astype(np.int64),
        "is_round": (amount % ROUND_MINOR == 0).astype(np.int64),
        "is_big": (amount >= BIG_MINOR).astype(np.int64),
        "is_code": np.array([p["method"] == "pay_code" for p in payments], np.int64),
    }
    for name, column in _KEYS.items():
        columns[name] = _codes(payment[column] or None for payment in payments)
    for pair in PAIRS:
        first, second = (columns[name].tolist() for name in pair.split("_"))
        both = zip(first, second, strict=True)
        columns[pair] = _codes(pair if min(pair) >= 0 else None for pair in both)
    return Events(at, columns)


def _codes(keys: Iterable[object]) -> NDArray[np.int64]:
    codes: dict[object, int] = {}
    return np.array(
        [-1 if key is None else codes.setdefault(key, len(codes)) for key in keys], np.int64
    )


def _outcomes(rows: LedgerRows) -> dict[str, Labels]:
    """What became of payments, each with the time since when that is known: the first time."""
    place = {payment["payment_id"]: row for row, payment in enumerate(rows.payments)}
    known: dict[str, dict[int, int]] = {outcome: {} for outcome in OUTCOMES}

    def learn(outcome: str, payment_id: str, at_ms: int) -> None:
        row = place.get(payment_id)
        if row is not None:
            # A payment may end in the millisecond that it began in, and may not know that itself.
            then = max(at_ms, rows.payments[row]["created_at_ms"]) + 1
            known[outcome][row] = min(then, known[outcome].get(row, then))

    confirmed = _confirmed(rows)
    for event in rows.events:
        for outcome in _ENDED.get(event["state_after"], ()):
            learn(outcome, event["payment_id"], event["at_ms"])
        if event["state_after"] == PaymentState.CAPTURED and event["payment_id"] in place:
            for outcome in _paid(rows.payments[place[event["payment_id"]]], confirmed):
                learn(outcome, event["payment_id"], event["at_ms"])
    for attempt in rows.attempts:
        if attempt["error_code"] in _REFUSED:
            learn(_REFUSED[attempt["error_code"]], attempt["payment_id"], attempt["at_ms"])
    for dispute in rows.disputes:
        learn("disputed", dispute["payment_id"], dispute["opened_at_ms"])
    known["small_declined"] = {
        row: then
        for row, then in known["declined"].items()
        if rows.payments[row]["amount_minor"] <= SMALL_MINOR
    }
    return {outcome: _labels(became) for outcome, became in known.items()}


def _paid(payment: Row, confirmed: set[str]) -> list[str]:
    tests = {
        "unconfirmed": payment["payment_id"] not in confirmed,
        "advance": payment["funding"] == "advance",
        "coupon": payment["coupon_minor"] > 0,
    }
    return [outcome for outcome, is_so in tests.items() if is_so]


def _labels(became: Mapping[int, int]) -> Labels:
    return Labels(
        np.array(list(became), np.int64),
        np.ones(len(became), np.bool_),
        np.array(list(became.values()), np.int64),
    )


def _device_facts(payments: Sequence[Row], readings: Sequence[Row]) -> dict[str, Column]:
    judged: dict[str, list[Row]] = defaultdict(list)
    for reading in sorted(
        readings, key=lambda reading: (reading["judged_at_ms"], reading["number"])
    ):
        if reading["judged_at_ms"]:
            judged[reading["tid"]].append(reading)
    times = {tid: [one["judged_at_ms"] for one in ones] for tid, ones in judged.items()}
    latest: list[Row | None] = []
    for payment in payments:
        before = bisect_right(times.get(payment["device"], []), payment["created_at_ms"])
        latest.append(judged[payment["device"]][before - 1] if before else None)
    ages = [
        np.nan if one is None else (p["created_at_ms"] - one["received_at_ms"]) // 1000
        for p, one in zip(payments, latest, strict=True)
    ]
    return {
        "device.verdict": Texts.of([one["verdict"] if one else None for one in latest]),
        "device.trust": np.array([one["trust_ppm"] / 1e6 if one else np.nan for one in latest]),
        "device.reading_age_s": np.array(ages),
        "device.readings": np.array([float(one["number"]) if one else 0.0 for one in latest]),
        **_changed(latest),
    }


def _changed(latest: Sequence[Row | None]) -> dict[str, Column]:
    changed = [
        None if one is None else {attribute_of(name).name for name in json.loads(one["changed"])}
        for one in latest
    ]
    return {
        f"device.changed_{attribute.name}": np.array(
            [-1 if names is None else attribute.name in names for names in changed], np.int8
        )
        for attribute in ATTRIBUTES
    }
