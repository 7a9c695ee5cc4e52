"""From the hub to a device: answers and pushes, kept until the device acknowledges.

Rule 1: a parcel leaves only by an acknowledgement, by its age, or with a revoked device; the
        latter two are counted.
Rule 2: an answer is written down only if its device does not take it soon. A crash before that
        loses nothing: its envelope is still queued, and the backend answers it the same again.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hub.domain.admission import Transport
from hub.domain.effects import Deliver, Effect, Forget, Parcel, ParcelKey, RecordAnswers
from hub.domain.limits import (
    ANSWER_RECORD_AFTER_MS,
    FORGET_GROUP_MAX,
    PARCEL_AGE_MS_MAX,
    PARCEL_RETRY_MS,
    PARCELS_MAX,
    PARCELS_OFFERED_PER_DEVICE_MAX,
    PARCELS_PER_DEVICE_MAX,
)
from hub.domain.line import is_over
from protocol.clock import Clock


@dataclass(slots=True)
class _Shelf:
    """The parcels that wait for one device, in order, and which of them its line was given."""

    parcels: dict[ParcelKey, Parcel]
    offered: set[ParcelKey]
    failed_at_ms: int = 0


class Delivery:
    """The parcels of all devices."""

    def __init__(
        self, *, clock: Clock, emit: Callable[[Effect], None], parcels: Iterable[Parcel] = ()
    ) -> None:
        """``parcels`` are those found in the spool at start, in their order."""
        self._clock = clock
        self._emit = emit
        self._shelves: dict[str, _Shelf] = {}
        self._routes: dict[str, Transport] = {}
        self._unrecorded: deque[Parcel] = deque()
        self._forgotten: list[ParcelKey] = []
        self._count = 0
        self.lost: Counter[str] = Counter()
        for parcel in parcels:
            self._shelve(parcel)

    @property
    def parcels(self) -> int:
        """Parcels that no device has acknowledged yet."""
        return self._count

    @property
    def has_room(self) -> bool:
        """Whether more pushes may be fetched."""
        return self._count < PARCELS_MAX

    def route_of(self, device: str) -> Transport | None:
        """The line by which a device was heard or reached last since the start."""
        return self._routes.get(device)

    def route(self, device: str, transport: Transport) -> None:
        """Remember by which line a device spoke last."""
        self._routes[device] = transport

    def add(self, parcel: Parcel, ticket: int | None = None) -> None:
        """Take a parcel; ``ticket`` is the request that still waits for it, if any."""
        shelf = self._shelve(parcel)
        if parcel.key[0] == "uplink":
            self._unrecorded.append(parcel)
        if ticket is not None:
            shelf.offered.add(parcel.key)
            self._emit(Deliver(parcel, self._routes.get(parcel.device), ticket))
        else:
            self._offer(parcel.device)

    def connected(self, device: str, transport: Transport) -> None:
        """A device can be reached: offer everything that waits for it, from the beginning."""
        self._routes[device] = transport
        shelf = self._shelves.get(device)
        if shelf is not None:
            shelf.offered.clear()
            self._offer(device)

    def delivered(self, device: str, key: ParcelKey) -> None:
        """The device has it."""
        shelf = self._shelves.get(device)
        if shelf is None or key not in shelf.parcels:
            return  # Offered twice, acknowledged twice.
        self._remove(shelf, device, key)
        self._offer(device)

    def undelivered(self, device: str, key: ParcelKey) -> None:
        """The line could not deliver it; it is tried again at the next connection, or after a
        pause."""
        shelf = self._shelves.get(device)
        if shelf is not None and key in shelf.offered:
            shelf.offered.discard(key)
            shelf.failed_at_ms = self._clock.now_ms()

    def discard_device(self, device: str) -> None:
        """A device that was revoked is told nothing more."""
        shelf = self._shelves.get(device)
        for key in list(shelf.parcels) if shelf else ():
            assert shelf is not None
            self.lost["revoked"] += 1
            self._remove(shelf, device, key)
        self._routes.pop(device, None)

    def tick(self) -> None:
        """Store what waits, drop what is too old, try again to deliver, and delete what was
        delivered."""
        now = self._clock.now_ms()
        self._record(now)
        for device in list(self._shelves):
            self._age(device, now)
        self.flush()

    def not_forgotten(self, keys: Iterable[ParcelKey]) -> None:
        """``Forget`` failed: these rows are deleted later."""
        self._forgotten.extend(keys)

    def flush(self) -> None:
        """Have delivered rows removed, many at a time."""
        while self._forgotten:
            group = tuple(self._forgotten[:FORGET_GROUP_MAX])
            del self._forgotten[:FORGET_GROUP_MAX]
            self._emit(Forget(group))

    def _record(self, now: int) -> None:
        late: list[tuple[int, bytes]] = []
        wait_ms = ANSWER_RECORD_AFTER_MS
        while self._unrecorded and is_over(self._unrecorded[0].since_ms, now, wait_ms):
            parcel = self._unrecorded.popleft()
            shelf = self._shelves.get(parcel.device)
            if shelf is not None and parcel.key in shelf.parcels:
                late.append((parcel.key[1], parcel.payload))
        if late:
            self._emit(RecordAnswers(tuple(late)))

    def _age(self, device: str, now: int) -> None:
        shelf = self._shelves[device]
        for key, parcel in list(shelf.parcels.items()):
            if parcel.since_ms > now - PARCEL_AGE_MS_MAX:
                break
            self.lost["expired"] += 1
            self._remove(shelf, device, key)
        failed_at_ms = shelf.failed_at_ms
        if shelf.parcels and failed_at_ms and is_over(failed_at_ms, now, PARCEL_RETRY_MS):
            shelf.failed_at_ms = 0
            self._offer(device)

    def _shelve(self, parcel: Parcel) -> _Shelf:
        shelf = self._shelves.setdefault(parcel.device, _Shelf({}, set()))
        if len(shelf.parcels) >= PARCELS_PER_DEVICE_MAX:
            # The device can ask for every result it missed; the newest news is the useful one.
            self.lost["overflow"] += 1
            self._remove(shelf, parcel.device, next(iter(shelf.parcels)))
            shelf = self._shelves.setdefault(parcel.device, shelf)
        if parcel.key not in shelf.parcels:
            self._count += 1
        shelf.parcels[parcel.key] = parcel
        return shelf

    def _offer(self, device: str) -> None:
        shelf = self._shelves.get(device)
        if shelf is None:
            return
        for key, parcel in shelf.parcels.items():
            if len(shelf.offered) >= PARCELS_OFFERED_PER_DEVICE_MAX:
                return
            if key not in shelf.offered:
                shelf.offered.add(key)
                self._emit(Deliver(parcel, self._routes.get(device), None))

    def _remove(self, shelf: _Shelf, device: str, key: ParcelKey) -> None:
        del shelf.parcels[key]
        shelf.offered.discard(key)
        self._count -= 1
        self._forgotten.append(key)
        if not shelf.parcels:
            self._shelves.pop(device, None)
