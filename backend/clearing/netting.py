"""Netting: who pays whom how much, of many obligations. Pure.

Rule 1: netting changes how much money moves and never who is owed what: every participant's net is
        the same, gross, by pairs and through the middle, and all nets together are zero.
Rule 2: the result is a function of the obligations as a set of sums: neither their order nor how
        they are cut into pieces has a say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Obligation:
    """A participant owes another."""

    debtor: str
    creditor: str
    amount_minor: int

    def __post_init__(self) -> None:
        assert self.amount_minor >= 0
        assert self.debtor != self.creditor


def gross_minor(obligations: Iterable[Obligation]) -> int:
    """What would move if everybody paid everything."""
    return sum(one.amount_minor for one in obligations)


def bilateral(obligations: Iterable[Obligation]) -> tuple[Obligation, ...]:
    """What each pair still owes after taking both directions together, by names; a pair that owes
    nothing is left out."""
    pairs: dict[tuple[str, str], int] = {}
    for one in obligations:
        first, second = sorted((one.debtor, one.creditor))
        sign = 1 if one.debtor == first else -1
        pairs[first, second] = pairs.get((first, second), 0) + sign * one.amount_minor
    found = [
        Obligation(first, second, left) if left > 0 else Obligation(second, first, -left)
        for (first, second), left in pairs.items()
        if left
    ]
    return tuple(sorted(found, key=lambda one: (one.debtor, one.creditor)))


def multilateral(
    obligations: Iterable[Obligation], participants: Iterable[str] = ()
) -> dict[str, int]:
    """What each participant gets (positive) or pays (negative) through the middle: Σ received −
    Σ paid. Everybody named is in it, also with nothing; the sum is zero."""
    nets = dict.fromkeys(sorted(participants), 0)
    for one in obligations:
        nets[one.creditor] = nets.get(one.creditor, 0) + one.amount_minor
        nets[one.debtor] = nets.get(one.debtor, 0) - one.amount_minor
    assert sum(nets.values()) == 0
    return nets


def moved_minor(nets: Mapping[str, int]) -> int:
    """What moves when everybody settles with the middle: what the payers pay."""
    return sum(net for net in nets.values() if net > 0)


def without(obligations: Iterable[Obligation], participant: str) -> tuple[Obligation, ...]:
    """The last resort when a debtor cannot pay: all that is left when its part is unwound."""
    return tuple(one for one in obligations if participant not in {one.debtor, one.creditor})


@dataclass(frozen=True, slots=True, kw_only=True)
class NetPosition:
    """A channel's day as our books have it: what it owes us for payments and top-ups, and what we
    owe it for refunds, lost disputes and payouts. ``cost_minor`` is what it keeps for itself."""

    channel_id: str
    settlement_date: str
    received_minor: int
    paid_minor: int
    cost_minor: int = 0

    @property
    def net_minor(self) -> int:
        """What must come into the reserve; negative: what must leave it."""
        nets = multilateral(
            (
                Obligation(self.channel_id, _US, self.received_minor),
                Obligation(_US, self.channel_id, self.paid_minor + self.cost_minor),
            )
        )
        return nets[_US]


_US = ""
"""No channel has this name."""


def compare(position: NetPosition, said_minor: int) -> int:
    """How much more a channel settles than our books expect; 0 when they agree."""
    return said_minor - position.net_minor
