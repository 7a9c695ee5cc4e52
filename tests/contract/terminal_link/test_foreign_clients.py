"""Terminals by other people on both links: Debian's mosquitto_rr, _pub and _sub, npm's mqtt."""

import asyncio
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from tests.contract.terminal_link.rig import (
    STORE,
    MosquittoRig,
    OwnServerRig,
    Rig,
    Terminal,
    within,
)

Make = Callable[..., Terminal]
LIBRARY = Path(sys.prefix) / "npm_readers" / "mqtt" / "node_modules" / "mqtt"
RUNNER = Path(__file__).parents[2] / "support" / "mqtt_terminal.js"
BRANCH = f"tw1/{STORE}/t/till-1"
NOT_AUTHORIZED = 135


class Tool:
    """One of Debian's command-line clients, as the terminal ``till-1``."""

    def __init__(self, rig: Rig, name: str, *, version: str = "mqttv5") -> None:
        program = shutil.which(name)
        if program is None:
            pytest.skip(f"{name} is not installed (apt-get install mosquitto-clients)")
        pair = str(rig.authority.issue("till-1"))
        self._words = [program, "-V", version, "-h", "localhost", "-p", str(rig.port), "-i",
                       "till-1", "--cafile", str(rig.authority.path), "--cert", pair, "--key",
                       pair, "-q", "1"]  # fmt: skip

    async def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, what it wrote, what it complained of."""
        process = await asyncio.create_subprocess_exec(
            *self._words,
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await within(process.communicate())
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()


async def answer_once(rig: Rig) -> None:
    message = await rig.hub.next()
    assert (message.tid, message.payload) == ("till-1", b"signed")
    await within(rig.link.publish("till-1", "res", b"answer", correlation=message.correlation))


@pytest.mark.asyncio
async def test_debian_s_request_tool_asks_and_is_answered(rig: Rig) -> None:
    tool = Tool(rig, "mosquitto_rr")
    asked = tool.run("-t", f"{BRANCH}/req", "-e", f"{BRANCH}/res", "-m", "signed", "-W", "10")
    (code, said, complaint), _ = await asyncio.gather(asked, answer_once(rig))
    assert (code, said.strip()) == (0, "answer"), complaint


@pytest.mark.asyncio
async def test_debian_s_tools_get_what_is_retained_and_not_what_is_another_s(rig: Rig) -> None:
    rig.link.publish("till-1", "cfg", b"configuration", retain=True)
    rig.link.publish_hub_state(b"online")
    listener = Tool(rig, "mosquitto_sub")
    topics = ("-t", f"{BRANCH}/cfg", "-t", f"tw1/{STORE}/hub/state")
    code, said, complaint = await listener.run(*topics, "-C", "2", "-W", "10")
    assert (code, sorted(said.split())) == (0, ["configuration", "online"]), complaint
    speaker = Tool(rig, "mosquitto_pub")
    _, _, complaint = await speaker.run("-t", f"tw1/{STORE}/t/till-9/req", "-m", "another's")
    assert "not authori" in complaint.lower()
    code, _, complaint = await speaker.run("-t", f"{BRANCH}/req", "-m", "signed")
    assert (code, complaint) == (0, "")
    assert (await rig.hub.next()).payload == b"signed"


@pytest.mark.asyncio
async def test_npm_s_mqtt_asks_and_is_answered(rig: Rig) -> None:
    node = shutil.which("node")
    if node is None or not (LIBRARY / "package.json").is_file():
        pytest.skip("node or npm's mqtt is not installed: make test does so where it can")
    authority = rig.authority
    words = [node, RUNNER, LIBRARY, rig.port, authority.path, authority.issue("till-1"), "till-1"]
    process = await asyncio.create_subprocess_exec(
        *map(str, words),
        STORE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    (out, err), _ = await asyncio.gather(within(process.communicate()), answer_once(rig))
    assert process.returncode == 0, err.decode()
    seen = json.loads(out)
    assert (seen["granted"], seen["puback"], seen["forbidden"]) == (1, 0, NOT_AUTHORIZED)
    assert (seen["answer"], seen["correlation"]) == ("answer", "c-1")
    assert seen["receiveMaximum"] is None or seen["receiveMaximum"] >= 8


@pytest.mark.asyncio
async def test_a_client_of_3_1_1_is_told_so_by_our_endpoint(own_server: OwnServerRig) -> None:
    tool = Tool(own_server, "mosquitto_pub", version="mqttv311")
    code, _, complaint = await tool.run("-t", f"{BRANCH}/req", "-m", "signed")
    assert code != 0
    assert "unacceptable protocol version" in complaint


@pytest.mark.mosquitto
@pytest.mark.asyncio
async def test_a_client_of_3_1_1_is_served_through_the_broker(
    mosquitto: MosquittoRig, terminal: Make
) -> None:
    till = terminal(mosquitto, "till-1", protocol=MQTTProtocolVersion.MQTTv311)
    await till.connect()
    till.client.subscribe(till.topic("res"), 1)
    await within(till.subscribed.get())
    till.client.publish(till.topic("req"), b"signed", 1)
    await answer_once(mosquitto)
    assert (await within(till.messages.get())).payload == b"answer"
