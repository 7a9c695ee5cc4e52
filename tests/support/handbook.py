"""Card transactions with three ways of fraud, made from the published parameters of the Fraud
Detection Handbook's simulator (its chapter 3). Own code: only the numbers are the book's.

Rule 1: everything follows from the seed and the parameters.
Rule 2: what a row is called by is not what it is drawn with: the scenario of a fraud is returned
        beside the rows and never written into a file that a scorer reads.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

DAY_S = 86_400
FIRST_DAY = datetime(2018, 4, 1)  # noqa: DTZ001  # the book's, of no zone
SECONDS = "%Y-%m-%d %H:%M:%S"

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenarios:
    """The three ways of fraud: a large amount, a bad terminal, a stolen card."""

    amount_minor_above: int = 22_000
    terminals_per_day: int = 2
    terminal_days: int = 28
    cards_per_day: int = 3
    card_days: int = 14
    card_factor: int = 5
    card_share: int = 3
    """One in so many of a stolen card's transactions is the thief's."""


CHANGED = Scenarios(amount_minor_above=18_000, terminal_days=10, card_factor=3)
"""What the variant that drifts goes over to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The size of the world and what happens in it."""

    cards: int = 5_000
    terminals: int = 10_000
    days: int = 183
    grid: float = 100.0
    radius: float = 5.0
    scenarios: Scenarios = Scenarios()
    later: Scenarios = Scenarios()
    """In the last third of the days."""


FULL = Parameters()
DRIFTING = replace(FULL, later=CHANGED)
SMALL = Parameters(
    cards=200,
    terminals=400,
    days=45,
    radius=12.0,
    scenarios=Scenarios(terminals_per_day=1, cards_per_day=1),
)
"""For tests: some 17,000 rows, one in ten a fraud."""


@dataclass(frozen=True, slots=True)
class World:
    """Rows in the order of time; ``scenario`` is 0 for what is honest."""

    t_sec: Integers
    card: Integers
    terminal: Integers
    amount_minor: Integers
    scenario: Integers

    @property
    def day(self) -> Integers:
        """Days from the first, which is 0."""
        return self.t_sec // DAY_S

    @property
    def is_fraud(self) -> NDArray[np.bool_]:
        """What a scorer has to find."""
        return self.scenario > 0


def make_world(seed: int, parameters: Parameters = FULL) -> World:
    """The transactions of all days."""
    luck = np.random.default_rng(seed)
    card, t_sec, amount = _honest(luck, parameters)
    terminal = _terminals(luck, parameters, card)
    order = np.argsort(t_sec, kind="stable")
    card, t_sec, amount, terminal = card[order], t_sec[order], amount[order], terminal[order]
    scenario = np.zeros(len(card), np.int64)
    day = t_sec // DAY_S
    starts_late = parameters.days - parameters.days // 3
    cut = np.where(
        day < starts_late,
        parameters.scenarios.amount_minor_above,
        parameters.later.amount_minor_above,
    )
    scenario[amount > cut] = 1
    for today in range(parameters.days):
        plan = parameters.scenarios if today < starts_late else parameters.later
        bad = luck.choice(parameters.terminals, plan.terminals_per_day, replace=False)
        first, last = np.searchsorted(day, [today, today + plan.terminal_days])
        scenario[first:last][np.isin(terminal[first:last], bad)] = 2
    for today in range(parameters.days):
        plan = parameters.scenarios if today < starts_late else parameters.later
        stolen = luck.choice(parameters.cards, plan.cards_per_day, replace=False)
        first, last = np.searchsorted(day, [today, today + plan.card_days])
        rows = first + np.nonzero(np.isin(card[first:last], stolen))[0]
        thiefs = luck.choice(rows, len(rows) // plan.card_share, replace=False)
        amount[thiefs] *= plan.card_factor
        scenario[thiefs] = 3
    return World(t_sec, card, terminal, amount, scenario)


def _honest(
    luck: np.random.Generator, parameters: Parameters
) -> tuple[Integers, Integers, Integers]:
    """Who pays, when and how much: a Poisson number a day, near noon, around the card's mean."""
    mean = luck.uniform(5, 100, parameters.cards)
    rate = luck.uniform(0, 4, parameters.cards)
    number = luck.poisson(np.repeat(rate, parameters.days))
    card = np.repeat(np.repeat(np.arange(parameters.cards), parameters.days), number)
    day = np.repeat(np.tile(np.arange(parameters.days), parameters.cards), number)
    second = luck.normal(DAY_S / 2, 20_000, len(card)).astype(np.int64)
    amount = luck.normal(mean[card], mean[card] / 2)
    amount = np.where(amount < 0, luck.uniform(0, 2 * mean[card]), amount)
    kept = (second > 0) & (second < DAY_S)
    minor = np.rint(amount * 100).astype(np.int64)
    return card[kept], (day * DAY_S + second)[kept], minor[kept]


def _terminals(luck: np.random.Generator, parameters: Parameters, card: Integers) -> Integers:
    """One of the terminals near the card's home for each row; any, where none is near."""
    homes = luck.uniform(0, parameters.grid, (parameters.cards, 2))
    places = luck.uniform(0, parameters.grid, (parameters.terminals, 2))
    terminal = np.empty(len(card), np.int64)
    ends = np.searchsorted(card, np.arange(parameters.cards + 1))
    for owner, home in enumerate(homes):
        near = np.nonzero(((places - home) ** 2).sum(1) < parameters.radius**2)[0]
        number = int(ends[owner + 1] - ends[owner])
        terminal[ends[owner] : ends[owner + 1]] = luck.choice(
            near if len(near) else parameters.terminals, number
        )
    return terminal


def write_files(world: World, folder: Path, *, label_delay_days: int = 7) -> tuple[Path, Path]:
    """The transactions and the feed of labels as files, as ``tillway risk evaluate`` reads them."""
    t_sec, size = pl.Series(world.t_sec), len(world.t_sec)
    ids = pl.Series(np.arange(size)).cast(pl.String)
    minor = pl.Series(world.amount_minor)
    transactions = pl.DataFrame(
        {
            "tx_id": ids,
            "ts": (FIRST_DAY + (t_sec * 1_000_000).cast(pl.Duration("us"))).dt.to_string(SECONDS),
            "t_sec": t_sec,
            "day": t_sec // DAY_S,
            "card_id": world.card,
            "terminal_id": world.terminal,
            "amount": (minor // 100).cast(pl.String)
            + "."
            + (minor % 100).cast(pl.String).str.zfill(2),
        }
    )
    feed = pl.DataFrame(
        {
            "tx_id": ids,
            "fraud": world.is_fraud.astype(np.int64),
            "available_at": t_sec + label_delay_days * DAY_S,
        }
    )
    paths = folder / "tx.csv", folder / "feed.csv"
    transactions.write_csv(paths[0])
    feed.write_csv(paths[1])
    return paths
