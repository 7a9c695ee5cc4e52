"""One state of features for several backends, through a log in Redis.

Rule 1: the log gives every event and label one place. Each backend applies the entries in that
order to a state of its own, so all states are equal, and a vector is the one that a single backend
would have given that saw the events in the log's order: of every kind of feature, to the bit.
Rule 2: an event is appended and what came before it is read in one step of the server (a script),
so no two backends miss each other.
Rule 3: an entry is checked before it is appended; the log never holds one that cannot be applied.
Rule 4: a backend that the log has run away from, or that meets a log which has lost its memory,
says so (``SharedLost``) and gives no vector until it has joined anew from the stored events.

The log is bounded: it is for what backends have yet to hear of, not for keeping. What is stored is
the payments; ``join`` takes those that the log no longer holds.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from backend.risk.features.definition import FeatureSet
from backend.risk.features.limits import (
    AT_MAX,
    SHARED_ENTRIES_MAX,
    SHARED_PAGE_ENTRIES,
    SHARED_TIMEOUT_S,
)
from backend.risk.features.stream import EventError, FeatureState, Value

_APPEND = """
local number = redis.call('INCR', KEYS[2])
local mine = '0-' .. number
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], mine, 'v', ARGV[3])
local entries = redis.call('XRANGE', KEYS[1], '(0-' .. ARGV[1], mine, 'COUNT', ARGV[4])
return {number, entries}
"""
_Row = Sequence[Value]


class SharedLost(Exception):  # noqa: N818 - a state of things: join again
    """The log cannot be reached, or does not go on from where this backend stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event, or with ``available_at`` a label of one. ``event_id`` is the event's."""

    event_id: str
    at: int
    row: tuple[Value, ...]
    is_fraud: bool = False
    available_at: int | None = None

    @property
    def name(self) -> tuple[object, ...]:
        """What makes it this entry and no other: stored and logged it is the same."""
        return (self.event_id, self.available_at, self.is_fraud)


class SharedState:
    """A backend's own copy of the shared state. Use it from one thread at a time; ``join`` first.

    A call that raises ``SharedLost`` may have appended its entry: it arrived, and counts.
    """

    def __init__(
        self, redis: "Redis", feature_set: FeatureSet, *, entries_max: int = SHARED_ENTRIES_MAX
    ) -> None:
        self._redis = redis
        self._set = feature_set
        self._entries_max = entries_max
        self._log = f"tillway:features:{feature_set.digest[:16]}"
        self._state: FeatureState | None = None
        self._number = 0
        self._append = redis.register_script(_APPEND)

    @classmethod
    def at(
        cls, url: str, feature_set: FeatureSet, *, timeout_s: float = SHARED_TIMEOUT_S
    ) -> "SharedState":
        """At a server's address (``redis://``, ``rediss://``, ``unix://``)."""
        redis = Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s)
        return cls(redis, feature_set)

    def join(self, stored: Iterable[Told]) -> None:
        """Begin anew: first what is stored and not in the log, in order of arrival, then the log.
        Raises ``SharedLost``."""
        # All of it is read before the log is, or what arrives meanwhile would be told twice.
        stored = list(stored)
        self._state, self._number = None, 0
        logged: list[Told] = []
        first = last = 0
        while page := self._page(last):
            first = first or _number(page[0])
            last = _number(page[-1])
            logged += [_read(entry) for entry in page]
        known = {told.name for told in logged}
        state = FeatureState(self._set)
        for told in stored:
            if told.name not in known:
                _apply(state, told)
        for told in logged:
            _apply(state, told)
        if logged and last - first + 1 != len(logged):
            raise SharedLost("the log has gaps")
        self._state, self._number = state, last or self._counted()

    def observe(self, event_id: str, at: int, row: _Row) -> list[float]:
        """The vector of an event, which every backend remembers from now on. Raises ``EventError``
        for an event that cannot be, ``SharedLost``."""
        told = Told(event_id=event_id, at=at, row=tuple(row))
        vector = self._told(told)
        assert vector is not None
        return vector

    def learn(
        self, event_id: str, at: int, row: _Row, *, is_fraud: bool, available_at: int
    ) -> None:
        """A label, for every backend. Raises ``EventError``, ``SharedLost``."""
        self._told(
            Told(event_id=event_id, at=at, row=tuple(row), is_fraud=is_fraud,
                 available_at=available_at)
        )  # fmt: skip

    def _told(self, told: Told) -> list[float] | None:
        state = self._joined()
        _check(state, told)
        try:
            mine, entries = self._append(
                keys=[self._log, f"{self._log}:count"],
                args=[self._number, self._entries_max, _written(told), SHARED_PAGE_ENTRIES],
            )
        except RedisError as error:
            raise SharedLost(str(error)) from error
        if mine <= self._number:
            raise self._lost(f"the log counts {mine} after {self._number}")
        vector = None
        while self._number < mine:
            entries = entries or self._page(self._number)
            if not entries:
                raise self._lost(f"the log ends with {self._number} of {mine}")
            for entry in entries:
                vector = self._follow(state, entry)
            entries = None
        return vector

    def _follow(self, state: FeatureState, entry: Any) -> list[float] | None:  # noqa: ANN401
        number = _number(entry)
        if number != self._number + 1:
            raise self._lost(f"the log goes on with {number} after {self._number}")
        vector = _apply(state, _read(entry))
        self._number = number
        return vector

    def _joined(self) -> FeatureState:
        if self._state is None:
            raise SharedLost("this backend has not joined")
        return self._state

    def _lost(self, why: str) -> SharedLost:
        self._state = None
        return SharedLost(why)

    def _page(self, after: int) -> list[Any]:
        try:
            found: list[Any] = self._redis.xrange(  # type: ignore[assignment]
                self._log, f"(0-{after}", "+", count=SHARED_PAGE_ENTRIES
            )
        except RedisError as error:
            raise SharedLost(str(error)) from error
        return found

    def _counted(self) -> int:
        """Where an empty log stands."""
        try:
            return int(self._redis.get(f"{self._log}:count") or 0)
        except RedisError as error:
            raise SharedLost(str(error)) from error


def _check(state: FeatureState, told: Told) -> None:
    state.code(told.row)
    if not 0 <= told.at <= AT_MAX:
        raise EventError(f"time: {told.at} is not within 0 and {AT_MAX}")
    if told.available_at is not None and told.available_at < told.at:
        raise EventError("available_at: a label is not known before its event")


def _apply(state: FeatureState, told: Told) -> list[float] | None:
    if told.available_at is None:
        return state.observe(told.at, told.row)
    state.learn(told.at, told.row, is_fraud=told.is_fraud, available_at=told.available_at)
    return None


def _written(told: Told) -> str:
    return json.dumps(
        [told.event_id, told.at, told.row, told.is_fraud, told.available_at], separators=(",", ":")
    )


def _read(entry: Any) -> Told:  # noqa: ANN401  (an entry of the client: its id and its fields)
    fields = entry[1]  # in a script's answer they are a flat list
    text = fields[1] if isinstance(fields, list) else fields[b"v"]
    event_id, at, row, is_fraud, available_at = json.loads(text)
    return Told(event_id=event_id, at=at, row=tuple(row), is_fraud=is_fraud,
                available_at=available_at)  # fmt: skip


def _number(entry: Any) -> int:  # noqa: ANN401
    return int(entry[0].partition(b"-")[2])
