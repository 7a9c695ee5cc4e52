"""Goal: scenarios and replays run beside a board: whole, step by step, stopped, reported; traces
are recorded, handed out and in, and played back.
"""

import asyncio
import threading
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.limits import RUNS_AT_ONCE_MAX, RUNS_KEPT_MAX, TRACES_KEPT_MAX
from firmware_sim.recording.trace import read_trace
from firmware_sim.reports.report import Case, Verdict
from firmware_sim.runs.model import ENDED, TRANSITIONS, RunState, Sort, Turn
from firmware_sim.runs.registry import Runs
from firmware_sim.runs.run import Run, RunStoppedError
from firmware_sim.runs.shelf import BUILT_IN, Shelf
from firmware_sim.scenario.form import load_scenario
from firmware_sim.scenario.running import run_scenario
from protocol.errors import CallerError
from tests.kit.patience import PATIENCE_S
from tests.support.sim_bench import Desk, desk

READ_MODE = bytes.fromhex("7E000701000A01EE8A")
STEPS = """
name: two questions
steps:
  - {send: scanner, hex: 7E 00 07 01 00 0A 01 EE 8A}
  - repeat: 2
    steps: [{wait: 10ms}]
  - {expect: scanner, frame: reply}
"""


async def _ended(here: Desk, number: int) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            told: dict[str, Any] = (await here.http.get(f"/runs/{number}")).json()
            if told["state"] in ENDED:
                return told
            await asyncio.sleep(0.02)


async def _told_of(here: Desk, number: int, words: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if words in (await here.http.get(f"/runs/{number}")).json()["said"]:
                return
            await asyncio.sleep(0.02)


def _outcome(page: str) -> str:
    """What a page says of a run, without its events."""
    return unescape(page[page.index('class="outcome') :].partition("<h3>最后")[0])


async def _waits(here: Desk, number: int, line: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            told = (await here.http.get(f"/runs/{number}")).json()
            if (told["state"], told["line"]) == ("waiting", line):
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_scenario_that_is_built_in_holds_at_several_seeds(path: Path) -> None:
    for seed in (None, 1, 2):
        result = run_scenario(load_scenario(path), seed=seed)
        assert result.has_held, result.explain()


def test_every_turn_of_a_run_is_in_its_table_and_what_has_ended_stays_so() -> None:
    assert {state for state, _ in TRANSITIONS} == set(RunState) - ENDED
    assert {turn for _, turn in TRANSITIONS} == set(Turn)


@pytest.mark.asyncio
async def test_a_scenario_of_the_shelf_is_run_and_reported(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        listed = (await here.http.get("/scenarios")).json()["scenarios"]
        assert {"lost-byte", "power-cut"} <= {one["name"] for one in listed}
        begun = await here.http.post("/runs", json={"scenario": "power-cut", "seed": 4})
        told = await _ended(here, begun.json()["number"])
        assert (told["state"], told["seed"], told["steps_done"]) == ("passed", 4, told["steps"])
        again = await here.http.post("/runs", json={"scenario": "power-cut", "seed": 4})
        assert (await _ended(here, again.json()["number"]))["took_ms"] == told["took_ms"]
        xml = await here.http.get("/runs/1/report.xml")
        assert b'failures="0"' in xml.content
        assert "attachment" in xml.headers["content-disposition"]
        assert b"<!doctype html>" in (await here.http.get("/runs/1/report.html")).content
        for language, said in (("en", "<dt>seed</dt>"), ("zh", "<dt>种子</dt>")):
            page = (await here.http.get(f"/runs/1/report.html?lang={language}")).text
            assert said in page
            link = f"/runs/1/report.html?lang={language}"
            assert link in (await here.http.get(f"/bench/scenarios?run=1&lang={language}")).text
        assert "全部成立" in (await here.http.get("/bench/scenarios?run=1")).text


@pytest.mark.asyncio
async def test_scenarios_and_their_runs_are_called_by_the_page_s_language(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        listed = (await here.http.get("/scenarios")).json()["scenarios"]
        for one in listed:
            assert one["title_zh"] != one["title"], f"{one['name']} has no Chinese name"
        begun = (await here.http.post("/runs", json={"scenario": "lost-byte"})).json()
        await _ended(here, begun["number"])
        zh, en = begun["title_zh"], begun["title"]
        for language, said, other in (("zh", zh, en), ("en", en, zh)):
            page = (await here.http.get(f"/bench/scenarios?lang={language}&run=1")).text
            lists = unescape(page[: page.index('id="stage"')])
            assert lists.count(said) == 2, "on the shelf, and among the runs"
            assert other not in lists
        own = (await here.http.post("/runs", json={"source": STEPS})).json()
        assert own["title_zh"] == own["title"] == "two questions"


@pytest.mark.asyncio
async def test_a_run_takes_its_steps_as_somebody_lets_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        begun = await here.http.post("/runs", json={"source": STEPS, "stepwise": True})
        number = begun.json()["number"]
        await _waits(here, number, 4)
        assert (await here.http.get(f"/runs/{number}/report.xml")).status_code == 400
        await here.http.post(f"/runs/{number}/step", json={})
        await _waits(here, number, 6)
        page = (await here.http.get(f"/bench/scenarios?lang=en&run={number}")).text
        assert 'value="6" data-mark="now"' in page
        await here.http.post(f"/runs/{number}/go-on")
        told = await _ended(here, number)
        assert (told["state"], told["steps_done"], told["steps"]) == ("passed", 4, 4)
        assert [event["name"] for event in told["events"]] == ["read", "reply"]
        assert (await here.http.post(f"/runs/{number}/step", json={})).status_code == 400


@pytest.mark.asyncio
async def test_a_run_is_stopped_before_its_next_step(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        for _ in range(RUNS_AT_ONCE_MAX):
            await here.http.post("/runs", json={"source": STEPS, "stepwise": True})
        busy = await here.http.post("/runs", json={"scenario": "lost-byte"})
        assert busy.status_code == 409
        await here.http.post("/runs/1/stop")
        assert (await _ended(here, 1))["state"] == "stopped"
        assert "Stopped" in (await here.http.get("/bench/scenarios?lang=en&run=1")).text


@pytest.mark.asyncio
async def test_what_does_not_hold_is_told_with_its_line(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        source = STEPS + "  - {check: scanner, state: {codes_read: 3}}\n"
        number = (await here.http.post("/runs", json={"source": source})).json()["number"]
        told = await _ended(here, number)
        assert (told["state"], told["line"]) == ("failed", 8)
        for language, words in (("zh", "现在是 0"), ("en", "it is 0")):
            path = f"/bench/scenarios?lang={language}&run={told['number']}"
            assert words in (await here.http.get(path)).text
        assert "codes_read" in told["reason"]
        assert b"codes_read" in (await here.http.get(f"/runs/{number}/report.xml")).content


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("name: x\ntime: real\ndriver: [/bin/sh]\nsteps: []\n", "time: real"),
        ("name: x\nboard: ../pos.yaml\nsteps: []\n", "board"),
        ("name: x\nsteps: [{sned: scanner}]\n", "did you mean 'send'"),
        ("[]", "keys with values"),
    ],
)
@pytest.mark.asyncio
async def test_a_scenario_in_a_request_starts_no_program_and_reads_no_file(
    tmp_path: Path, source: str, why: str
) -> None:
    async with desk(tmp_path) as here:
        (tmp_path / "own.yaml").write_text("name: own\n")
        answer = await here.http.post("/runs", json={"source": source})
        assert answer.status_code == 400
        assert why in answer.json()["error"]["detail"]
        outside = f"name: x\nboard: {tmp_path / 'own.yaml'}\nsteps: []\n"
        assert (await here.http.post("/runs", json={"source": outside})).status_code == 400


def test_a_folders_own_scenarios_stand_first_and_a_wrong_one_says_why(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(STEPS)
    (tmp_path / "wrong.yaml").write_text("name: 3\nsteps: [{hop: on}]\n")
    listed = {one.name: one for one in Shelf(tmp_path).listed()}
    assert listed["mine"].steps == 4
    assert "wrong.yaml" in listed["wrong"].wrong
    with pytest.raises(CallerError, match="mine"):
        Shelf(tmp_path).source("nobody")


def test_so_many_runs_are_kept_and_none_that_runs_is_dropped() -> None:
    runs, gate = Runs(), threading.Event()

    def play(run: Run) -> Case:
        gate.wait(10) if run.title == "first" else None
        return Case("x", "x", Verdict.PASSED)

    runs.begin_replay("t", "first", play)
    for _ in range(RUNS_KEPT_MAX + 4):
        run = runs.begin_replay("t", "more", play)
        while not run.has_ended:
            gate.wait(0.001)
    kept = [told.number for told in runs.told()]
    assert len(kept) <= RUNS_KEPT_MAX
    assert 1 in kept
    gate.set()


def test_a_run_that_nobody_lets_go_on_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_sim.runs.run.RUN_WAITS_S_MAX", 0.05)
    run = Run(1, Sort.SCENARIO, "x", is_stepwise=True)
    with pytest.raises(RunStoppedError):
        run.before_step(3, 0)
    run.end(None)
    assert run.told().state is RunState.STOPPED


@pytest.mark.asyncio
async def test_a_recording_begins_without_a_body_and_gets_a_name(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        begun = await here.http.post("/recording/start")
        assert begun.status_code == 200
        assert (await here.http.post("/recording/stop")).json()["trace"] == begun.json()[
            "recording"
        ]


@pytest.mark.asyncio
async def test_a_recording_is_handed_out_and_in_and_played_to_a_device(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        here.say("scanner", READ_MODE)
        while here.wire.last < 2:  # its answer, too, is before the recording
            await here.wire.wait(here.wire.last, 1)
        name = (await here.http.post("/recording/start", json={})).json()["recording"]
        assert name == "pos-001"
        assert (await here.http.post("/recording/start", json={})).status_code == 409
        await here.http.post("/devices/display/acts/look", json={})
        here.say("scanner", READ_MODE)
        while here.place.traces.events < 3:
            await here.wire.wait(here.wire.last, 1)
        stopped = (await here.http.post("/recording/stop")).json()
        assert stopped == {"trace": "pos-001", "events": 3}
        content = (await here.http.get("/traces/pos-001.jsonl")).content
        trace = read_trace(content.decode().splitlines())
        assert [event.t_ms < 5_000 for event in trace.events] == [True] * 3
        told = (await here.http.put("/traces/again", content=content)).json()
        assert told["devices"]["scanner"] == {"kind": "gm65", "frames": 2}
        run = await here.http.post("/replays", json={"trace": "again", "device": "scanner"})
        assert (await _ended(here, run.json()["number"]))["state"] == "passed"
        page = (await here.http.get("/bench/traces?lang=en&name=again&run=1")).text
        assert page.count("All was alike") == 2, "in the list of runs, and in its outcome"
        assert "All held" not in page
        assert "1 of 1 turns" in page


async def _recorded(here: Desk) -> None:
    """A question to the scanner and its answer, as the trace ``day``."""
    await here.http.post("/recording/start", json={"name": "day"})
    here.say("scanner", READ_MODE)
    while here.place.traces.events < 2:
        await here.wire.wait(here.wire.last, 1)
    await here.http.post("/recording/stop")


@pytest.mark.asyncio
async def test_the_first_difference_of_a_replay_is_shown_both_ways(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await _recorded(here)
        content = (await here.http.get("/traces/day.jsonl")).text.replace('"3e"', '"3f"')
        await here.http.put("/traces/bent", content=content.encode())
        run = await here.http.post("/replays", json={"trace": "bent", "device": "scanner"})
        assert (await _ended(here, run.json()["number"]))["state"] == "failed"
        page = (await here.http.get("/bench/traces?lang=en&name=bent&run=1")).text
        assert "data=3f" in page
        assert "data=3e" in page
        assert "turn 1 of 1: the device answers otherwise" in page
        assert "expected " in page
        page = (await here.http.get("/bench/traces?lang=zh&name=bent&run=1")).text
        assert "第 1 轮（共 1 轮）：器件答得不一样" in page
        told = _outcome(page)
        assert "0 轮，共 1 轮" in told
        assert "应为 " in told
        assert "来了 " in told
        assert not {"expected", "came", "turns"} & set(told.split())


@pytest.mark.asyncio
async def test_a_device_is_played_to_a_driver_until_somebody_stops_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await _recorded(here)
        body = {"trace": "day", "device": "scanner", "play": "device"}
        number = (await here.http.post("/replays", json=body)).json()["number"]
        await _told_of(here, number, "scanner is played on /dev/")
        for language, words in (("en", "is played on /dev/"), ("zh", "上扮演 scanner")):
            path = f"/bench/traces?lang={language}&name=day&run={number}"
            assert words in _outcome((await here.http.get(path)).text)
        await here.http.post(f"/runs/{number}/stop")
        assert (await _ended(here, number))["state"] == "stopped"


@pytest.mark.asyncio
async def test_what_a_driver_never_said_is_told_in_both_languages(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await _recorded(here)
        body = {"trace": "day", "device": "scanner", "play": "device", "listen_s": 1}
        number = (await here.http.post("/replays", json=body)).json()["number"]
        told = await _ended(here, number)
        en, zh = told["reason"], told["reason_zh"]
        assert en == "1 turns of the trace never came. nothing more came within 1 s"
        assert zh == "记录里还有 1 轮没有来。1 秒内没有再来消息"
        for language, words in (("en", en), ("zh", zh)):
            path = f"/bench/traces?lang={language}&name=day&run={number}"
            assert words in (await here.http.get(path)).text


@pytest.mark.asyncio
async def test_wrong_traces_and_names_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        for name in ("..", "a.b", "%2e%2e%2fx"):
            assert (await here.http.put(f"/traces/{name}", content=b"{}")).status_code >= 400
        broken = await here.http.put("/traces/broken", content=b'{"tillway_trace": 2}')
        assert broken.json()["error"]["code"] == "trace_invalid"
        assert (await here.http.get("/traces")).json() == {"traces": []}
        assert (await here.http.post("/recording/stop")).status_code == 400
        folder = tmp_path / "traces"
        for number in range(TRACES_KEPT_MAX):
            (folder / f"t{number}.jsonl").write_text("")
        assert (await here.http.post("/recording/start", json={})).status_code == 409
        assert len((await here.http.delete("/traces/t0")).json()["traces"]) == TRACES_KEPT_MAX - 1


@pytest.mark.asyncio
async def test_a_body_without_bounds_is_refused(tmp_path: Path) -> None:
    async def endless() -> Any:
        yield b"{}"

    async with desk(tmp_path) as here:
        answer = await here.http.post("/runs", content=endless())
        assert answer.status_code == 413
