"""A channel's circuit breaker. Pure: the time is given.

Rule 1: only silence counts (no answer, no connection, a signature that does not hold). A refusal is
        an answer: the channel lives.
Rule 2: an open breaker keeps new payments away; what is under way is asked about and reversed as
        ever.
Rule 3: after a while one payment is let through as a probe (*half-open*); its answer closes the
        breaker, its silence opens it for longer.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from backend.routing.limits import (
    OPEN_MS,
    OPEN_MS_MAX,
    PROBE_MS,
    SILENCE_MEMORY_MS,
    SILENCES_TO_OPEN,
)


class HealthState(StrEnum):
    """Where a breaker is."""

    CLOSED = "closed"
    """Payments pass."""
    OPEN = "open"
    """None passes."""
    HALF_OPEN = "half_open"
    """One passes, to see."""


class HealthStep(StrEnum):
    """What can happen to a breaker."""

    TRIP = "trip"
    COOL_DOWN = "cool_down"
    RECOVER = "recover"


_S, _T = HealthState, HealthStep
TRANSITIONS: dict[tuple[HealthState, HealthStep], HealthState] = {
    (_S.CLOSED, _T.TRIP): _S.OPEN,
    (_S.OPEN, _T.COOL_DOWN): _S.HALF_OPEN,
    (_S.HALF_OPEN, _T.TRIP): _S.OPEN,
    (_S.HALF_OPEN, _T.RECOVER): _S.CLOSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A breaker, as it was when last it changed; ``at`` tells how it stands now."""

    state: HealthState = HealthState.CLOSED
    silences: int = 0
    """Unanswered calls in a row."""
    silent_at_ms: int = 0
    openings: int = 0
    """How often it has opened since it was last closed."""
    opened_at_ms: int = 0
    probe_at_ms: int | None = None
    """When the probe under way was let through."""

    def at(self, now_ms: int) -> "Health":
        """The breaker now: an open one has perhaps cooled down."""
        open_ms = min(OPEN_MS << min(max(self.openings - 1, 0), 16), OPEN_MS_MAX)
        if self.state is HealthState.OPEN and now_ms >= self.opened_at_ms + open_ms:
            return replace(self, state=_after(self.state, HealthStep.COOL_DOWN), probe_at_ms=None)
        return self

    def admits(self, now_ms: int) -> bool:
        """Whether a new payment may go through now."""
        now = self.at(now_ms)
        if now.state is HealthState.HALF_OPEN:
            return now.probe_at_ms is None or now_ms >= now.probe_at_ms + PROBE_MS
        return now.state is HealthState.CLOSED

    def admitted(self, now_ms: int) -> "Health":
        """The breaker after a payment was let through: of a half-open one it is the probe."""
        now = self.at(now_ms)
        return replace(now, probe_at_ms=now_ms) if now.state is HealthState.HALF_OPEN else self

    def answered(self, now_ms: int) -> "Health":
        """The breaker after the channel has said anything. An open one stays open: what is heard
        of it may have been long on its way."""
        now = self.at(now_ms)
        match now.state:
            case HealthState.CLOSED:
                return replace(now, silences=0, silent_at_ms=0)
            case HealthState.OPEN:
                return self
        return Health(state=_after(now.state, HealthStep.RECOVER))

    def unanswered(self, now_ms: int) -> "Health":
        """The breaker after a call without an answer."""
        now = self.at(now_ms)
        if now.state is HealthState.OPEN:
            return self
        is_recent = now_ms < now.silent_at_ms + SILENCE_MEMORY_MS
        silences = now.silences + 1 if is_recent else 1
        counted = replace(now, silences=silences, silent_at_ms=now_ms)
        if now.state is HealthState.CLOSED and silences < SILENCES_TO_OPEN:
            return counted
        return replace(
            counted,
            state=_after(now.state, HealthStep.TRIP),
            openings=now.openings + 1,
            opened_at_ms=now_ms,
            probe_at_ms=None,
        )


CLOSED = Health()
"""Of a channel that nothing bad is known of."""


def _after(state: HealthState, step: HealthStep) -> HealthState:
    return TRANSITIONS[state, step]
