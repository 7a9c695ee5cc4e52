"""Keeping channels' health, inside the transactions that hear of it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from backend.db.command import Command, Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.detail import printable
from backend.routing.health import CLOSED, Health, HealthState
from backend.routing.limits import REASON_CHARS_MAX
from backend.routing.tables import CHANNEL_HEALTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A command about a channel's word that notes, in the same transaction, whether the channel
    lives. It reads, follows and answers as the command itself."""

    channel_id: str
    is_answered: bool
    reason: str
    command: Command

    def reads(self) -> Iterable[Read]:
        return [(CHANNEL_HEALTH, self.channel_id), *self.command.reads()]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        follow = getattr(self.command, "follow", None)
        return [] if follow is None else list(follow(ws))

    def decide(self, ws: WorkingSet, now_ms: int) -> Any:  # noqa: ANN401
        before = health_of(ws, self.channel_id)
        after = before.answered(now_ms) if self.is_answered else before.unanswered(now_ms)
        keep_health(ws, self.channel_id, before, after, now_ms, reason=self.reason)
        return self.command.decide(ws, now_ms)


def health_of(ws: WorkingSet, channel_id: str) -> Health:
    """A channel's breaker."""
    row = ws.get(CHANNEL_HEALTH, channel_id)
    return CLOSED if row is None else read_health(row)


def keep_health(
    ws: WorkingSet, channel_id: str, before: Health, after: Health, now_ms: int, *, reason: str = ""
) -> None:
    """Write the breaker down if it has changed: a channel that answers costs no write."""
    if after == before:
        return
    columns = asdict(after) | {
        "state": after.state.value,
        "reason": printable(reason, chars_max=REASON_CHARS_MAX),
        "updated_at_ms": now_ms,
    }
    if ws.get(CHANNEL_HEALTH, channel_id) is None:
        ws.insert(CHANNEL_HEALTH, {"channel_id": channel_id, **columns})
    else:
        ws.update(CHANNEL_HEALTH, channel_id, **columns)


def read_health(row: Row) -> Health:
    """The breaker that a row tells of."""
    return Health(
        state=HealthState(row["state"]),
        silences=row["silences"],
        silent_at_ms=row["silent_at_ms"],
        openings=row["openings"],
        opened_at_ms=row["opened_at_ms"],
        probe_at_ms=row["probe_at_ms"],
    )
