"""Rollouts on a real database: waves, thresholds, roll-back, pause, crashes; on both databases."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest

from backend.db.command import Command
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.devices.model import DeviceCommand, DeviceKind
from backend.devices.service import ChangeDevice, CreateStore, EnrolDevice
from backend.payments.model import DeviceRequest
from backend.rollouts.model import Plan, RolloutStep
from backend.rollouts.repository import RolloutRepository
from backend.rollouts.runner import RolloutRunner
from backend.rollouts.service import MoveRollout, PlanRollout
from backend.twins.repository import TwinRepository
from backend.twins.service import ChangeSettings, ReportSettings
from protocol.errors import CallerError, OperatingError
from protocol.messages import DeviceSettings
from tests.support.backend import MERCHANT, STORE, Machine, StepClock, a_merchant, mint

ROLLOUT = mint("rol", 1)
CONTENT = {"sound": False}
Outcome = Callable[[str], str]


class Fleet:
    """A writer on a fresh database with some tills, which answer as the test says."""

    def __init__(self, url: str, count: int = 8) -> None:
        self._engine = open_engine(url)
        self.clock = StepClock()
        self._writer = GroupCommitWriter(open_store(self._engine), clock=self.clock)
        self._reader = Reader.open(url)
        self.rollouts, self.twins = RolloutRepository(self._reader), TwinRepository(self._reader)
        self._reports = dict.fromkeys(self.names(count), 0)
        self.faults = random.Random(1)
        self.fault_rate = 0.0
        self.do(a_merchant())
        self.do(CreateStore(store=STORE, merchant_id=MERCHANT, name="First"))
        for tid in self._reports:
            key = Machine(tid).new_key
            self.do(EnrolDevice(tid=tid, kind=DeviceKind.TERMINAL, store=STORE, key=key,
                                actor="t", is_active=True))  # fmt: skip

    @staticmethod
    def names(count: int) -> list[str]:
        return [f"till-{number}" for number in range(count)]

    def do(self, command: Any) -> Any:
        return self._writer.apply([command])[0].value()

    def plan(self, *waves: tuple[str, ...], **changes: Any) -> Any:
        usual: dict[str, Any] = {
            "rollout_id": ROLLOUT, "name": "quiet", "kind": "settings", "content": CONTENT,
            "waves": waves, "plan": Plan(success_percent=100, error_percent=0),
            "device_wait_ms": 3_600_000, "by": "ann", "request": "asked",
        }  # fmt: skip
        return self.do(PlanRollout(**{**usual, **changes}))

    def move(self, step: RolloutStep) -> str:
        row = self.do(MoveRollout(rollout_id=ROLLOUT, step=step, by="ann"))
        return str(row["state"])

    def run(self) -> str:
        """The runner's turn, begun anew as often as something breaks it; the state then."""
        for _ in range(200):
            runner = RolloutRunner(
                submit=self._submit(), run_read=_at_once, repository=self.rollouts
            )
            try:
                asyncio.run(runner.run_due())
            except OperatingError:
                continue
            break
        return self.state

    def _submit(self) -> Callable[[Command], Awaitable[Any]]:
        async def submit(command: Command) -> Any:
            if self.faults.random() < self.fault_rate:
                raise OperatingError("internal", "killed before the commit")
            done = self.do(command)
            if self.faults.random() < self.fault_rate:
                raise OperatingError("internal", "killed after the commit")
            return done

        return submit

    @property
    def state(self) -> str:
        row = self.rollouts.rollout(ROLLOUT)
        assert row is not None
        return str(row["state"])

    def answer(self, outcome: Outcome = lambda _tid: "confirmed") -> set[str]:
        """Every till that has not looked at its latest wish does; which those were."""
        asked = set()
        for row in self.twins.twins(list(self._reports)):
            tid = row["tid"]
            if row["wanted_version"] <= row["looked_at_version"]:
                continue
            asked.add(tid)
            said = outcome(tid)
            if said != "silent":
                self.report(tid, row, said)
        return asked

    def report(self, tid: str, row: Mapping[str, Any], outcome: str) -> None:
        self._reports[tid] += 1
        is_good = outcome == "confirmed"
        body = {
            "number": self._reports[tid], "schema_version": 1, "outcome": outcome,
            "version": row["wanted_version"] if is_good else row["version"],
            "wanted_version": row["wanted_version"],
            "code": "" if is_good else "setting_unfit",
            "values": json.loads(row["wanted"]) if is_good else {},
        }  # fmt: skip
        self.do(ReportSettings(DeviceRequest(
            request_id="req_1", device=tid, store=STORE, merchant_id=MERCHANT,
            message_type="device.settings", body=DeviceSettings.from_map(body), content_hash=b"",
            received_at_ms=1, trace_id="", fingerprint=b"",
        )))  # fmt: skip

    def wanted(self) -> dict[str, Any]:
        """What is wanted of each till, where anything is."""
        rows = self.twins.twins(list(self._reports))
        return {row["tid"]: json.loads(row["wanted"]) for row in rows if row["wanted"] != "{}"}

    def events(self) -> list[str]:
        return [row["event"] for row in self.rollouts.history(ROLLOUT)]

    def close(self) -> None:
        self._writer.close()
        self._reader.close()
        self._engine.dispose()


async def _at_once(read: Callable[[], Any]) -> Any:
    return read()


@pytest.fixture
def fleet(migrated_url: str) -> Iterator[Fleet]:
    found = Fleet(migrated_url)
    yield found
    found.close()


def test_waves_follow_each_other_as_they_succeed(fleet: Fleet) -> None:
    fleet.plan(("till-0",), ("till-1", "till-2"), ("till-3",))
    assert fleet.run() == "planned"
    assert fleet.wanted() == {}
    fleet.move(RolloutStep.START)
    for wave in ({"till-0"}, {"till-1", "till-2"}, {"till-3"}):
        assert fleet.run() == "running"
        assert fleet.answer() == wave
    assert fleet.run() == "succeeded"
    assert fleet.wanted() == {f"till-{number}": CONTENT for number in range(4)}
    assert fleet.events() == ["RolloutPlanned", "RolloutStarted", "WaveStarted", "WaveStarted",
                              "RolloutSucceeded"]  # fmt: skip


def test_a_failure_beyond_the_threshold_takes_everything_back(fleet: Fleet) -> None:
    fleet.do(ChangeSettings(tid="till-0", changes={"language": "en"}, by="bob"))
    fleet.plan(("till-0",), ("till-1", "till-2"), ("till-3",))
    fleet.move(RolloutStep.START)
    fleet.run()
    fleet.answer()
    fleet.run()
    fleet.answer(lambda tid: "rolled_back" if tid == "till-1" else "silent")
    assert fleet.run() == "rolled_back"
    assert fleet.wanted() == {"till-0": {"language": "en"}}
    assert [row["code"] for row in fleet.rollouts.reasons(ROLLOUT)] == ["setting_unfit"]
    assert fleet.events()[-2:] == ["RolloutRollingBack", "RolloutRolledBack"]
    states = {row["tid"]: row["state"] for row in fleet.rollouts.targets(ROLLOUT)}
    assert states == {"till-0": "undone", "till-1": "undone", "till-2": "undone",
                      "till-3": "waiting"}  # fmt: skip


def test_forgiven_failures_let_it_go_on_and_a_plan_may_keep_what_is_there(fleet: Fleet) -> None:
    plan = Plan(success_percent=50, error_percent=50, rolls_back=False)
    fleet.plan(("till-0", "till-1"), ("till-2", "till-3"), plan=plan)
    fleet.move(RolloutStep.START)
    fleet.run()
    fleet.answer(lambda tid: "refused" if tid == "till-1" else "confirmed")
    assert fleet.run() == "running"
    assert fleet.answer(lambda _tid: "refused") == {"till-2", "till-3"}
    assert fleet.run() == "stopped"
    assert fleet.wanted()["till-0"] == CONTENT
    assert fleet.move(RolloutStep.ROLL_BACK) == "rolling_back"
    assert fleet.run() == "rolled_back"
    assert fleet.wanted() == {}


def test_a_paused_rollout_offers_nothing_but_still_hears_and_stops(fleet: Fleet) -> None:
    fleet.plan(("till-0",), ("till-1",), ("till-2",))
    fleet.move(RolloutStep.START)
    fleet.run()
    assert fleet.move(RolloutStep.PAUSE) == "paused"
    fleet.answer()
    assert fleet.run() == "paused"
    assert set(fleet.wanted()) == {"till-0"}
    assert fleet.move(RolloutStep.RESUME) == "running"
    assert fleet.move(RolloutStep.RESUME) == "running"
    fleet.run()
    assert set(fleet.wanted()) == {"till-0", "till-1"}
    fleet.move(RolloutStep.PAUSE)
    fleet.answer(lambda _tid: "refused")
    assert fleet.run() == "rolled_back"


def test_a_device_that_stays_silent_counts_as_failed(fleet: Fleet) -> None:
    fleet.plan(("till-0",), device_wait_ms=60_000)
    fleet.move(RolloutStep.START)
    assert fleet.run() == "running"
    fleet.clock.at_ms += 60_001
    assert fleet.run() == "rolled_back"
    assert fleet.rollouts.reasons(ROLLOUT)[0]["code"] == "rollout_no_answer"


def test_devices_that_cannot_take_part_any_more_are_left_out(fleet: Fleet) -> None:
    fleet.plan(("till-0", "till-1", "till-2"))
    fleet.do(ChangeDevice(tid="till-1", command=DeviceCommand.REVOKE, actor="ann"))
    fleet.move(RolloutStep.START)
    fleet.run()
    fleet.do(ChangeSettings(tid="till-2", changes={"language": "en"}, by="bob"))
    fleet.answer()
    assert fleet.run() == "succeeded"
    states = {row["tid"]: row["state"] for row in fleet.rollouts.targets(ROLLOUT)}
    assert states == {"till-0": "succeeded", "till-1": "left_out", "till-2": "left_out"}
    assert fleet.move(RolloutStep.ROLL_BACK) == "rolling_back"
    assert fleet.run() == "rolled_back"
    assert fleet.wanted() == {"till-2": {"language": "en", **CONTENT}}


def test_an_aborted_rollout_does_nothing_more(fleet: Fleet) -> None:
    fleet.plan(("till-0",), ("till-1",))
    fleet.move(RolloutStep.START)
    fleet.run()
    assert fleet.move(RolloutStep.ABORT) == "aborted"
    fleet.answer()
    assert fleet.run() == "aborted"
    assert set(fleet.wanted()) == {"till-0"}
    with pytest.raises(CallerError, match="rollout_state"):
        fleet.move(RolloutStep.START)


def test_the_same_plan_again_is_the_same_rollout_and_another_one_a_conflict(fleet: Fleet) -> None:
    first = fleet.plan(("till-0",))
    assert fleet.plan(("till-0", "till-1")) == first  # the same request meets more devices by now
    with pytest.raises(CallerError, match="idempotency_conflict"):
        fleet.plan(("till-0",), request="something else")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"content": {"sond": False}}, "setting_unknown"),
        ({"content": {}}, "field_invalid"),
        ({"kind": "weather"}, "field_invalid"),
        ({"waves": ()}, "rollout_no_device"),
        ({"waves": (("till-0",), ("till-0",))}, "field_invalid"),
        ({"plan": Plan(success_percent=100, error_percent=1)}, "field_invalid"),
        ({"device_wait_ms": 1}, "field_invalid"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(fleet: Fleet, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(CallerError) as refused:
        fleet.plan(("till-0",), **changes)
    assert refused.value.code == code
    assert fleet.rollouts.latest() == []


@pytest.mark.parametrize("seed", range(2))
def test_a_backend_that_dies_all_the_time_reaches_no_device_too_many(
    fleet: Fleet, seed: int
) -> None:
    """Killed before and after commits, started again; devices answer as the seed says."""
    fleet.faults, fleet.fault_rate = random.Random(seed), 0.3
    dice = random.Random(seed)
    bad = {tid for tid in fleet.names(8) if dice.random() < 0.2}
    waves = (("till-0", "till-1"), ("till-2", "till-3", "till-4"), ("till-5", "till-6", "till-7"))
    fleet.plan(*waves, plan=Plan(success_percent=60, error_percent=40))
    fleet.move(RolloutStep.START)
    for _ in range(40):
        state = fleet.run()
        reached = {row["tid"] for row in fleet.rollouts.targets(ROLLOUT) if row["offered_at_ms"]}
        failing = [wave for wave in waves if 100 * len(bad & set(wave)) > 40 * len(wave)]
        allowed = waves[: waves.index(failing[0]) + 1] if failing else waves
        assert reached <= {tid for wave in allowed for tid in wave}
        if state not in {"running", "rolling_back"}:
            break
        fleet.answer(lambda tid: "silent" if dice.random() < 0.3 else
                     "rolled_back" if tid in bad else "confirmed")  # fmt: skip
    assert state == ("rolled_back" if failing else "succeeded")
    if failing:
        assert fleet.wanted() == {}
