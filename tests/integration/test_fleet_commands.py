"""The fleet from the command line, against a running backend; tills answer over a hub's batch."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from backend.devices.model import DeviceKind
from backend.rollouts.repository import RolloutRepository
from backend.twins.repository import TwinRepository
from protocol.answers import Answer
from protocol.errors import TillwayError
from tests.kit.patience import PATIENCE_S
from tests.support.backend import HUB, Machine, Served, answers_in, enrol, served
from tillway.fleet import devices, rollout
from tillway.operator_place import CA_VARIABLE, TOKEN_FILE_VARIABLE, URL_VARIABLE

TILLS = ("till-1", "till-2", "till-3")


class Fleet:
    """Tills behind one hub, and the words of the command line."""

    def __init__(self, server: Served, directory: Path, token: str) -> None:
        self.backend = server.backend
        clock = server.backend.clock
        self.hub = Machine(HUB, kind=DeviceKind.HUB, clock=clock)
        self.tills = {tid: Machine(tid, clock=clock) for tid in TILLS}
        self._numbers = dict.fromkeys(TILLS, 0)
        ca, token_file = directory / "ca.pem", directory / "token"
        ca.write_text(server.backend.state.identity.tls.ca_pem)
        token_file.write_text(token)
        self._place = {
            URL_VARIABLE: server.url("public"),
            CA_VARIABLE: str(ca),
            TOKEN_FILE_VARIABLE: str(token_file),
        }
        self.twins = TwinRepository(server.backend.services.reader)
        self.rollouts = RolloutRepository(server.backend.services.reader)

    async def say(self, app: typer.Typer, *words: str) -> str:
        """One command, which must succeed."""
        result = await self.try_to_say(app, *words)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    async def try_to_say(self, app: typer.Typer, *words: str) -> Result:
        run = lambda: CliRunner().invoke(app, words, env=self._place)  # noqa: E731
        return await asyncio.to_thread(run)

    async def report(self, tid: str, outcome: str = "confirmed") -> Answer:
        """A till says that it has taken (or not) what is wanted of it; the backend's answer."""
        self._numbers[tid] += 1
        row = self.twins.twin(tid)
        version = row["wanted_version"] if row else 0
        is_good = outcome == "confirmed"
        body = {
            "number": self._numbers[tid], "schema_version": 1, "outcome": outcome,
            "version": version if is_good else 0, "wanted_version": version,
            "code": "" if is_good else "setting_unfit", "detail": "",
            "values": json.loads(row["wanted"]) if row and is_good else {},
        }  # fmt: skip
        batch = self.hub.batch([self.tills[tid].envelope("device.settings", body)])
        data = await self.backend.ingest_batch(HUB, batch)
        return answers_in(self.backend, data)[0]

    async def waves(self, rollout_id: str) -> list[list[str]]:
        """The tills of a rollout, wave by wave."""
        waves: dict[int, list[str]] = {}
        for row in self.rollouts.targets(rollout_id):
            waves.setdefault(row["wave"], []).append(row["tid"])
        return [waves[number] for number in sorted(waves)]

    async def until(self, rollout_id: str, state: str) -> dict[str, Any]:
        """The rollout, when it is in this state."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = json.loads(await self.say(rollout.app, "show", rollout_id))
                if found["state"] == state:
                    return dict(found)
                await asyncio.sleep(0.05)

    async def until_wanted(self, *tids: str) -> None:
        """Until the rollout has reached these tills."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                rows = [self.twins.twin(tid) for tid in tids]
                if all(row and row["wanted"] != "{}" for row in rows):
                    return
                await asyncio.sleep(0.02)


@pytest.mark.asyncio
async def test_a_fleet_is_found_set_and_rolled_out_to(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, token):
        fleet = Fleet(server, tmp_path, token)
        await enrol(server.backend, fleet.hub, *fleet.tills.values())
        await _finds_and_sets(fleet)
        await _plans_what_the_dry_run_said(fleet)
        await _rolls_out(fleet)


async def _finds_and_sets(fleet: Fleet) -> None:
    assert "till-1: pilot" in await fleet.say(
        devices.app, "tag", "till-1", "--add", "pilot", "--by", "ann"
    )
    listed = await fleet.say(devices.app, "list", "--tag", "pilot")
    assert "till-1" in listed
    assert "till-2" not in listed
    assert "idle_lock_s" in await fleet.say(devices.app, "schema")
    refused = await fleet.try_to_say(devices.app, "set", "idle_lok_s=60", "--tag", "pilot",
                                     "--by", "ann")  # fmt: skip
    assert isinstance(refused.exception, TillwayError)
    assert refused.exception.code == "setting_unknown"
    assert "did you mean" in refused.exception.detail
    answer = await fleet.report("till-1")
    assert (answer.message_type, answer.body) == ("settings.wanted", {"version": 0, "values": {}})
    said = await fleet.say(devices.app, "set", "idle_lock_s=60", "receipt_footer_en=Bye now",
                           "--tag", "pilot", "--by", "ann")  # fmt: skip
    assert said == "till-1: waiting, version 1\n"
    drifting = await fleet.try_to_say(devices.app, "drift", "--tag", "pilot")
    assert (drifting.exit_code, drifting.output.split()[1]) == (1, "waiting")
    answer = await fleet.report("till-1")
    assert answer.body["values"] == {"idle_lock_s": 60, "receipt_footer_en": "Bye now"}
    assert await fleet.say(devices.app, "drift", "--tag", "pilot") == ""
    found = json.loads(await fleet.say(devices.app, "settings", "till-1"))
    assert (found["standing"], found["drift"]) == ("in_force", {})
    await fleet.say(devices.app, "set", "idle_lock_s=", "receipt_footer_en=", "--device", "till-1",
                    "--by", "ann")  # fmt: skip
    await fleet.report("till-1")


async def _plans_what_the_dry_run_said(fleet: Fleet) -> None:
    words = ("settings", "sound=false", "--name", "tried dry", "--text", "till-", "--by", "ann",
             "--wave", "30%", "--wave", "30%")  # fmt: skip
    *waves, last = (await fleet.say(rollout.app, *words, "--dry-run")).splitlines()
    rollout_id = last.split()[-1]
    planned = await fleet.say(rollout.app, *words, "--rollout-id", rollout_id)
    assert planned.startswith(f"{rollout_id} planned")
    assert await fleet.waves(rollout_id) == [line.split()[4:] for line in waves]
    assert len(waves) == len(TILLS)


async def _rolls_out(fleet: Fleet) -> None:
    words = ("settings", "sound=false", "--name", "quiet", "--text", "till-", "--wave", "pilot",
             "--by", "ann", "--success", "100", "--errors", "0")  # fmt: skip
    dry = await fleet.say(rollout.app, *words, "--dry-run")
    assert dry.splitlines()[0] == "wave 0: 1 devices: till-1"
    assert (await fleet.say(rollout.app, "list")).count("quiet") == 0
    rollout_id = (await fleet.say(rollout.app, *words)).split()[0]
    assert "planned" in await fleet.say(rollout.app, *words, "--rollout-id", rollout_id)
    await fleet.say(rollout.app, "start", rollout_id, "--by", "ann")
    await fleet.until_wanted("till-1")
    assert (await fleet.report("till-1")).body["values"] == {"sound": False}
    await fleet.until_wanted("till-2", "till-3")
    await fleet.report("till-2")
    await fleet.report("till-3", "refused")
    found = await fleet.until(rollout_id, "rolled_back")
    assert found["reasons"] == [{"code": "setting_unfit", "devices": 1}]
    for tid in TILLS:
        assert (await fleet.report(tid)).body["values"] == {}
    assert "undone" in await fleet.say(rollout.app, "devices", rollout_id)
    refused = await fleet.try_to_say(rollout.app, "resume", rollout_id, "--by", "ann")
    assert isinstance(refused.exception, TillwayError)
    assert refused.exception.code == "rollout_state"
