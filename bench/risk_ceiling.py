"""How well a world of the handbook's could be ranked by somebody who knows its rules: the
scenarios, their numbers and each card's true mean, and else, as everybody, only the labels that are
known a week later. No learner can be expected to rank better; what is missing to one is luck.

A terminal: the share of the days on which its run of known frauds may have begun that let it go on
until now; without such a run, how many days it has not been vouched for. A card: the odds, over the
days on which it may have been stolen, of the amounts and labels since.
"""

import numpy as np
from numpy.typing import NDArray

from bench.risk_protocol import GAP_DAYS
from tests.support.handbook import DAY_S, Parameters, Scenarios, World

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ABOVE_ALL = 2.0
CERTAIN = 1e6
LARGE, TERMINAL, CARD = 1, 2, 3


def ceiling(world: World, rows: Integers, parameters: Parameters) -> Floats:
    """Scores of these rows. For worlds whose scenarios do not change."""
    plan = parameters.scenarios
    bad = 1 - (1 - _terminals(world, rows, parameters)) * (1 - _cards(world, rows, parameters))
    return np.where(world.amount_minor[rows] > plan.amount_minor_above, ABOVE_ALL, bad)


def _terminals(world: World, rows: Integers, parameters: Parameters) -> Floats:
    plan, of_terminal = parameters.scenarios, _Histories(world, world.terminal)
    a_day = plan.terminals_per_day / parameters.terminals
    found, day = np.zeros(len(rows)), world.day
    for place, row in enumerate(rows):
        known = of_terminal.until(row, delay_s=GAP_DAYS * DAY_S)
        today, days, scenario = day[row], day[known], world.scenario[known]
        honest, frauds = days[scenario == 0], days[scenario == TERMINAL]
        vouched = honest[-1] if len(honest) else -plan.terminal_days
        run = frauds[frauds >= vouched] if len(frauds) and frauds[-1] >= vouched else frauds[:0]
        if len(run):
            first = max(vouched, run[0] - plan.terminal_days + 1)
            begins = np.arange(first, run[0] + 1)
            found[place] = min((begins + plan.terminal_days > today).mean() + a_day, 1 - 1e-9)
        else:
            found[place] = a_day * min(plan.terminal_days, today - vouched)
    return found


def _cards(world: World, rows: Integers, parameters: Parameters) -> Floats:
    plan, of_card = parameters.scenarios, _Histories(world, world.card)
    a_day, share = plan.cards_per_day / parameters.cards, 1 / plan.card_share
    odds = _thief_to_owner(world, plan)
    found, day = np.zeros(len(rows)), world.day
    for place, row in enumerate(rows):
        today = day[row]
        before = of_card.until(row, delay_s=0)[:-1]
        before = before[day[before] > today - plan.card_days]
        known = world.t_sec[before] <= world.t_sec[row] - GAP_DAYS * DAY_S
        said = np.where(world.scenario[before] == CARD, CERTAIN, 1 - share)
        speaks = np.where(known, said, share * odds[before] + 1 - share)
        stolen = sum(
            float(np.prod(speaks[day[before] >= begun]))
            for begun in range(today - plan.card_days + 1, today + 1)
        )
        thief = a_day * stolen / (1 + a_day * stolen) * share * odds[row]
        found[place] = thief / (1 + thief)
    return found


def _thief_to_owner(world: World, plan: Scenarios) -> Floats:
    """How much likelier each amount is one that was multiplied."""
    own = world.scenario != CARD
    counts = np.maximum(np.bincount(world.card[own], minlength=world.card.max() + 1), 1)
    sums = np.bincount(world.card[own], world.amount_minor[own], minlength=len(counts))
    mean = np.maximum(sums / counts, 1.0)[world.card]
    amount = world.amount_minor.astype(np.float64)

    def density(value: Floats) -> Floats:
        z = (value - mean) / (mean / 2)
        bell = np.exp(-z * z / 2) / (mean / 2 * np.sqrt(2 * np.pi))
        drawn_again = 0.0228 * (value < 2 * mean) / (2 * mean)  # a negative draw is
        both: Floats = bell + drawn_again
        return both

    odds: Floats = density(amount / plan.card_factor) / plan.card_factor / (density(amount) + 1e-12)
    return odds


class _Histories:
    """The rows of each card or terminal, in order of time."""

    def __init__(self, world: World, code: Integers) -> None:
        self._world, self._code = world, code
        self._order = np.lexsort((np.arange(len(code)), code))
        self._firsts = np.searchsorted(code[self._order], np.arange(code.max() + 2))

    def until(self, row: int, *, delay_s: int) -> Integers:
        """Those of the row's own, up to itself, that are so old."""
        code, at = self._code[row], self._world.t_sec[row] - delay_s
        mine = self._order[self._firsts[code] : self._firsts[code + 1]]
        mine = mine[: np.searchsorted(self._world.t_sec[mine], at, side="right")]
        return mine[mine <= row]
