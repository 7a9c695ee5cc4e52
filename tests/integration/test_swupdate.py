"""Debian's ``swupdate``, unmodified, is updated over the update interface, and rolled out to."""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from backend.devices.model import DeviceKind
from tests.kit.hub_world import until
from tests.kit.patience import PATIENCE_S
from tests.support.backend import HUB, STORE, Machine, Served, StepClock, enrol, mint, served
from tests.support.swu import Maker

PROGRAM = shutil.which("swupdate")
THING = "kiosk-1"
needs_swupdate = pytest.mark.skipif(
    PROGRAM is None, reason="Debian's package swupdate is not installed"
)


@dataclass
class Operator:
    """Calls of the operator, and the device's own."""

    server: Served
    session: aiohttp.ClientSession
    token: str

    def __post_init__(self) -> None:
        self._tls = self.server.anonymous()

    async def call(self, method: str, path: str, **more: Any) -> Any:
        headers = {"authorization": f"Bearer {self.token}"}
        return (await self.ask(method, path, headers=headers, **more))[1]

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        url = self.server.url("public", path)
        async with self.session.request(
            method, url, ssl=more.pop("tls", self._tls), **more
        ) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    def pass_time(self, ms: int) -> None:
        """The backend's clock goes on."""
        clock = self.server.backend.clock
        assert isinstance(clock, StepClock)
        clock.at_ms += ms

    async def feed_back(self, said: dict[str, Any], own: dict[str, str]) -> None:
        """What a device says of its first action."""
        path = f"/{STORE}/controller/v1/{THING}/deploymentBase/1/feedback"
        assert (await self.ask("POST", path, json={"status": said}, headers=own))[0] == 200

    def path_of(self, link: dict[str, str]) -> str:
        return link["href"].removeprefix(self.server.url("public"))

    async def bring(self, archive: bytes, version: str) -> str:
        query = {"name": "kiosk", "by": "ann", "version": version}
        made = await self.call("POST", "/operator/v1/firmware", params=query, data=archive)
        return str(made["digest"])

    async def roll_out(self, digest: str, **plan: Any) -> str:
        """A rollout to the one device, started."""
        rollout = mint("rol", 1)
        wanted = {
            "rollout_id": rollout, "name": "kiosks", "kind": "firmware", "by": "ann",
            "content": {"digest": digest}, "devices": {"tids": [THING]}, **plan,
        }  # fmt: skip
        await self.call("POST", "/operator/v1/rollouts", json=wanted)
        path = f"/operator/v1/rollouts/{rollout}/start"
        started = await self.call("POST", path, json={"by": "ann"})
        assert started["state"] == "running"
        return rollout

    async def ended(self, rollout: str) -> dict[str, Any]:
        """The rollout, when it goes on no more."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await self.call("GET", f"/operator/v1/rollouts/{rollout}")
                if found["state"] not in {"running", "rolling_back"}:
                    return dict(found)
                await asyncio.sleep(0.1)

    async def until(self, state: str, detail: str = "") -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await self.call("GET", f"/operator/v1/devices/{THING}/firmware")
                if found["state"] == state and detail in found["detail"]:
                    return dict(found)
                await asyncio.sleep(0.1)


@asynccontextmanager
async def operated(directory: Path) -> AsyncIterator[Operator]:
    async with served(directory) as (server, token), aiohttp.ClientSession() as session:
        clock = server.backend.clock
        hub = Machine(HUB, kind=DeviceKind.HUB, clock=clock)
        await enrol(server.backend, hub, Machine(THING, kind=DeviceKind.THING, clock=clock))
        yield Operator(server, session, token)


@asynccontextmanager
async def running_swupdate(
    operator: Operator, directory: Path, maker: Maker, token: str, *, confirms: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program with a scratch directory of its own. ``confirms``: as a machine starts it after
    a boot that went well, to say that what it has installed stays."""
    assert PROGRAM is not None
    scratch = directory / "scratch"
    scratch.mkdir(exist_ok=True)
    ca = directory / "ca.pem"
    ca.write_text(operator.server.backend.state.identity.tls.ca_pem)
    config = directory / "swupdate.cfg"
    config.write_text(f'globals: {{ loglevel = 5; }};\nsuricatta: {{ cafile = "{ca}"; }};\n')
    certificate = maker.write_certificate(directory / "maker.pem")
    suricatta = f"-t {STORE} -u {operator.server.url('public')} -i {THING} -k {token}"
    suricatta += " -c 2" if confirms else ""
    words = ["-f", config, "-l", "5", "-H", "till:1.0", "-k", certificate, "-u", suricatta]
    with (directory / "swupdate.log").open("wb") as log:
        program = await asyncio.create_subprocess_exec(
            PROGRAM, *map(str, words), stdout=log, stderr=log, cwd=scratch, start_new_session=True,
            env={**os.environ, "TMPDIR": str(scratch)},
        )  # fmt: skip
        try:
            yield program
        finally:
            with suppress(ProcessLookupError):
                program.terminate()
            await program.wait()


async def swupdate_says(
    operator: Operator, directory: Path, maker: Maker, token: str, state: str, detail: str = "",
    *, confirms: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Run the program until this is known of it, starting it anew when it has fallen silent, as
    whatever looks after it would. On a busy machine its two processes miss each other: it hangs, or
    takes an archive that it has just refused for installed, and asks again in a minute."""
    while True:
        async with running_swupdate(operator, directory, maker, token, confirms=confirms):
            with suppress(TimeoutError):
                return await operator.until(state, detail)


@needs_swupdate
@pytest.mark.asyncio
@pytest.mark.timeout(300)
async def test_swupdate_installs_what_a_rollout_brings_and_refuses_another_makers(
    tmp_path: Path,
) -> None:
    maker, target = Maker.found(), tmp_path / "payload.txt"
    async with operated(tmp_path) as operator:
        made = await operator.call("POST", f"/operator/v1/devices/{THING}/updates/token")
        digest = await operator.bring(maker.archive(b"new\n", target, version="2.0"), "2.0")
        rollout = await operator.roll_out(digest)
        machine = operator, tmp_path, maker, made["token"]
        await swupdate_says(*machine, "installing", "All Chunks Installed.")
        assert target.read_bytes() == b"new\n"
        found = await swupdate_says(*machine, "confirmed", confirms=True)
        states = [step["state"] for step in reversed(found["history"])]
        assert states == ["waiting", "installing", "confirmed"]
        evil = Maker.found().archive(b"evil\n", target, version="3.0")
        wish = {"digest": await operator.bring(evil, "3.0"), "by": "ann"}
        await operator.call("PUT", f"/operator/v1/devices/{THING}/firmware", json=wish)
        await swupdate_says(*machine, "failed", "Authentication of all signatures failed")
        assert target.read_bytes() == b"new\n"
        assert (await operator.ended(rollout))["state"] == "succeeded"


@dataclass
class Installing:
    """An archive whose last step waits for a word, so that the program can be killed in it."""

    directory: Path

    def __post_init__(self) -> None:
        self.maker = Maker.found()
        self.target = self.directory / "payload.txt"
        self._began, self.may_end = self.directory / "began", self.directory / "may-end"
        script = f"""#!/bin/sh
[ "$1" = postinst ] || exit 0
echo once >>{self._began}
while [ ! -e {self.may_end} ]; do sleep 0.05; done
"""
        self.archive = self.maker.archive(b"new\n", self.target, version="2.0", script=script)

    @property
    def times(self) -> int:
        return len(self._began.read_text().splitlines()) if self._began.is_file() else 0

    async def kill(self, operator: Operator, token: str) -> None:
        """Start the program, and kill it and all that it has started in the midst of its work."""
        async with running_swupdate(operator, self.directory, self.maker, token) as program:
            await until(lambda: self.times == 1)
            os.killpg(program.pid, signal.SIGKILL)
            await program.wait()
        assert self.target.read_bytes() == b"new\n"


@needs_swupdate
@pytest.mark.asyncio
@pytest.mark.timeout(300)
async def test_swupdate_killed_in_mid_install_begins_anew_and_has_succeeded_once(
    tmp_path: Path,
) -> None:
    work = Installing(tmp_path)
    async with operated(tmp_path) as operator:
        made = await operator.call("POST", f"/operator/v1/devices/{THING}/updates/token")
        rollout = await operator.roll_out(await operator.bring(work.archive, "2.0"))
        await work.kill(operator, made["token"])
        work.target.write_bytes(b"torn")
        found = await operator.until("installing")
        assert "All Chunks Installed." not in found["detail"]
        work.may_end.touch()
        machine = operator, tmp_path, work.maker, made["token"]
        await swupdate_says(*machine, "installing", "All Chunks Installed.")
        assert (work.times, work.target.read_bytes()) == (2, b"new\n")
        await swupdate_says(*machine, "confirmed", confirms=True)
        own = {"authorization": f"TargetToken {made['token']}"}
        for word in ("success", "failure"):  # whatever it says twice
            await operator.feed_back({"execution": "closed", "result": {"finished": word}}, own)
        found = await operator.until("confirmed")
        states = [step["state"] for step in reversed(found["history"])]
        assert states == ["waiting", "installing", "confirmed"]
        ended = await operator.ended(rollout)
        assert (ended["state"], ended["waves"][0]["succeeded"]) == ("succeeded", 1)
        assert work.times == 2


@needs_swupdate
@pytest.mark.asyncio
@pytest.mark.timeout(300)
async def test_a_machine_that_never_comes_back_from_its_install_stops_the_rollout(
    tmp_path: Path,
) -> None:
    work = Installing(tmp_path)
    async with operated(tmp_path) as operator:
        made = await operator.call("POST", f"/operator/v1/devices/{THING}/updates/token")
        digest = await operator.bring(work.archive, "2.0")
        rollout = await operator.roll_out(digest, device_wait_s=60, error_percent=10)
        await work.kill(operator, made["token"])
        await operator.until("installing")
        operator.pass_time(61_000)
        ended = await operator.ended(rollout)
        [wave] = ended["waves"]
        assert (ended["state"], wave["failed"], wave["undone"]) == ("rolled_back", 1, 1)
        assert ended["reasons"] == [{"code": "rollout_no_answer", "devices": 1}]
        work.may_end.touch()
        found = await operator.until("waiting")
        assert (found["digest"], found["wanted_version"]) == ("", 2)
        # It comes up at last, and believes that all went well.
        machine = operator, tmp_path, work.maker, made["token"]
        found = await swupdate_says(*machine, "confirmed", confirms=True)
        states = [(step["version"], step["state"]) for step in reversed(found["history"])]
        assert states == [(1, "waiting"), (1, "installing"), (2, "waiting"), (2, "confirmed")]
        assert await operator.ended(rollout) == ended
        assert work.times == 1


@pytest.mark.asyncio
async def test_a_device_that_asks_is_led_through_and_nobody_else_is_heard(tmp_path: Path) -> None:
    maker = Maker.found()
    base = f"/{STORE}/controller/v1/{THING}"
    async with operated(tmp_path) as operator:
        made = await operator.call("POST", f"/operator/v1/devices/{THING}/updates/token")
        own = {"authorization": f"TargetToken {made['token']}"}
        for headers, path in (
            ({}, base), ({"authorization": "TargetToken wrong"}, base),
            (own, f"/store-9/controller/v1/{THING}"), (own, f"/{STORE}/controller/v1/till-9"),
        ):  # fmt: skip
            assert (await operator.ask("GET", path, headers=headers))[0] == 401
        for kind, name, seen in (("thing", THING, 200), ("thing", "kiosk-2", 401),
                                 ("hub", THING, 401)):  # fmt: skip
            proof = operator.server.client(kind, name)
            assert (await operator.ask("GET", base, tls=proof))[0] == seen
        status, told = await operator.ask("GET", base, headers=own)
        assert (status, told["config"]["polling"]["sleep"]) == (200, "00:01:00")
        assert set(told["_links"]) == {"configData"}
        data = {"mode": "merge", "data": {"board": "till", "serial": "7"}, "id": ""}
        assert (await operator.ask("PUT", f"{base}/configData", json=data, headers=own))[0] == 200
        archive = maker.archive(b"x" * 200_000, tmp_path / "x", version="2")
        digest = await operator.bring(archive, "2")
        wish = {"digest": digest, "by": "ann"}
        await operator.call("PUT", f"/operator/v1/devices/{THING}/firmware", json=wish)
        _, told = await operator.ask("GET", base, headers=own)
        action = told["_links"]["deploymentBase"]["href"].removeprefix(
            operator.server.url("public")
        )
        _, work = await operator.ask("GET", action, headers=own)
        file = work["deployment"]["chunks"][0]["artifacts"][0]
        assert (file["hashes"]["sha256"], file["size"]) == (digest, len(archive))
        await _downloads_in_two_parts(operator, file, archive, own)
        result = {"finished": "none", "progress": {"cnt": 1, "of": 4}}
        status_said = {"execution": "proceeding", "result": result, "details": ["half way"]}
        proceeding = {"id": 1, "status": status_said}
        said = await operator.ask("POST", f"{action}/feedback", json=proceeding, headers=own)
        assert said[0] == 200
        found = await operator.until("installing")
        assert (found["percent"], found["detail"]) == (25, "half way")
        assert found["attributes"] == {"board": "till", "serial": "7"}
        assert "token_hash" not in found
        await _is_called_off(operator, base, own)


async def _downloads_in_two_parts(
    operator: Operator, file: dict[str, Any], archive: bytes, own: dict[str, str]
) -> None:
    url, tls = file["_links"]["download-http"]["href"], operator.server.anonymous()
    async with operator.session.get(url, headers=own, ssl=tls) as answer:
        first = await answer.content.readexactly(70_000)
    resumed = {**own, "range": "bytes=70000-"}
    async with operator.session.get(url, headers=resumed, ssl=tls) as answer:
        assert answer.status == 206
        assert first + await answer.read() == archive
    async with operator.session.get(url, ssl=tls) as answer:
        assert answer.status == 401


async def _is_called_off(operator: Operator, base: str, own: dict[str, str]) -> None:
    """The operator takes the wish back; the device hears of it, says so, and is done."""
    nothing = {"digest": "", "by": "ann"}
    await operator.call("PUT", f"/operator/v1/devices/{THING}/firmware", json=nothing)
    _, told = await operator.ask("GET", base, headers=own)
    assert set(told["_links"]) == {"cancelAction"}
    cancel = operator.path_of(told["_links"]["cancelAction"])
    _, called_off = await operator.ask("GET", cancel, headers=own)
    assert called_off == {"id": "2", "cancelAction": {"stopId": "1"}}
    closed = {"id": 2, "status": {"execution": "closed", "result": {"finished": "success"}}}
    await operator.ask("POST", f"{cancel}/feedback", json=closed, headers=own)
    assert (await operator.ask("GET", base, headers=own))[1]["_links"] == {}
    wrong = {"status": {"execution": ["no", "text"]}}
    status, refused = await operator.ask("POST", f"{cancel}/feedback", json=wrong, headers=own)
    assert (status, refused["error"]["code"]) == (400, "field_invalid")
