"""``tillway day close``: let the night pass over a running stack, and close what is over.

Rule 1: the clocks go forward only, and together: the backend's and every institution's show the
        next morning in China. One that is there already stays, so it may be asked for again.
Rule 2: the days are closed in their order, by the run that an operator asks for.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from protocol.clock import CHINA
from tillway.clearing import show_report
from tillway.clearing_watch import Told, bar, follow
from tillway.demo.addresses import stack_in
from tillway.demo.phone_book import DIRECTORY, Directory
from tillway.demo.stack import OPERATOR_TOKEN
from tillway.json_api import JsonApi
from tillway.limits import CLEARING_RUN_S_MAX
from tillway.operator_place import api_of

app = typer.Typer(
    help="The day of a running stack.", add_completion=False, no_args_is_help=True,
    pretty_exceptions_enable=False,
)  # fmt: skip
MORNING = time(9, tzinfo=CHINA)
CLOCKS = "clocks"
"""The step before the backend's own steps of a run."""
Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Clocks:
    """Whose clocks go forward."""

    operator: JsonApi
    institutions: tuple[JsonApi, ...]

    def to_next_morning(self) -> None:
        """Put them all to nine in the morning after the backend's day, China's time."""
        now_ms = int(self.operator.get("/operator/v1/clock")["now_ms"])
        target_ms = morning_after(now_ms)
        self.operator.post("/operator/v1/clock", {"advance_ms": target_ms - now_ms})
        for api in self.institutions:
            behind_ms = target_ms - int(api.get("/control/clock")["now_ms"])
            api.post("/control/clock", {"advance_ms": max(behind_ms, 0)})
        for api in self.institutions:  # who was told before its own clock went may have waited
            api.post("/control/clock", {"advance_ms": 0})


def morning_after(now_ms: int) -> int:
    """The next calendar day's nine o'clock in China, in ms since 1970."""
    tomorrow = china_day(now_ms) + timedelta(days=1)
    return int(datetime.combine(tomorrow, MORNING).timestamp()) * 1000


def china_day(at_ms: int) -> date:
    """The calendar's day in China."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(CHINA).date()


def close_day(clocks: Clocks, told: Told) -> list[Report]:
    """Let the night pass, then close every day that is open, at least the one that has just
    ended; their reports. ``told`` gets the backend's progress. A day that stays open ends it."""
    operator, reports = clocks.operator, list[Report]()
    over = operator.get("/operator/v1/clearing")["today"]
    told({"day": over, "step": CLOCKS, "step_number": 1, "steps": 1, "done": 0, "count": 0})
    clocks.to_next_morning()
    while not reports or reports[-1]["state"] == "closed":
        day = operator.get("/operator/v1/clearing")["earliest_open_day"]
        if day is None and any(report["day"] == over for report in reports):
            break
        reports.append(follow(operator, f"/operator/v1/clearing/{day or over}/run", told))
    return reports


@app.callback()
def main() -> None:
    """The day of a running stack."""


@app.command()
def close(directory: Directory = DIRECTORY) -> None:
    """Let the night pass (clocks of backend and institutions go to nine in the morning), then
    clear, settle, pay out, reconcile and test the reserve. Exit code 1 if a day stays open."""
    stack, console = stack_in(directory), Console()
    operator = api_of(
        stack["public_url"],
        Path(stack["ca"]),
        directory / OPERATOR_TOKEN,
        timeout_s=CLEARING_RUN_S_MAX,
    )
    clocks = Clocks(operator, tuple(JsonApi(url) for url in stack["institutions"].values()))
    with bar(console) as told:
        reports = close_day(clocks, told)
    for report in reports:
        show_report(report)
    console.print(f"Look at them in the console: {stack['public_url']}/console", soft_wrap=True)
    raise typer.Exit(0 if all(report["state"] == "closed" for report in reports) else 1)
