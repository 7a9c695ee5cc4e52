"""A day is closed: clocks go to the next morning together, days are run in their order."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.front_shop import FakeInstitution, report
from tillway.demo.day_close import Clocks, china_day, close_day, morning_after
from tillway.json_api import JsonApi


@pytest.mark.parametrize(
    ("now", "morning"),
    [("2026-11-28T15:59", "2026-11-29T01:00"), ("2026-11-28T16:01", "2026-11-30T01:00")],
)
def test_the_next_morning_is_nine_o_clock_of_china_s_next_day(now: str, morning: str) -> None:
    now_ms = int(datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp()) * 1000
    found = datetime.fromtimestamp(morning_after(now_ms) // 1000, UTC)
    assert found == datetime.fromisoformat(morning).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Backend(JsonApi):
    """A backend with open days; ``stays_open`` does not close."""

    open_days: list[str] = field(default_factory=list)
    stays_open: str = ""
    clock: list[int] = field(default_factory=lambda: [morning_after(0) - 3_600_000])

    def get(self, path: str) -> Any:
        if path.endswith("/clock"):
            return {"now_ms": self.clock[0]}
        if path.endswith("/progress"):
            return {}
        today = china_day(self.clock[0]).isoformat()
        earlier = [day for day in self.open_days if day < today]
        return {"today": today, "earliest_open_day": min(earlier, default=None)}

    def post(self, path: str, body: Any = None) -> Any:
        if path.endswith("/clock"):
            self.clock[0] += body["advance_ms"]
            return {}
        day = path.split("/")[4]
        if day == self.stays_open:
            return report(day) | {"state": "open"}
        if day in self.open_days:
            self.open_days.remove(day)
        return report(day)


def closed(backend: Backend) -> list[str]:
    """The days that were run, by the reports that came."""
    return [one["day"] for one in close_day(Clocks(backend, ()), lambda _found: None)]


def test_every_open_day_is_closed_in_its_order_and_an_empty_one_once() -> None:
    backend = Backend("", open_days=["1970-01-02", "1970-01-01"])
    assert closed(backend) == ["1970-01-01", "1970-01-02"]
    assert closed(backend) == ["1970-01-03"]


def test_a_day_that_stays_open_ends_it() -> None:
    days = ["1970-01-01", "1970-01-02"]
    assert closed(Backend("", open_days=days, stays_open="1970-01-01")) == ["1970-01-01"]


def test_all_clocks_show_the_same_morning_and_none_goes_back() -> None:
    behind, ahead = FakeInstitution(""), FakeInstitution("")
    backend = Backend("", clock=[behind.get("/control/clock")["now_ms"] + 400])
    Clocks(backend, (behind, ahead)).to_next_morning()
    gone_ms = backend.clock[0] - behind.get("/control/clock")["now_ms"]
    assert behind.asked == [gone_ms, 0]
    before = backend.clock[0]
    Clocks(Backend("", clock=[0]), (ahead,)).to_next_morning()
    assert ahead.asked[-2:] == [0, 0]
    assert backend.clock[0] == before
