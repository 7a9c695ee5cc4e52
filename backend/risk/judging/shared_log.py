"""A bounded log in Redis through which several backends tell each other what became durable.

Rule 1: the log gives every entry one number; whoever reads it misses none and says so
        (``SharedLost``) where it does not go on from where he stands, or has lost its memory: its
        era, a random name that is made with the log, is another then.
Rule 2: an entry is appended and what came before it is read in one step of the server (a script),
        so no two backends miss each other.
Rule 3: no call waits longer than the time-out, and none is tried again. Whom no payment waits for
        has a longer one, and a connection of its own.
Rule 4: a call that was not answered (``SharedLate``) leaves the reader where he stood, so that he
        can go on from there.

It is for what backends have yet to hear of, not for keeping: what is stored is the database's.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from backend.risk.judging.limits import (
    SHARED_BEHIND_MAX,
    SHARED_CONNECT_S,
    SHARED_ENTRIES_MAX,
    SHARED_PAGE_ENTRIES,
    SHARED_PATIENCE_S,
    SHARED_TIMEOUT_S,
)

_SCRIPT = """
local era = redis.call('GET', KEYS[3])
if not era then
  era = ARGV[1]
  redis.call('SET', KEYS[3], era)
end
local number = tonumber(redis.call('GET', KEYS[2]) or '0')
if ARGV[4] ~= '' then
  number = redis.call('INCR', KEYS[2])
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], '0-' .. number, 'v', ARGV[4])
end
local after = ARGV[2] == '' and number or ARGV[2]
return {era, number, redis.call('XRANGE', KEYS[1], '(0-' .. after, '+', 'COUNT', ARGV[3])}
"""
_ERA_BYTES = 16


class SharedLost(Exception):  # noqa: N818 - a state of things: begin again
    """The log cannot be reached, or does not go on from where this reader stands."""


class SharedLate(SharedLost):
    """The log did not answer. It may go on from where this reader stands."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the log answered to whoever stood at ``after``."""

    after: int
    era: bytes
    number: int
    """Where the log ended."""
    entries: list[Any]


class SharedLog:
    """One reader's and writer's place in the log, at first its end. One thread at a time, but for
    ``look_ahead``.

    A call that raises ``SharedLost`` may have appended its entry.
    """

    def __init__(
        self, redis: "Redis", patient: "Redis", name: str, *, entries_max: int = SHARED_ENTRIES_MAX
    ) -> None:
        """Raises ``SharedLost``. Logs of another ``name`` are others; ``patient`` is the same
        server for whoever may wait."""
        self._entries_max = entries_max
        key = f"{{tillway:{name}}}"
        self._keys = [f"{key}:log", f"{key}:count", f"{key}:era"]
        self._script = redis.register_script(_SCRIPT)
        self._patient = patient.register_script(_SCRIPT)
        self._era, self._number, _ = self._step("", after="", is_patient=True)

    @classmethod
    def at(cls, url: str, name: str, *, timeout_s: float = SHARED_TIMEOUT_S) -> "SharedLog":
        """At a server's address (``redis://``, ``rediss://``, ``unix://``). Raises
        ``SharedLost``."""
        redis, patient = (
            Redis.from_url(
                url,
                socket_timeout=waits_s,
                socket_connect_timeout=max(waits_s, SHARED_CONNECT_S),
                retry=Retry(NoBackoff(), 0),
            )
            for waits_s in (timeout_s, max(timeout_s, SHARED_PATIENCE_S))
        )
        return cls(redis, patient, name)

    def begin_anew(self) -> None:
        """Forget what was appended: whoever reads on finds another era and copies what is stored.
        Raises ``SharedLost``."""
        try:
            self._patient.registered_client.delete(*self._keys)
        except RedisError as error:
            raise SharedLate(str(error)) from error
        self._era, self._number, _ = self._step("", after="", is_patient=True)

    def read(self) -> list[str]:
        """What was appended since the last call. Raises ``SharedLost``."""
        return self._told("")

    def append(self, entry: str, *, is_patient: bool = False) -> list[str]:
        """Append an entry, and read what came before and after it. Raises ``SharedLost``."""
        return self._told(entry, is_patient=is_patient)

    def look_ahead(self) -> Page:
        """What comes next, for ``take``; nobody else has to wait meanwhile. Raises
        ``SharedLost``."""
        after = self._number
        return Page(after, *self._step("", after=after, is_patient=True))

    def take(self, page: Page) -> list[str]:
        """What a page brings that nobody has taken meanwhile. Raises ``SharedLost``."""
        self._check(page)
        return [self._next(one) for one in page.entries if _number_of(one) > self._number]

    def _told(self, entry: str, *, is_patient: bool = False) -> list[str]:
        after = self._number
        page = Page(after, *self._step(entry, after=after, is_patient=is_patient))
        self._check(page)
        try:
            return self._to_the_end(page, is_patient=is_patient)
        except SharedLost:
            self._number = after
            raise

    def _to_the_end(self, page: Page, *, is_patient: bool) -> list[str]:
        number, entries = page.number, page.entries
        found: list[str] = []
        while entries:
            found += [self._next(one) for one in entries]
            if self._number >= number:
                return found
            _, _, entries = self._step("", after=self._number, is_patient=is_patient)
        if self._number < number:
            raise SharedLost(f"the log ends with {self._number} of {number}")
        return found

    def _check(self, page: Page) -> None:
        """Check that this is the log that was opened, and that its end is near."""
        if page.era != self._era or page.number < page.after:
            raise SharedLost(f"the log has lost its memory: {page.number} after {page.after}")
        if page.number - page.after > SHARED_BEHIND_MAX:
            raise SharedLost(f"the log is at {page.number}, too far ahead of {page.after}")
        if page.number > page.after and not page.entries:
            raise SharedLost(f"the log ends with {page.after} of {page.number}")

    def _next(self, entry: Any) -> str:  # noqa: ANN401  (of the client: an id and its fields)
        number, text = _number_of(entry), entry[1][1]
        if number != self._number + 1:
            raise SharedLost(f"the log goes on with {number} after {self._number}")
        self._number = number
        return str(text, "utf-8")

    def _step(
        self, entry: str, *, after: int | str, is_patient: bool
    ) -> tuple[bytes, int, list[Any]]:
        fresh = secrets.token_hex(_ERA_BYTES)
        args = [fresh, after, SHARED_PAGE_ENTRIES, entry, self._entries_max]
        try:
            script = self._patient if is_patient else self._script
            era, number, page = script(keys=self._keys, args=args)
        except RedisError as error:
            raise SharedLate(str(error)) from error
        return era, number, page


def _number_of(entry: Any) -> int:  # noqa: ANN401  (of the client: an id and its fields)
    return int(entry[0].partition(b"-")[2])
