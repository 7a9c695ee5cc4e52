"""Adding what a process has measured to the sums of all."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.observability.flows import Counts, Flow, Outcome
from backend.observability.limits import FLOW_MINUTES_KEPT
from backend.observability.tables import FLOW_MINUTE


@dataclass(frozen=True, slots=True)
class KeepFlows:
    """Add these counts. A minute that is older than the one in its place comes too late and is
    left out."""

    counts: Counts

    def reads(self) -> Iterable[Read]:
        return [(FLOW_MINUTE, _key(*key)) for key in self.counts]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002
        for (minute, flow, outcome, bucket), count in self.counts.items():
            key = _key(minute, flow, outcome, bucket)
            known = ws.get(FLOW_MINUTE, key)
            if known is None:
                place, *_ = key
                ws.insert(
                    FLOW_MINUTE,
                    {
                        "place": place, "flow": flow.value, "outcome": outcome.value,
                        "bucket": bucket, "minute": minute, "count": count,
                    },
                )  # fmt: skip
            elif known["minute"] == minute:
                ws.update(FLOW_MINUTE, key, count=known["count"] + count)
            elif known["minute"] < minute:
                ws.update(FLOW_MINUTE, key, minute=minute, count=count)


def _key(minute: int, flow: Flow, outcome: Outcome, bucket: int) -> tuple[int, str, str, int]:
    return minute % FLOW_MINUTES_KEPT, flow.value, outcome.value, bucket
