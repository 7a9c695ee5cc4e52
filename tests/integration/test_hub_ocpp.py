"""Goal: a charger program that nobody here wrote (npm's ``ocpp-rpc`` in strict mode) charges and
pays through a whole hub.

Method: the package, unmodified, dials the hub of this process over a real socket; it holds every
message of ours against the standard's schemas by itself. Behind stands a backend that answers what
a mandate and a payment would.
"""

import asyncio
import base64
import contextlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from hub import downlink
from hub.cli import app
from hub.ocpp.limits import (
    MESSAGE_BYTES_MAX,
    MESSAGE_BYTES_TAKEN_MAX,
    PASSWORD_BYTES_MIN,
    TRIES_MAX,
)
from protocol.answers import Answer
from protocol.envelope import Envelope
from protocol.errors import CallerError
from tests.kit.hub_shop import STORE, Shop
from tests.kit.hub_world import (
    PASSPHRASE,
    Installation,
    World,
    now_ms,
    running_world,
    until,
)
from tests.kit.patience import PATIENCE_S

LIBRARY = Path(sys.prefix) / "npm_readers" / "node_modules" / "ocpp-rpc"
RUNNER = Path(__file__).parents[1] / "support" / "ocpp_charger.js"
CHARGER, PASSWORD = "charger-1", "a password of twenty chars"
MANDATE = "mdt_" + "0" * 26


def charger_settings(**changed: Any) -> dict[str, Any]:
    charger = {"name": CHARGER, "merchant_id": "mch_1", "per_kwh_minor": 150}
    return {"port": 0, "chargers": [charger], **changed}


def bank(asked: list[Envelope]) -> Callable[[Envelope], Answer]:
    """What the backend says to a charger's account."""

    def answer(one: Envelope) -> Answer:
        asked.append(one)
        kind = "pong"
        body: dict[str, Any] = {"now_ms": now_ms()}
        if one.message_type == "mandate.query":
            kind = "mandate.standing"
            body = {"mandate_id": MANDATE, "is_active": True, "currency": "CNY"}
            body |= {"room_minor": 5_000, "valid_until_ms": 2**50}
        elif one.message_type == "payment.create":
            kind = "payment.result"
            body = {"payment_id": one.body["payment_id"], "state": "captured"}
            body |= {"amount_minor": one.body["amount_minor"], "currency": "CNY"}
            body |= {"method": "mandate"}
        return Answer(
            message_type=kind,
            request_id=one.request_id,
            device=one.device,
            store=STORE,
            answered_at_ms=now_ms(),
            body=body,
            trace_id=one.trace_id,
        )

    return answer


def home_of_charger(root: Path, shop: Shop, password: str = PASSWORD) -> None:
    """The charger's identity, passphrase and password, where its hub looks for them."""
    home = root / "hub-1" / "chargers" / CHARGER
    issued = Installation(root / "issued", shop)
    identity = issued.issue("thing", CHARGER, shop.key_of(CHARGER))
    shutil.copytree(identity.tls.chain.parent, home / "identity")
    for name, content in (("passphrase", PASSPHRASE), ("password", password.encode())):
        (home / name).write_bytes(content)
        (home / name).chmod(0o600)


@pytest.mark.asyncio
@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
async def test_a_foreign_charger_charges_and_pays(
    protocol: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = shutil.which("node")
    if node is None or not (LIBRARY / "package.json").is_file():
        pytest.skip("node or npm's ocpp-rpc is not installed: make test does so where it can")
    asked: list[Envelope] = []
    shop = Shop()
    monkeypatch.setattr(Shop, "pong", lambda _, one: bank(asked)(one))
    monkeypatch.setattr(downlink, "REPORT_EVERY_S", 0.02)
    home_of_charger(tmp_path, shop)
    sections = {"mqtt": {"mode": "off"}, "coap": {"enabled": False}, "ocpp": charger_settings()}
    async with running_world(tmp_path, CHARGER, "till-1", shop=shop, **sections) as world:
        await world.hub.chargers.book.run(  # type: ignore[union-attr]  # there is one
            lambda journal: journal.bind_tag(CHARGER, "CARD-1", MANDATE)
        )
        told = await session(node, world, protocol)
        await until(lambda: any(one.message_type == "payment.create" for one in asked))
        shown = await charges(world)
        await refuses_strangers(world)
        await until(lambda: heard_of(world)[-1] == {CHARGER: False})
        assert {CHARGER: True} in heard_of(world), "the backend hears that it has dialled in"
    assert told["complaints"] == []
    assert (told["boot"], told["card"]) == ("Accepted", "Accepted")
    if protocol == "ocpp1.6":
        assert told["is_same"], "a beginning said twice is one transaction"
    else:
        assert (told["cost"], told["end_cost"]) == (3, 6)
    [debit] = [one for one in asked if one.message_type == "payment.create"]
    assert (debit.body["amount_minor"], debit.body["mandate_id"]) == (600, MANDATE)
    assert debit.device == CHARGER
    [charge] = shown
    assert (charge["energy_wh"], charge["cost_minor"]) == (4_000, 600)


async def session(node: str, world: World, protocol: str) -> dict[str, Any]:
    where = f"ws://127.0.0.1:{world.hub.ports['ocpp']}/ocpp"
    words = (str(RUNNER), str(LIBRARY), where, protocol, CHARGER, PASSWORD)
    process = await asyncio.create_subprocess_exec(node, *words, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(PATIENCE_S):
        out, _ = await process.communicate()
    told: dict[str, Any] = json.loads(out)
    assert "error" not in told, told
    return told


def heard_of(world: World) -> list[dict[str, bool]]:
    """Whether each device was there, report by report."""
    return [
        {one["tid"]: one["online"] for one in report["devices"]} for report in world.backend.reports
    ]


async def charges(world: World) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as client, client.get(world.http + "/charges") as found:
        body: dict[str, list[dict[str, Any]]] = await found.json()
        return body["charges"]


@pytest.mark.asyncio
async def test_what_is_too_long_or_no_json_is_acknowledged_the_third_time_on_its_line(
    tmp_path: Path,
) -> None:
    shop = Shop()
    home_of_charger(tmp_path, shop)
    sections = {"mqtt": {"mode": "off"}, "coap": {"enabled": False}, "ocpp": charger_settings()}
    async with (
        running_world(tmp_path, CHARGER, shop=shop, **sections) as world,
        aiohttp.ClientSession() as client,
        client.ws_connect(
            f"http://127.0.0.1:{world.hub.ports['ocpp']}/ocpp/{CHARGER}",
            protocols=("ocpp1.6",),
            headers={"Authorization": word_of(PASSWORD)},
        ) as line,
    ):
        long = json.dumps({"transactionId": 1, "transactionData": ["x" * MESSAGE_BYTES_MAX]})
        for rest in (long, '{"meterStop":'):
            answers = [await said_again(line, f"m{number}", rest) for number in range(3)]
            assert [answer[0] for answer in answers] == [4, 4, 3]
            assert [answer[1] for answer in answers] == ["m0", "m1", "m2"]
            assert answers[0][2] == "FormationViolation"
        kept = await world.hub.chargers.book.run(lambda journal: journal.unread())  # type: ignore[union-attr]  # there is one
    assert [one.action for one in kept] == ["StopTransaction"] * 2


@pytest.mark.asyncio
async def test_what_no_websocket_may_carry_ends_the_line_and_an_operator_sees_it(
    tmp_path: Path,
) -> None:
    shop = Shop()
    home_of_charger(tmp_path, shop)
    sections = {"mqtt": {"mode": "off"}, "coap": {"enabled": False}, "ocpp": charger_settings()}
    spoilt: list[tuple[int, bytes, aiohttp.WSMsgType]] = [
        (1007, b'[2,"m","StopTransaction",{"idTag":"\xff"}]', aiohttp.WSMsgType.TEXT),
        (1009, b" " * (MESSAGE_BYTES_TAKEN_MAX + 1), aiohttp.WSMsgType.TEXT),
        (1003, b"[]", aiohttp.WSMsgType.BINARY),
    ]
    async with running_world(tmp_path, CHARGER, shop=shop, **sections) as world:
        async with aiohttp.ClientSession() as client:
            for code, said, kind in [*spoilt, *spoilt]:
                ended = await ended_by(client, world, said, kind)
                assert ended == code or len(said) > MESSAGE_BYTES_TAKEN_MAX
            assert world.hub.chargers is not None
            book = world.hub.chargers.book
            await until(lambda: book.unread == len(spoilt))
            async with client.get(world.http + "/unread") as found:
                told = (await found.json())["unread"]
            async with client.get(world.http + "/readyz") as found:
                assert (await found.json())["charger_unread"] == len(spoilt)
            async with client.get(world.http + "/metrics") as found:
                assert "tillway_hub_charger_unread 3.0" in await found.text()
            async with client.get(world.http + "/") as found:
                assert "Unread messages of chargers" in await found.text()
        assert [one["why"].partition(":")[0] for one in told] == [
            f"WebSocket {code}" for code, *_ in spoilt
        ]
        config = tmp_path / "hub.toml"
        backend = '[backend]\nurl = "https://127.0.0.1:1"\n'
        config.write_text(f'state_dir = "{tmp_path / "hub-1"}"\n{backend}')
        listed = await asyncio.to_thread(unread_of, config, "--forget")
        assert [one["charger"] for one in listed] == [CHARGER] * 3
        await until(lambda: book.unread == 0)
        assert await asyncio.to_thread(unread_of, config) == []


async def ended_by(
    client: aiohttp.ClientSession, world: World, said: bytes, kind: aiohttp.WSMsgType
) -> int | None:
    """The code that the hub ends a charger's line with, after these bytes."""
    line = await client.ws_connect(
        f"http://127.0.0.1:{world.hub.ports['ocpp']}/ocpp/{CHARGER}",
        protocols=("ocpp1.6",),
        headers={"Authorization": word_of(PASSWORD)},
    )
    with contextlib.suppress(ConnectionError):  # the hub need not take the rest of what is too long
        await line.send_frame(said, kind)
    async with asyncio.timeout(PATIENCE_S):
        while (await line.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    return line.close_code


def unread_of(config: Path, *options: str) -> list[dict[str, Any]]:
    """What ``tillway hub unread`` shows."""
    told = CliRunner().invoke(app, ["unread", "--config", str(config), *options])
    assert told.exit_code == 0, told.output
    return [json.loads(line) for line in told.stdout.splitlines()]


async def said_again(
    line: aiohttp.ClientWebSocketResponse, message_id: str, rest: str
) -> list[Any]:
    """Say it under an id; the answer, whatever we are asked meanwhile."""
    await line.send_str(f'[2,"{message_id}","StopTransaction",{rest}]')
    async with asyncio.timeout(PATIENCE_S):
        while True:
            heard: list[Any] = await line.receive_json()
            if heard[0] != 2:
                return heard


def word_of(password: str) -> str:
    return "Basic " + base64.b64encode(f"{CHARGER}:{password}".encode()).decode()


async def refuses_strangers(world: World) -> None:
    base = f"http://127.0.0.1:{world.hub.ports['ocpp']}/ocpp"
    wrong, right = word_of("wrong"), word_of(PASSWORD)
    async with aiohttp.ClientSession() as client:
        for name, word, status in (
            (CHARGER, "", 401),
            (CHARGER, wrong, 401),
            ("charger-2", right, 401),
            (CHARGER, right, 400),
            *[(CHARGER, wrong, 401)] * (TRIES_MAX - 2),
            (CHARGER, right, 429),
        ):
            headers = {"Authorization": word} if word else {}
            async with client.get(f"{base}/{name}", headers=headers) as answer:
                assert answer.status == status


@pytest.mark.asyncio
async def test_a_charger_without_an_identity_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        async with running_world(tmp_path, CHARGER, ocpp=charger_settings()):
            pass


@pytest.mark.asyncio
async def test_a_password_that_can_be_guessed_ends_the_start(tmp_path: Path) -> None:
    shop = Shop()
    home_of_charger(tmp_path, shop, "x" * (PASSWORD_BYTES_MIN - 1))
    with pytest.raises(CallerError, match="at least 16 characters"):
        async with running_world(tmp_path, CHARGER, shop=shop, ocpp=charger_settings()):
            pass
