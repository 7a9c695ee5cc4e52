"""Who owes whom after a day of payments. Pure.

Rule 1: a payment from one member to another is one obligation; within a member it is none.
Rule 2: the multilateral net of a member is what it receives less what it pays; all sum to zero.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

_TRAFFIC_MINOR_MAX = 5_000_000


@dataclass(frozen=True, slots=True)
class Obligation:
    """``payer`` owes ``payee``."""

    payer: str
    payee: str
    amount_minor: int


def multilateral(members: Iterable[str], owed: Iterable[Obligation]) -> dict[str, int]:
    """Every member's net, positive if it receives; members without traffic have zero."""
    nets = dict.fromkeys(sorted(members), 0)
    for item in owed:
        nets[item.payer] -= item.amount_minor
        nets[item.payee] += item.amount_minor
    assert not sum(nets.values())
    return nets


def bilateral(owed: Iterable[Obligation]) -> dict[tuple[str, str], int]:
    """Every pair's net: (payer, payee) → an amount above zero."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for item in owed:
        if item.payer < item.payee:
            sums[item.payer, item.payee] += item.amount_minor
        elif item.payer > item.payee:
            sums[item.payee, item.payer] -= item.amount_minor
    return {
        (pair if minor > 0 else (pair[1], pair[0])): abs(minor)
        for pair, minor in sums.items()
        if minor
    }


def of_bilateral(members: Iterable[str], pairs: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """The multilateral net by way of the bilateral one."""
    owed = (Obligation(payer, payee, minor) for (payer, payee), minor in pairs.items())
    return multilateral(members, owed)


def traffic(members: Sequence[str], day: date, *, seed: str, count: int) -> Iterator[Obligation]:
    """What other members pay each other on a day: the same for the same seed, day and members."""
    for number in range(count):
        text = f"{seed}/{day.isoformat()}/{number}".encode()
        draw = int.from_bytes(hashlib.sha256(text).digest(), "big")
        draw, payer = divmod(draw, len(members))
        draw, step = divmod(draw, len(members) - 1)
        payee = (payer + 1 + step) % len(members)
        yield Obligation(members[payer], members[payee], 1 + draw % _TRAFFIC_MINOR_MAX)
