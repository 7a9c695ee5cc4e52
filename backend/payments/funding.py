"""Which of a payer's sources pays: the balance, or an instrument through one of its channels."""

from collections.abc import Collection
from dataclasses import dataclass

from backend.channels.facts import Offer
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.instruments.model import BALANCE, InstrumentKind, funding_of
from backend.instruments.tables import INSTRUMENT, INSTRUMENT_CHANNEL
from backend.payments.model import PaymentRules
from backend.routing.model import Candidate, Decision, PassedOver, decide
from backend.routing.service import health_of, keep_health
from backend.routing.tables import CHANNEL_HEALTH
from backend.switches.service import channel_stop_read, is_channel_stopped
from backend.wallet.tables import PAYER
from protocol.money import Money


@dataclass(frozen=True, slots=True)
class Funding:
    """Where the money comes from."""

    kind: str = BALANCE
    instrument_id: str | None = None

    @property
    def is_balance(self) -> bool:
        """Whether the money is with us already, so that it moves at once."""
        return self.kind == BALANCE


def funding_reads(
    ws: WorkingSet, payer_id: str, wanted: str | None, rules: PaymentRules
) -> list[Read]:
    """What ``choose`` and ``route`` read, as far as it is known by now."""
    payer = ws.loaded(PAYER, payer_id)
    instrument_id = wanted or (payer["default_instrument_id"] if payer else None)
    if instrument_id is None or instrument_id == BALANCE:
        return []
    return [(INSTRUMENT, instrument_id), *route_reads(instrument_id, rules)]


def route_reads(instrument_id: str, rules: PaymentRules) -> list[Read]:
    """What ``route`` reads, whatever kind of instrument it turns out to be."""
    found: list[Read] = []
    for channel_id in rules.routing.all_channels:
        found += [(INSTRUMENT_CHANNEL, (instrument_id, channel_id)), (CHANNEL_HEALTH, channel_id)]
        found += [channel_stop_read(channel_id), *rules.room.reads(channel_id)]
    return found


def choose(
    ws: WorkingSet, payer: Row, wanted: str | None, *, has_own_advance: bool
) -> Funding | None:
    """The wanted source, or the payer's default; None where the payer has no such instrument."""
    instrument_id = wanted or payer["default_instrument_id"]
    if instrument_id is None or instrument_id == BALANCE:
        return Funding()
    row = ws.get(INSTRUMENT, instrument_id)
    if row is None or row["payer_id"] != payer["payer_id"] or row["status"] != "active":
        return None
    kind = funding_of(InstrumentKind(row["kind"]), has_own_advance=has_own_advance)
    return Funding(kind, instrument_id)


def route(  # what a decision is about
    ws: WorkingSet,
    rules: PaymentRules,
    funding: Funding,
    *,
    amount: Money,
    now_ms: int,
    offer: Offer = Offer.PAY,
    tried: Collection[str] = (),
) -> Decision:
    """Decide which channel takes a payment, or pays one out."""
    assert funding.instrument_id is not None
    routing = rules.routing
    candidates = [
        Candidate(
            facts=routing.facts[channel_id],
            token=token_of(ws, funding.instrument_id, channel_id),
            health=health_of(ws, channel_id),
            room_minor=rules.room.left_minor(ws, channel_id, now_ms),
            is_stopped=is_channel_stopped(ws, channel_id),
        )
        for channel_id in routing.channels_of(funding.kind)
    ]
    return decide(routing, candidates, amount=amount, offer=offer, now_ms=now_ms, tried=tried)


def admit(ws: WorkingSet, channel_id: str, now_ms: int) -> None:
    """A payment goes to a channel: through a half-open breaker it is the probe."""
    before = health_of(ws, channel_id)
    keep_health(ws, channel_id, before, before.admitted(now_ms), now_ms)


def fallbacks(decision: Decision) -> tuple[str, ...]:
    """The other channels that could take it, the best first. One whose breaker is open now may be
    well again when it is needed."""
    may_be_asked = (None, PassedOver.BREAKER_OPEN)
    return tuple(
        one.channel_id
        for one in decision.considered
        if one.channel_id != decision.channel_id and one.passed_over in may_be_asked
    )


def token_of(ws: WorkingSet, instrument_id: str, channel_id: str) -> str:
    """What a channel calls an instrument; empty where it does not know it."""
    row = ws.get(INSTRUMENT_CHANNEL, (instrument_id, channel_id))
    return "" if row is None else str(row["token"])
