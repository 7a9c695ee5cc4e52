"""What a channel offers, to whom and at what price: configuration, read by routing,
clearing and the runner of conversations. Pure.

Prices are counted in micro-units (a millionth of the currency's major unit): NetsUnion's 0.0003
yuan an item is 300, and nothing is rounded per item.
"""

from dataclasses import dataclass
from enum import StrEnum

from backend.channels.model import ADVANCING_BANK, ALIPAY, CUP, CUP_QR, ECNY, FUND, NUCC

MICRO_PER_MINOR = 10_000
"""A fen in micro-yuan."""
_PPM = 1_000_000


class Offer(StrEnum):
    """What a channel can be asked."""

    PAY = "pay"
    QUERY = "query"
    """Whether it tells what became of an order. Where it does not, an order whose outcome is
    unknown is reversed, and a refund or a payout is sent again with its own id."""
    REFUND = "refund"
    FIND = "find"
    """Whether it tells what stands under a number of its own."""
    RETURN = "return"
    """Whether it gives back what is named by a number of its own."""
    PAYOUT = "payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostTerms:
    """What a channel charges us for one item."""

    item_micro: int = 0
    rate_ppm: int = 0
    """Of the amount: parts in a million."""
    rate_micro_max: int | None = None

    def cost_micro(self, amount_minor: int) -> int:
        """The price of an item of this amount, rounded up where the rate leaves a part of a
        micro-unit."""
        by_rate = -(-amount_minor * MICRO_PER_MINOR * self.rate_ppm // _PPM)
        if self.rate_micro_max is not None:
            by_rate = min(by_rate, self.rate_micro_max)
        return self.item_micro + by_rate

    def charged_minor(self, amount_minor: int) -> int:
        """What stands beside a row of this amount in a file that tells fees: rounded half up to a
        minor unit, from the exact price."""
        by_rate = amount_minor * MICRO_PER_MINOR * self.rate_ppm
        if self.rate_micro_max is not None:
            by_rate = min(by_rate, self.rate_micro_max * _PPM)
        whole = MICRO_PER_MINOR * _PPM
        return (2 * (self.item_micro * _PPM + by_rate) + whole) // (2 * whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFacts:
    """One channel. Where its days end is the clearing's to know (``backend.clearing.cut_off``)."""

    channel_id: str
    offers: frozenset[Offer]
    currencies: frozenset[str] = frozenset({"CNY"})
    amount_minor_min: int = 1
    amount_minor_max: int
    cost: CostTerms = CostTerms()

    def __post_init__(self) -> None:
        if not 0 < self.amount_minor_min <= self.amount_minor_max:
            raise ValueError(f"{self.channel_id}: amounts")


_ALL = frozenset(Offer)

DEFAULT_FACTS: dict[str, ChannelFacts] = {
    facts.channel_id: facts
    for facts in (
        ChannelFacts(
            channel_id=NUCC,
            offers=_ALL,
            amount_minor_max=5_000_000,
            cost=CostTerms(item_micro=300),
        ),
        # The POS flavour of ISO 8583 has no message that asks about an order.
        ChannelFacts(
            channel_id=CUP,
            offers=frozenset({Offer.PAY, Offer.REFUND, Offer.RETURN}),
            amount_minor_max=100_000_000,
            cost=CostTerms(rate_ppm=3_825, rate_micro_max=16_250_000),
        ),
        ChannelFacts(
            channel_id=ADVANCING_BANK,
            offers=_ALL - {Offer.PAYOUT},
            # Quick redemption is capped at 10,000 yuan a day since the joint guidance of 2018.
            amount_minor_max=1_000_000,
            # The bank pays what it advanced on a day on that very day, while it can.
        ),
        ChannelFacts(
            channel_id=FUND,
            offers=_ALL - {Offer.PAYOUT},
            amount_minor_max=1_000_000,
        ),
        ChannelFacts(
            channel_id=ECNY,
            offers=_ALL - {Offer.PAYOUT},
            amount_minor_max=5_000_000,
        ),
        ChannelFacts(
            channel_id=ALIPAY,
            offers=_ALL - {Offer.PAYOUT},
            amount_minor_max=5_000_000,
            cost=CostTerms(rate_ppm=2_500),
        ),
        ChannelFacts(
            channel_id=CUP_QR,
            offers=_ALL - {Offer.PAYOUT, Offer.FIND},
            amount_minor_max=5_000_000,
            cost=CostTerms(rate_ppm=3_825, rate_micro_max=16_250_000),
        ),
    )
}
"""Where configuration says nothing else."""
