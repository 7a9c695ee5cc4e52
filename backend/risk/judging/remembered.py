"""What a program remembers of attempts and of what became known of them. Pure.

Rule 1: being told the same twice changes nothing, so that what is stored and what others tell may
        overlap.
Rule 2: a label may be told before the attempt that it was given to, which another backend judged:
        it waits, and counts from when the attempt is told.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from backend.risk.features.definition import FeatureSet
from backend.risk.features.past import Past
from backend.risk.features.stream import FeatureState, Value
from backend.risk.judging.limits import (
    ATTEMPTS_PER_PAYMENT_MAX,
    CLOCKS_APART_MS_MAX,
    EARLY_LABELED_MAX,
    EARLY_WORDS_MAX,
    PAYMENTS_REMEMBERED_MAX,
)

Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt that is durable. ``row``: in the order of the feature set's columns."""

    attempt_id: str
    payment_id: str
    at_ms: int
    row: Row


@dataclass(frozen=True, slots=True)
class Word:
    """A durable label of a payment: of its latest attempt."""

    payment_id: str
    is_fraud: bool
    available_at_ms: int


class Memory(Protocol):
    """What the desk asks. One task at a time."""

    @property
    def trouble(self) -> str:
        """Why less is remembered than should be; empty: nothing is amiss."""
        ...

    def measure(
        self, at_ms: int, row: Row, is_over: Callable[[], bool] | None = None
    ) -> list[float]:
        """The features of an attempt, which leaves no trace. Raises ``EventError``."""
        ...

    def remember(self, tried: Tried) -> None:
        """Keep an attempt that was measured."""
        ...

    def learn(self, word: Word) -> None:
        """Keep a label. One of a payment that is not remembered waits for it; one that says what
        was said before is no second fraud; one that says the opposite takes its place."""
        ...


@dataclass(slots=True)
class _Payment:
    tried: Tried
    attempt_ids: tuple[str, ...]
    verdict: bool | None = None
    said_at_ms: int = -1


class Remembered:
    """The memory of one program. For a set whose features have no conditions (``where``), which ask
    for the vector of each attempt. ``pasts``: who was seen before what it will be told."""

    trouble = ""

    def __init__(self, feature_set: FeatureSet, *, pasts: Mapping[str, Past] | None = None) -> None:
        assert not any(feature.where for feature in feature_set.features), "asks for the vector"
        self._state = FeatureState(feature_set, pasts=pasts)
        self._payments: OrderedDict[str, _Payment] = OrderedDict()
        self._early: OrderedDict[str, tuple[Word, ...]] = OrderedDict()
        """Labels of payments that are not remembered. Nearly all are too old to matter."""

    def measure(
        self, at_ms: int, row: Row, is_over: Callable[[], bool] | None = None
    ) -> list[float]:
        return self._state.measure(at_ms, row, is_over)

    def remember(self, tried: Tried) -> None:
        known = self._payments.pop(tried.payment_id, None)
        if known is not None and tried.attempt_id in known.attempt_ids:
            self._payments[tried.payment_id] = known
            return
        self._state.remember(tried.at_ms, tried.row, [])
        if known is None:
            known = _Payment(tried, ())
        if known.verdict is None:  # a label stays with the attempt that it was given to
            known.tried = tried
        attempt_ids = (*known.attempt_ids, tried.attempt_id)
        known.attempt_ids = attempt_ids[-ATTEMPTS_PER_PAYMENT_MAX:]
        self._payments[tried.payment_id] = known
        self._forget_oldest()
        for word in self._early.pop(tried.payment_id, ()):
            if word.available_at_ms + CLOCKS_APART_MS_MAX >= tried.at_ms:  # else of one before it
                self.learn(word)

    def know(self, tried: Tried) -> None:
        """An attempt of the past, which counts nowhere any more: what its label says may."""
        self._payments.setdefault(tried.payment_id, _Payment(tried, (tried.attempt_id,)))
        self._forget_oldest()

    def learn(self, word: Word) -> None:
        known = self._payments.get(word.payment_id)
        if known is None:
            self._wait(word)
            return
        if word.is_fraud is known.verdict or word.available_at_ms < known.said_at_ms:
            return
        # Another backend's clock may be behind that of the one that judged.
        available_at_ms = max(word.available_at_ms, known.tried.at_ms)
        self._state.learn(
            known.tried.at_ms,
            known.tried.row,
            is_fraud=word.is_fraud,
            available_at=available_at_ms,
            instead_since=None if known.verdict is None else known.said_at_ms,
        )
        known.verdict, known.said_at_ms = word.is_fraud, available_at_ms

    def _forget_oldest(self) -> None:
        if len(self._payments) > PAYMENTS_REMEMBERED_MAX:
            self._payments.popitem(last=False)

    def _wait(self, word: Word) -> None:
        before = self._early.get(word.payment_id, ())
        if word not in before:
            self._early[word.payment_id] = (*before, word)[-EARLY_WORDS_MAX:]
        if len(self._early) > EARLY_LABELED_MAX:
            self._early.popitem(last=False)
