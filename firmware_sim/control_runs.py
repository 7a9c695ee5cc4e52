"""The control API's part that runs scenarios and replays, and hands out their reports."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from faces.locale import language_of
from firmware_sim.limits import RUN_STEPS_AT_ONCE_MAX, YAML_BYTES_MAX
from firmware_sim.reports.junit import to_junit
from firmware_sim.reports.page import to_page
from firmware_sim.runs.model import RunTold
from firmware_sim.runs.registry import Runs
from firmware_sim.runs.shelf import Shelf, scenario_in
from firmware_sim.scenario.form import Scenario


class RunBody(BaseModel):
    """A scenario of the shelf, or one that stands here. ``stepwise``: every step waits to be let
    happen."""

    model_config = ConfigDict(extra="forbid")
    scenario: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    source: Annotated[str, Field(min_length=1, max_length=YAML_BYTES_MAX)] | None = None
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] | None = None
    stepwise: bool = False

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "RunBody":
        if (self.scenario is None) == (self.source is None):
            raise ValueError("give either scenario or source")
        return self


class StepBody(BaseModel):
    """How many steps happen."""

    model_config = ConfigDict(extra="forbid")
    steps: Annotated[int, Field(ge=1, le=RUN_STEPS_AT_ONCE_MAX)] = 1


def run_routes(shelf: Shelf, runs: Runs) -> APIRouter:
    """``/scenarios`` and ``/runs``."""
    routes = APIRouter()

    @routes.get("/scenarios")
    def scenarios() -> dict[str, object]:
        return {"scenarios": [asdict(one) for one in shelf.listed()]}

    @routes.get("/scenarios/{name}")
    def scenario(name: str) -> dict[str, object]:
        return {"name": name, "source": shelf.source(name)}

    @routes.post("/runs")
    async def begin(body: RunBody) -> dict[str, object]:
        name, source, wanted = await asyncio.to_thread(_wanted, shelf, body)
        run = runs.begin_scenario(
            wanted, name=name, source=source, seed=body.seed, is_stepwise=body.stepwise
        )
        return run_shown(run.told())

    @routes.get("/runs")
    async def all_runs() -> dict[str, object]:
        return {"runs": [run_shown(told) for told in runs.told()]}

    @routes.get("/runs/{number}")
    async def one(number: int) -> dict[str, object]:
        return run_shown(runs.run(number).told())

    @routes.post("/runs/{number}/step")
    async def step(number: int, body: StepBody) -> dict[str, object]:
        run = runs.run(number)
        run.step(body.steps)
        return run_shown(run.told())

    @routes.post("/runs/{number}/go-on")
    async def go_on(number: int) -> dict[str, object]:
        run = runs.run(number)
        run.go_on()
        return run_shown(run.told())

    @routes.post("/runs/{number}/stop")
    async def stop(number: int) -> dict[str, object]:
        run = runs.run(number)
        run.stop()
        return run_shown(run.told())

    @routes.get("/runs/{number}/report.{form}")
    def report(number: int, form: Literal["xml", "html"], request: Request) -> Response:
        found = runs.report(number)
        headers = {"content-disposition": f'attachment; filename="run-{number}.{form}"'}
        if form == "xml":
            return Response(to_junit(found), media_type="application/xml", headers=headers)
        page = to_page(found, language_of(request))
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)

    return routes


def _wanted(shelf: Shelf, body: RunBody) -> tuple[str, str, Scenario]:
    """The name, the words and the scenario that a request means."""
    if body.source is not None:
        return "", body.source, scenario_in(body.source)
    name = body.scenario or ""
    return name, shelf.source(name), shelf.scenario(name)


def run_shown(told: RunTold) -> dict[str, object]:
    """A run as the API shows it."""
    case = told.case
    return {
        "number": told.number, "sort": told.sort, "name": told.name, "title": told.title,
        "title_zh": told.title_zh,
        "seed": told.seed,
        "state": told.state, "stepwise": told.is_stepwise, "line": told.line,
        "steps_done": told.steps_done, "steps": told.steps, "took_ms": told.took_ms,
        "said": told.said, "said_zh": told.said_zh,
        "reason": case.reason if case else "", "reason_zh": case.reason_zh if case else "",
        "events": [event.model_dump(mode="json") for event in told.events],
    }  # fmt: skip
