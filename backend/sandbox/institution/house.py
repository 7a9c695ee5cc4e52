"""What an institution has, whichever it is: a name, books, a clock, faults, a key and peers."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from backend.sandbox.institution.books import Books
from backend.sandbox.institution.faults import Faults
from backend.sandbox.institution.own_clock import OwnClock
from protocol.clock import DAY_MS, Clock
from protocol.crypto.keys import SigningKey, VerifyKey

Answer = tuple[int, bytes, str]
"""HTTP's status, body and media type."""


async def _nothing() -> None:
    """An institution without anything to do when time passes."""


@dataclass(slots=True)
class House:
    """The furniture of one institution."""

    name: str
    books: Books
    clock: OwnClock
    faults: Faults
    key: SigningKey = field(repr=False)
    peers: Mapping[str, VerifyKey]
    """Whose signatures it knows: key id in hexadecimal → key."""
    late: list[Callable[[], Answer | Awaitable[Answer]]] = field(default_factory=list)
    """Requests that the fault ``arrive_late`` keeps on the way."""
    time_passes: Callable[[], Awaitable[None]] = _nothing
    """What is due at this time is done: days close, what is not settled yet is told. Called after
    the clock was put forward, and now and then."""

    def booking_ms(self) -> int:
        """The time at which a request is booked: now, or past the cut-off if that fault is due."""
        delay_ms = DAY_MS if self.faults.strikes("delay_past_cutoff") else 0
        return self.clock.now_ms() + delay_ms


def furnish(
    name: str,
    books: Books,
    *,
    clock: Clock,
    key: SigningKey,
    peers: Mapping[str, VerifyKey],
    faults: Iterable[str] = (),
) -> House:
    """A house with its own clock, the common faults and ``faults`` of its own."""
    return House(name, books, OwnClock(clock, books), Faults(faults), key, peers)
