"""When requests passed through the hub: each step once, a bounded number, nothing decided by it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hub.domain.effects import UplinkRow
from hub.domain.limits import PASSAGES_KEPT_MAX
from hub.domain.passages import Passages
from tests.kit.hub_shop import Bench


@dataclass
class Ticking:
    """A clock that goes on by one at every look."""

    at_ms: int = 1_000

    def now_ms(self) -> int:
        self.at_ms += 1
        return self.at_ms


def row(number: int, trace_id: str = "t") -> UplinkRow:
    return UplinkRow(
        row=number, device="till-1", position=(1, number), request_id=f"req_{number}",
        trace_id=trace_id, envelope=b"", received_at_ms=1_000, transport="mqtt",
    )  # fmt: skip


def test_each_step_has_its_time_and_a_repeated_one_its_first() -> None:
    passages = Passages(Ticking())
    passages.spooled(row(1))
    for _ in range(2):
        passages.forwarded([row(1), row(9)])
        passages.answered(1)
        passages.handed_over(1)
    [told] = passages.of_trace("t")
    times = (told.received_at_ms, told.spooled_at_ms, told.forwarded_at_ms, told.answered_at_ms,
             told.handed_over_at_ms)  # fmt: skip
    assert times == (1_000, 1_001, 1_002, 1_003, 1_004)
    assert passages.of_trace("another") == []


def test_the_oldest_gives_way() -> None:
    passages = Passages(Ticking())
    for number in range(PASSAGES_KEPT_MAX + 5):
        passages.spooled(row(number, f"t{number}"))
    assert passages.of_trace("t4") == []
    assert len(passages.of_trace("t5")) == 1
    passages.answered(1)  # one that was forgotten


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    made.enrol("till-1")
    yield made
    made.close()


def test_the_hub_notes_a_request_that_goes_there_and_back(bench: Bench) -> None:
    bench.hub.receive("till-1", bench.shop.envelope("till-1", 1))
    [sent] = bench.hub.core.passages._by_row.values()
    assert sent.answered_at_ms is None
    assert sent.forwarded_at_ms is not None
    bench.answer(1)
    bench.hub.delivered("till-1", ("uplink", 1))
    [told] = bench.hub.core.passages.of_trace(sent.trace_id)
    steps = (told.received_at_ms, told.spooled_at_ms, told.forwarded_at_ms or 0,
             told.answered_at_ms or 0, told.handed_over_at_ms or 0)  # fmt: skip
    assert list(steps) == sorted(steps)
    assert all(steps)
