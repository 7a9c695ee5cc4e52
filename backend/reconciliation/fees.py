"""What a channel should charge for each movement, beside which stand the fees of its file. Pure.

Rule: what comes in is charged by the channel's whole price, what goes back by its price an item: as
      the day's cost is counted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from backend.channels.facts import CostTerms
from backend.reconciliation.match import Known
from backend.reconciliation.sides import Side


def priced(sides: Iterable[Side], terms: CostTerms) -> Iterator[Side]:
    """Our movements with the fee in minor units that we expect of each. Where the file tells none,
    ``match`` compares none."""
    item = replace(terms, rate_ppm=0)
    for one in sides:
        by = terms if one.signed_minor > 0 else item
        yield one._replace(fee_minor=by.charged_minor(abs(one.signed_minor)))


def priced_known(known: Mapping[str, Known], terms: CostTerms) -> dict[str, Known]:
    """The movements that our books have on other days, each with its fee."""
    sides = priced((one.side for one in known.values()), terms)
    return {
        name: replace(one, side=side)
        for (name, one), side in zip(known.items(), sides, strict=True)
    }
