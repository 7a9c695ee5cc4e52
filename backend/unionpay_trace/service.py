"""Commands over the terminal's numbers. A transaction takes its number once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from backend.channels.iso8583.limits import BATCH_MAX
from backend.channels.unionpay_ports import TraceWish, TraceWord
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.unionpay_trace.limits import NUMBERS_PER_BATCH_MAX
from backend.unionpay_trace.tables import TERMINAL, TRACE
from protocol.clock import CHINA


@dataclass(frozen=True, slots=True)
class TakeTrace:
    """Give a transaction the terminal's next number, or the one it has: its row, and whether it is
    new."""

    tid: str
    mid: str
    wish: TraceWish

    def reads(self) -> Iterable[Read]:
        return [(TERMINAL, self.tid), (TRACE, self.wish.own_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> tuple[Row, bool]:  # noqa: ARG002  # the wish has its time
        wish = self.wish
        known = ws.get(TRACE, wish.own_id)
        if known is not None:
            return known, False
        batch, stan = _next(ws, self.tid)
        at = datetime.fromtimestamp(wish.at_ms // 1000, UTC).astimezone(CHINA)
        ws.insert(
            TRACE,
            {
                "own_id": wish.own_id,
                "kind": wish.kind.value,
                "amount_minor": wish.amount_minor,
                "token": wish.token,
                "tid": self.tid,
                "mid": self.mid,
                "batch": batch,
                "stan": stan,
                "local_date": f"{at:%m%d}",
                "local_time": f"{at:%H%M%S}",
            },
        )
        found = ws.get(TRACE, wish.own_id)
        assert found is not None
        return found, True


@dataclass(frozen=True, slots=True)
class TakeNumber:
    """Use up the terminal's next number: (batch, STAN)."""

    tid: str

    def reads(self) -> Iterable[Read]:
        return [(TERMINAL, self.tid)]

    def decide(self, ws: WorkingSet, now_ms: int) -> tuple[int, int]:  # noqa: ARG002
        return _next(ws, self.tid)


@dataclass(frozen=True, slots=True)
class NoteWord:
    """Keep what the switch said of a transaction."""

    word: TraceWord

    def reads(self) -> Iterable[Read]:
        return [(TRACE, self.word.own_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002
        word = self.word
        ws.update(
            TRACE,
            word.own_id,
            code=word.code,
            rrn=word.rrn,
            settlement_date=word.settlement_date,
            counts=int(word.counts),
        )


@dataclass(frozen=True, slots=True)
class CloseBatch:
    """Note a batch as settled, and begin the next if the terminal still uses this one."""

    tid: str
    batch: int

    def reads(self) -> Iterable[Read]:
        return [(TERMINAL, self.tid)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002
        row = ws.get(TERMINAL, self.tid)
        assert row is not None, "a terminal without a number has no batch"
        ws.update(TERMINAL, self.tid, settled_batch=self.batch)
        if row["batch"] == self.batch:
            ws.update(TERMINAL, self.tid, batch=batch_after(self.batch), next_stan=1)


def _next(ws: WorkingSet, tid: str) -> tuple[int, int]:
    row = ws.get(TERMINAL, tid)
    if row is None:
        ws.insert(TERMINAL, {"tid": tid, "batch": 1, "next_stan": 2, "settled_batch": 0})
        return 1, 1
    batch, stan = row["batch"], row["next_stan"]
    # A batch whose numbers are used up ends: batch and STAN together never come twice in a day.
    if stan < NUMBERS_PER_BATCH_MAX:
        ws.update(TERMINAL, tid, next_stan=stan + 1)
    else:
        ws.update(TERMINAL, tid, batch=batch_after(batch), next_stan=1)
    return batch, stan


def batch_after(batch: int) -> int:
    """The batch that follows: after the last comes the first again."""
    return batch + 1 if batch < BATCH_MAX else 1
