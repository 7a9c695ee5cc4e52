"""From a terminal line into the spool: checks, signature, commit, acknowledgement.

Rule 1: a line acknowledges (``Settle``) only after the commit, or after a refusal.
Rule 2: the envelopes of one device are checked and committed one after another, in their order.
Rule 3: every arrival is settled exactly once and refused at most once; nothing is dropped silently.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from hub.domain import admission
from hub.domain.admission import NOWHERE, Accept, Arrival, Position, Refuse
from hub.domain.backlog import may_wait
from hub.domain.effects import Effect, Settle, Speak, Store, UplinkRow, Verify
from hub.domain.limits import CHECKS_WAITING_MAX, CHECKS_WAITING_PER_DEVICE_MAX
from hub.domain.registry import Device, Registry
from protocol.answers import Answer
from protocol.clock import Clock
from protocol.crypto.keys import VerifyKey
from protocol.errors import advice
from protocol.messages import ErrorBody, Refusal


@dataclass(frozen=True, slots=True)
class _Check:
    ticket: int
    arrival: Arrival
    accepted: Accept


def refusal_answer(refusal: Refuse, *, store: str, now_ms: int) -> Answer:
    """A refusal by the hub itself. A terminal never ends a payment because of one."""
    found = advice(refusal.code)
    error = ErrorBody(code=found.code, retry=found.retry, zh=found.zh, en=found.en)
    return Answer(
        message_type="refusal",
        request_id=refusal.request_id,
        device=refusal.to,
        store=store,
        answered_at_ms=now_ms,
        body=Refusal(error=error).to_map(),
        trace_id=refusal.trace_id,
    )


class Uplink:
    """The arrivals that are not in the spool yet."""

    def __init__(
        self,
        *,
        store: str,
        registry: Registry,
        positions: Mapping[str, Position],
        clock: Clock,
        emit: Callable[[Effect], None],
        has_room: Callable[[str, int, int, int], bool],
        is_late: Callable[[], bool],
        accepted: Callable[[UplinkRow, int], None],
    ) -> None:
        """``has_room(device, envelope bytes, rows pending, bytes pending)`` guards the spool;
        ``is_late()`` tells that one more would wait too long for the backend;
        ``accepted(row, ticket)`` takes each row once it is committed."""
        self._store = store
        self._registry = registry
        self._positions = dict(positions)
        self._clock = clock
        self._emit = emit
        self._has_room = has_room
        self._is_late = is_late
        self._accepted = accepted
        self._tickets = 0
        self._lanes: dict[str, deque[_Check]] = {}
        self._checking: dict[int, _Check] = {}
        self._storing: dict[int, UplinkRow] = {}
        self._waiting = 0
        self._waiting_bytes = 0
        self.refused: Counter[str] = Counter()

    def arrive(self, arrival: Arrival) -> int:
        """Take bytes from a line; the ticket names them in the effects that follow."""
        self._tickets += 1
        ticket = self._tickets
        verdict = admission.examine(
            arrival,
            store=self._store,
            registry=self._registry,
            now_ms=self._clock.now_ms(),
        )
        if isinstance(verdict, Refuse):
            self._refuse(ticket, arrival, verdict)
            return ticket
        check = _Check(ticket, arrival, verdict)
        lane = self._lanes.get(verdict.device.tid)
        is_put_off = may_wait(verdict.sealed.envelope.message_type) and self._is_late()
        if is_put_off or self._is_full(verdict.device.tid, arrival, lane):
            self._refuse_check(check, "busy")
            return ticket
        self._waiting += 1
        self._waiting_bytes += len(arrival.payload)
        if lane is not None:
            lane.append(check)
        else:
            self._lanes[verdict.device.tid] = deque((check,))
            self._begin(verdict.device.tid)
        return ticket

    def verified(self, ticket: int, *, is_good: bool) -> None:
        """The signature was checked."""
        check = self._checking.pop(ticket)
        tid = check.accepted.device.tid
        device = self._registry.find(tid)
        if not is_good:
            self._drop(check, "signature_invalid")
        elif device is None or not self._is_good(device, check.accepted.key):
            self._drop(check, "device_unknown")
        elif device.refusal is not None:
            self._drop(check, device.refusal)
        else:
            self._store_row(check)
        self._lanes[tid].popleft()
        self._begin(tid)

    def _is_good(self, device: Device, key: VerifyKey) -> bool:
        """Whether the signing key is still valid: the device's row may have changed meanwhile."""
        return device.key_of(key.kid, now_ms=self._clock.now_ms()) is not None

    def stored(self, ticket: int, row: int) -> None:
        """The row is committed: the line may acknowledge."""
        committed = replace(self._storing.pop(ticket), row=row)
        self._leave(len(committed.envelope))
        self._emit(Settle(ticket, committed.device))
        self._accepted(committed, ticket)

    def not_stored(self, ticket: int, code: str) -> None:
        """It was not stored. The device is told why, and to send the same request again."""
        row = self._storing.pop(ticket)
        self._leave(len(row.envelope))
        told = Refuse(code, row.device, row.request_id, row.trace_id)
        self._speak(ticket, told, row.transport)
        self._emit(Settle(ticket))

    def boot_epoch(self, tid: str) -> int:
        """Which start of a device its last accepted envelope came from; 0 before the first."""
        return max(self._positions.get(tid, NOWHERE)[0], 0)

    @property
    def waiting(self) -> int:
        """Arrivals that are neither committed nor refused yet."""
        return self._waiting

    def _begin(self, tid: str) -> None:
        lane = self._lanes[tid]
        while lane:
            check = lane[0]
            last = self._positions.get(tid, NOWHERE)
            if check.accepted.sealed.envelope.position > last:
                self._checking[check.ticket] = check
                self._emit(Verify(check.ticket, check.accepted.sealed, check.accepted.key))
                return
            self._drop(check, "envelope_replayed")
            lane.popleft()
        del self._lanes[tid]

    def _store_row(self, check: _Check) -> None:
        envelope = check.accepted.sealed.envelope
        self._positions[envelope.device] = envelope.position
        row = UplinkRow(
            row=0,
            device=envelope.device,
            position=envelope.position,
            request_id=envelope.request_id,
            trace_id=envelope.trace_id,
            envelope=check.arrival.payload,
            received_at_ms=check.arrival.received_at_ms,
            transport=check.arrival.transport,
        )
        self._storing[check.ticket] = row
        self._emit(Store(check.ticket, row))

    def _is_full(self, tid: str, arrival: Arrival, lane: deque[_Check] | None) -> bool:
        return (
            self._waiting >= CHECKS_WAITING_MAX
            or (lane is not None and len(lane) >= CHECKS_WAITING_PER_DEVICE_MAX)
            or not self._has_room(tid, len(arrival.payload), self._waiting, self._waiting_bytes)
        )

    def _drop(self, check: _Check, code: str) -> None:
        self._leave(len(check.arrival.payload))
        self._refuse_check(check, code)

    def _leave(self, size: int) -> None:
        self._waiting -= 1
        self._waiting_bytes -= size

    def _refuse_check(self, check: _Check, code: str) -> None:
        refusal = admission.refusal_of(check.accepted.sealed, code, arrival=check.arrival)
        self._refuse(check.ticket, check.arrival, refusal)

    def _refuse(self, ticket: int, arrival: Arrival, refusal: Refuse) -> None:
        self._speak(ticket, refusal, arrival.transport)
        self._emit(Settle(ticket))

    def _speak(self, ticket: int, refusal: Refuse, transport: admission.Transport) -> None:
        self.refused[refusal.code] += 1
        answer = refusal_answer(refusal, store=self._store, now_ms=self._clock.now_ms())
        self._emit(Speak(answer, transport, ticket, refusal.code))
