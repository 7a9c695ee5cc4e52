"""Which channel takes a payment, and why not the others. Pure.

Rule 1: a channel that cannot take it (offer, instrument, currency, amount, cap, health) is passed
        over, and the first reason is kept.
Rule 2: the others are ordered by what configuration says counts: its preference, the price of this
        amount, health. What is equal in all goes by name, so that the same question always has the
        same answer.
Rule 3: one payment is at one channel at a time: a channel that has been tried is not tried again.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from backend.channels.facts import ChannelFacts, Offer
from backend.channels.model import ADVANCING_BANK, ALIPAY, CUP, CUP_QR, ECNY, FUND, NUCC
from backend.routing.health import CLOSED, Health, HealthState
from backend.routing.limits import DECISIONS_PER_PAYMENT_MAX
from protocol.money import Money
from protocol.scanned import USUAL_FORMS, ScanTable


class Criterion(StrEnum):
    """What channels are ordered by."""

    PREFERENCE = "preference"
    COST = "cost"
    HEALTH = "health"


class PassedOver(StrEnum):
    """Why a channel does not take a payment."""

    TRIED = "tried"
    """It certainly has not taken the payment, and is not asked again."""
    NOT_OFFERED = "not_offered"
    NOT_KNOWN = "not_known"
    """It does not know the payer's instrument."""
    CURRENCY = "currency"
    AMOUNT = "amount"
    CAP_EXCEEDED = "cap_exceeded"
    """The net debit cap has no room for the amount."""
    BREAKER_OPEN = "breaker_open"
    SWITCHED_OFF = "switched_off"
    """An operator has stopped it."""


PREFERENCE: Mapping[str, tuple[str, ...]] = {
    "card": (NUCC, CUP),
    "fund": (ADVANCING_BANK,),
    "advance": (FUND,),
    "ecny": (ECNY,),
}
"""By a payment's funding: the channels that serve it, the dearest to us first."""
WALLETS: Mapping[str, tuple[str, ...]] = {"alipay": (ALIPAY,), "unionpay": (CUP_QR,)}
"""By the wallet whose code was scanned: the channels that serve its payers, the dearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """What configuration decides. ``facts`` holds the channels that this installation has."""

    facts: Mapping[str, ChannelFacts] = field(default_factory=dict)
    preference: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(PREFERENCE))
    wallets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(WALLETS))
    order_by: tuple[Criterion, ...] = tuple(Criterion)
    scan: ScanTable = field(default_factory=lambda: ScanTable(USUAL_FORMS, ()))
    """Whose code a scanned text is, by its form."""

    def channels_of_wallet(self, wallet: str) -> tuple[str, ...]:
        """The channels we have for another wallet's payers, in the order of preference."""
        return tuple(name for name in self.wallets.get(wallet, ()) if name in self.facts)

    def channels_of(self, funding: str) -> tuple[str, ...]:
        """The channels we have for a funding, in the order of preference."""
        return tuple(name for name in self.preference.get(funding, ()) if name in self.facts)

    @property
    def all_channels(self) -> tuple[str, ...]:
        """Every channel that some funding may go through, each once."""
        named = [name for one in self.preference for name in self.channels_of(one)]
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A channel, as it stands for one payment. ``token``: its name for the payer's instrument,
    empty where it has none; ``room_minor``: what its net debit cap still allows, None: no cap."""

    facts: ChannelFacts
    token: str
    health: Health = CLOSED
    room_minor: int | None = None
    is_stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """What was known of a channel at the moment of the decision. ``passed_over`` is empty where it
    could have taken the payment."""

    channel_id: str
    cost_micro: int
    health: HealthState
    passed_over: PassedOver | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The chosen channel, or None; and all that were considered, the best first."""

    channel_id: str | None
    considered: tuple[Considered, ...]
    at_ms: int

    @property
    def refusal(self) -> str:
        """What is said where no channel was found."""
        is_stopped = any(one.passed_over is PassedOver.SWITCHED_OFF for one in self.considered)
        return "channel_stopped" if is_stopped else "channel_unavailable"

    def to_map(self) -> dict[str, Any]:
        """For people, and to be kept."""
        return {
            "at_ms": self.at_ms,
            "channel_id": self.channel_id,
            "considered": [
                {
                    "channel_id": one.channel_id,
                    "cost_micro": one.cost_micro,
                    "health": one.health.value,
                    "passed_over": one.passed_over.value if one.passed_over else "",
                }
                for one in self.considered
            ],
        }


def decide(
    routing: Routing,
    candidates: Sequence[Candidate],
    *,
    amount: Money,
    offer: Offer,
    now_ms: int,
    tried: Collection[str] = (),
) -> Decision:
    """Choose among the candidates, which stand in the order of preference."""
    judged = [
        Considered(
            channel_id=one.facts.channel_id,
            cost_micro=one.facts.cost.cost_micro(amount.amount_minor),
            health=one.health.at(now_ms).state,
            passed_over=_why_not(one, amount, offer, now_ms, tried),
        )
        for one in candidates
    ]
    places = {one.facts.channel_id: place for place, one in enumerate(candidates)}

    def rank(one: Considered) -> tuple[Any, ...]:
        by: dict[Criterion, int] = {
            Criterion.PREFERENCE: places[one.channel_id],
            Criterion.COST: one.cost_micro,
            Criterion.HEALTH: int(one.health is not HealthState.CLOSED),
        }
        counted = [by[criterion] for criterion in routing.order_by]
        return one.passed_over is not None, *counted, one.channel_id

    ordered = sorted(judged, key=rank)
    is_found = bool(ordered) and ordered[0].passed_over is None
    return Decision(
        channel_id=ordered[0].channel_id if is_found else None,
        considered=tuple(ordered),
        at_ms=now_ms,
    )


def explained(before: str | None, decision: Decision) -> str:
    """The decisions about a payment as they are kept with it, the latest last."""
    told = json.loads(before) if before else []
    kept = [*told, decision.to_map()][-DECISIONS_PER_PAYMENT_MAX:]
    return json.dumps(kept, separators=(",", ":"))


def _why_not(
    one: Candidate, amount: Money, offer: Offer, now_ms: int, tried: Collection[str]
) -> PassedOver | None:
    facts, minor = one.facts, amount.amount_minor
    reasons = (
        (facts.channel_id in tried, PassedOver.TRIED),
        (one.is_stopped, PassedOver.SWITCHED_OFF),
        (offer not in facts.offers, PassedOver.NOT_OFFERED),
        (not one.token, PassedOver.NOT_KNOWN),
        (amount.currency not in facts.currencies, PassedOver.CURRENCY),
        (not facts.amount_minor_min <= minor <= facts.amount_minor_max, PassedOver.AMOUNT),
        (one.room_minor is not None and minor > one.room_minor, PassedOver.CAP_EXCEEDED),
        (not one.health.admits(now_ms), PassedOver.BREAKER_OPEN),
    )
    return next((reason for is_so, reason in reasons if is_so), None)
