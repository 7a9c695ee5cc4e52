"""The way of one payment, hop by hop, from what the programs say about it. Pure.

Rule 1: a time is a program's own; where no program tells one (a hub that was started anew), none
        is made up.
Rule 2: times count from the moment the amount was keyed in, or a stay reckoned, by the terminal's
        clock, the cable was pulled, by the charger's, or its code was asked for, by the hub's. The
        backend's clock may have been moved by an operator, before the payment or after it: a time
        that fits neither is not shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from faces.words import Words
from protocol.money import Money
from tillway.front.limits import CLOCK_SLACK_MS, EVENTS_MAX
from tillway.front.words import EVENTS, VERDICTS, WORDS

PAYER, TILL, EXIT, VENDING, CHARGER, HUB, BACKEND, CHANNEL, LEDGER = PLACES = (
    "payer", "till", "exit", "vending", "charger", "hub", "backend", "channel", "ledger",
)  # fmt: skip
_BEGINS = {TILL: "hop_keyed", EXIT: "hop_stay", VENDING: "hop_pressed"}
"""What makes the amount where it is asked for."""
_LATER = frozenset({"PaymentPartiallyRefunded", "PaymentRefunded", "PaymentReversed"})
_ENDED = frozenset({"paid", "declined", "cancelled"})
_MOODS = {"paid": "paid", "declined": "error", "unknown": "warn"}
_BY_CODE, _BY_SHOWN_CODE = "pay_code", "merchant_qr"
_CODE_SHOWN = "PaymentCodeShown"
_CHARGE_STATES = {"paid": "paid", "unsettled": "declined"}
_NO_RULE = "none"
_THERE = ("received", "spooled", "forwarded")
_BACK = ("answered", "handed_over")

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hop:
    """One station: where, what happened, when (ms since the amount), and how long the way took."""

    place: str
    words: Words
    at_ms: int | None = None
    took_ms: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """One transfer of the ledger: from, to, how much, by which rule."""

    transfer_id: str
    rule: str
    giver: str
    taker: str
    amount: str


@dataclass(frozen=True, slots=True)
class Way:
    """All of it. ``wire_ms`` is from the stored request to the verified answer at the till."""

    payment_id: str
    trace_id: str
    amount: str
    currency: str
    state: str
    mood: str
    hops: tuple[Hop, ...]
    wire_ms: int | None
    postings: tuple[Posting, ...]


def way_of(
    sale: Told,
    payment: Told | None,
    sagas: Sequence[Told],
    entries: Sequence[Told],
    *,
    ahead_ms: int,
    passages: Sequence[Told] = (),
    place: str = TILL,
) -> Way:
    """The way of a till's sale, or of one at another ``place``. ``payment``, ``sagas`` and
    ``entries`` (of ledger statements) are the backend's, whose clock is ahead of the till's by
    ``ahead_ms`` now; ``passages`` the hub's, of the payment's requests, the first of which asked
    for the payment."""
    postings = _postings(entries)
    hops = [Hop(place, WORDS[_BEGINS[place]], sale["created_at_ms"], detail=f"¥{sale['amount']}")]
    if sale["sent_at_ms"] is not None:
        hops += _there(sale, passages, place)
    if payment is not None:
        own = list(_backend_hops(payment, sagas, entries, postings))
        own = _in_the_till_s_time(own, sale, ahead_ms)
        hops += _shown(own, passages) if sale["method"] == _BY_SHOWN_CODE else own
    if payment is not None and sale["settled_at_ms"] is not None:
        ended = WORDS[f"hop_{sale['state']}" if sale["state"] in _ENDED else "hop_unknown"]
        last = Hop(place, ended, sale["settled_at_ms"])
        if sale["method"] == _BY_SHOWN_CODE:
            hops += [Hop(HUB, WORDS["hop_pushed"]), last]
        else:
            hops += _back(last, passages)
    return Way(
        payment_id=sale["payment_id"],
        trace_id="" if payment is None else str(payment["trace_id"]),
        amount=sale["amount"],
        currency=sale["currency"],
        state=sale["state"],
        mood=_MOODS.get(sale["state"], "plain"),
        hops=tuple(_counted(hops, sale["created_at_ms"]))[:EVENTS_MAX],
        wire_ms=_wire_ms(sale),
        postings=postings,
    )


def way_of_charge(
    charge: Told,
    payment: Told | None,
    sagas: Sequence[Told],
    entries: Sequence[Told],
    *,
    ahead_ms: int,
    passages: Sequence[Told] = (),
) -> Way:
    """The way of what a charger metered, debited by a mandate: as `way_of`, but the hub signs for
    the charger, and asks in its place."""
    postings = _postings(entries)
    amount = Money(charge["cost_minor"], charge["currency"]).decimal()
    metered = Hop(CHARGER, WORDS["hop_metered"], charge["ended_at_ms"], detail=f"¥{amount}")
    hops = [metered, *(_hub_hops(passages, _THERE) or [Hop(HUB, WORDS["hop_there"])])]
    if payment is not None:
        own = list(_backend_hops(payment, sagas, entries, postings))
        asked = {"created_at_ms": charge["ended_at_ms"], "sent_at_ms": None, "settled_at_ms": None}
        hops += _in_the_till_s_time(own, asked, ahead_ms)
    if charge["state"] in _CHARGE_STATES:
        hops += _hub_hops(passages, _BACK[:1]) or [Hop(HUB, WORDS["hop_back"])]
        hops.append(Hop(CHARGER, WORDS[f"hop_charge_{charge['state']}"]))
    state = _CHARGE_STATES.get(charge["state"], "going")
    return Way(
        payment_id=charge["payment_id"],
        trace_id="" if payment is None else str(payment["trace_id"]),
        amount=amount,
        currency=charge["currency"],
        state=state,
        mood=_MOODS.get(state, "plain"),
        hops=tuple(_counted(hops, charge["ended_at_ms"]))[:EVENTS_MAX],
        wire_ms=None,
        postings=postings,
    )


def way_of_charge_ahead(
    charge: Told,
    payment: Told | None,
    sagas: Sequence[Told],
    entries: Sequence[Told],
    *,
    ahead_ms: int,
    passages: Sequence[Told] = (),
) -> Way:
    """The way of what was paid ahead by a code at a charger: as of a till's shown code, then the
    charge itself, and what of the money went back. Times count from when the hub asked for the
    code; where it tells none, from the charge's beginning, and the backend's stay untold."""
    postings = _postings(entries)
    there = _hub_hops(passages, _THERE)
    start_ms = next((hop.at_ms for hop in there if hop.at_ms is not None), charge["began_at_ms"])
    own = list(_backend_hops(payment, sagas, entries, postings)) if payment is not None else []
    if there:
        asked = {"created_at_ms": start_ms, "sent_at_ms": None, "settled_at_ms": None}
        own = _in_the_till_s_time(own, asked, ahead_ms)
    else:
        own = [replace(hop, at_ms=None) for hop in own]
    ahead = Money(charge["prepaid_minor"], charge["currency"])
    hops = [
        Hop(CHARGER, WORDS["hop_ahead"], detail=f"¥{ahead.decimal()}"),
        *(there or [Hop(HUB, WORDS["hop_there"])]),
        *_shown(own, passages),
        Hop(HUB, WORDS["hop_pushed"]),
        Hop(CHARGER, WORDS["hop_begun"], charge["began_at_ms"]),
        *_charged(charge, ahead),
    ]
    return Way(
        payment_id=charge["payment_id"],
        trace_id="" if payment is None else str(payment["trace_id"]),
        amount=ahead.decimal(),
        currency=charge["currency"],
        state="paid",
        mood="paid",
        hops=tuple(_counted(hops, start_ms))[:EVENTS_MAX],
        wire_ms=None,
        postings=postings,
    )


def _charged(charge: Told, ahead: Money) -> Iterator[Hop]:
    """How a charge that was paid ahead ended, once it has."""
    if not charge["ended_at_ms"]:
        return
    cost = Money(charge["cost_minor"], charge["currency"])
    yield Hop(CHARGER, WORDS["hop_metered"], charge["ended_at_ms"], detail=f"¥{cost.decimal()}")
    if charge["state"] not in _CHARGE_STATES:
        return
    rest = ahead - cost
    how = charge["state"] if rest.amount_minor else "none"
    detail = f"¥{rest.decimal()}" if rest.amount_minor else ""
    yield Hop(CHARGER, WORDS[f"hop_rest_{how}"], detail=detail)


def _wire_ms(sale: Told) -> int | None:
    if sale["state"] not in _ENDED or sale["method"] != _BY_CODE:
        return None  # what a person took is no time of the wire
    if sale["sent_at_ms"] is None or sale["settled_at_ms"] is None:
        return None
    return int(sale["settled_at_ms"] - sale["sent_at_ms"])


def _there(sale: Told, passages: Sequence[Told], place: str) -> list[Hop]:
    hops = [Hop(place, WORDS["hop_sent"], sale["sent_at_ms"])]
    hops += _hub_hops(passages, _THERE) or [Hop(HUB, WORDS["hop_there"])]
    if sale["method"] == _BY_CODE:
        hops.insert(0, Hop(PAYER, WORDS["hop_code"]))
    return hops


def _back(ended: Hop, passages: Sequence[Told]) -> list[Hop]:
    """The till may have verified the answer before it acknowledged it."""
    hops = _hub_hops(passages, _BACK)
    if not hops:
        return [Hop(HUB, WORDS["hop_back"]), ended]
    return sorted([*hops, ended], key=lambda hop: hop.at_ms or 0)


def _shown(own: list[Hop], passages: Sequence[Told]) -> list[Hop]:
    """The first answer brings the code to the till, the payer scans it; the rest comes after."""
    codes = [number for number, hop in enumerate(own, 1) if hop.detail == _CODE_SHOWN]
    at = codes[0] if codes else 0
    back = _hub_hops(passages, _BACK) or [Hop(HUB, WORDS["hop_back"])]
    scanned = [Hop(PAYER, WORDS["hop_scanned"])] if own[at:] else []
    return [*own[:at], *back, *scanned, *own[at:]]


def _hub_hops(passages: Sequence[Told], steps: Sequence[str]) -> list[Hop]:
    if not passages:
        return []
    first = passages[0]
    return [
        Hop(HUB, WORDS[f"hop_{step}"], first[f"{step}_at_ms"])
        for step in steps
        if first[f"{step}_at_ms"] is not None
    ]


def _backend_hops(
    payment: Told,
    sagas: Sequence[Told],
    entries: Sequence[Told],
    postings: Sequence[Posting],
) -> Iterator[Hop]:
    """By the backend's clock, in its order."""
    verdict = payment.get("verdict") or {}
    if verdict:
        words = VERDICTS.get(verdict["action"], WORDS["hop_judged"])
        rule = str(verdict["rule"])
        yield Hop(BACKEND, words, detail="" if rule == _NO_RULE else rule)
    events = [
        Hop(BACKEND, EVENTS[event["event"]], event["at_ms"], detail=event["event"])
        for event in payment["timeline"]
        if event["event"] not in _LATER
    ]
    for saga in sagas:
        events += [
            Hop(CHANNEL, EVENTS[event["event"]], event["at_ms"], detail=saga["channel_id"])
            for event in saga["timeline"]
            if saga["kind"] == "pay"
        ]
    if entries:
        at_ms = max(entry["at_ms"] for entry in entries)
        events.append(Hop(LEDGER, WORDS["hop_posted"], at_ms, detail=f"× {len(postings)}"))
    yield from sorted(events, key=lambda hop: (hop.at_ms or 0, PLACES.index(hop.place)))


def _in_the_till_s_time(hops: list[Hop], sale: Told, ahead_ms: int) -> list[Hop]:
    """The backend's times as the till's clock would have them; none where neither guess fits."""
    times = [hop.at_ms for hop in hops if hop.at_ms is not None]
    if not times:
        return hops
    first_ms = sale["created_at_ms"] - CLOCK_SLACK_MS
    last_ms = sale["settled_at_ms"] or max(times)
    if ahead_ms and sale["sent_at_ms"] is not None:  # it was asked over a line: late by the way
        sooner_ms = sale["sent_at_ms"] - (min(times) - ahead_ms)
        ahead_ms -= sooner_ms if 0 < sooner_ms <= CLOCK_SLACK_MS else 0
    likely = sorted((0, ahead_ms), key=lambda ms: abs(min(times) - ms - sale["created_at_ms"]))
    for moved_ms in likely:
        if first_ms <= min(times) - moved_ms <= last_ms + CLOCK_SLACK_MS:
            return [
                hop if hop.at_ms is None else replace(hop, at_ms=hop.at_ms - moved_ms)
                for hop in hops
            ]
    return [replace(hop, at_ms=None) for hop in hops]


def _counted(hops: Sequence[Hop], start_ms: int) -> Iterator[Hop]:
    """With times since the start, and how long it took from the last station that tells one."""
    before_ms = start_ms
    for hop in hops:
        if hop.at_ms is None:
            yield hop
            continue
        yield replace(hop, at_ms=hop.at_ms - start_ms, took_ms=max(0, hop.at_ms - before_ms))
        before_ms = max(before_ms, hop.at_ms)


def _postings(entries: Sequence[Told]) -> tuple[Posting, ...]:
    """Each transfer once, whichever account's statement named it."""
    found: dict[str, Posting] = {}
    for entry in entries:
        ends = (entry["account_id"], entry["counter_account"])
        giver, taker = ends if entry["amount_minor"] < 0 else ends[::-1]
        found.setdefault(
            entry["transfer_id"],
            Posting(
                transfer_id=entry["transfer_id"],
                rule=entry["rule"],
                giver=giver,
                taker=taker,
                amount=Money(abs(entry["amount_minor"]), "CNY").decimal(),
            ),
        )
    return tuple(found[name] for name in sorted(found))
