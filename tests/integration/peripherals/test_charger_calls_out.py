"""Goal: central systems nobody here wrote (``ocpp`` on ``websockets``, npm's ``ocpp-rpc`` in strict
mode) and our charger agree.

Method: the packages' central systems, unmodified, on a real socket; they validate every message
against the standard's schemas by themselves. The charger runs from a board, over ``ws://``.
"""

import asyncio
import base64
import contextlib
import json
import logging
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint as CentralEnd16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as CentralEnd201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201

from firmware_sim.board import Board
from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.clock import SteadyClock
from firmware_sim.kinds.registry import kind_named
from tests.kit.patience import PATIENCE_S

LIBRARY = Path(sys.prefix) / "npm_readers" / "node_modules" / "ocpp-rpc"
RUNNER = Path(__file__).parents[2] / "support" / "ocpp_central.js"
logging.getLogger("ocpp").setLevel(logging.ERROR)


class Central16(CentralEnd16):  # type: ignore[misc]  # the package is not typed
    """A central system's end of one 1.6 connection."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: list[tuple[str, dict[str, Any]]] = []

    @on("BootNotification")
    def on_boot(self, **said: Any) -> Any:
        self.seen.append(("boot", said))
        return result16.BootNotification(datetime.now(UTC).isoformat(), 1, "Accepted")

    @on("StatusNotification")
    def on_status(self, **said: Any) -> Any:
        self.seen.append(("status", said))
        return result16.StatusNotification()

    @on("Heartbeat")
    def on_heartbeat(self) -> Any:
        self.seen.append(("heartbeat", {}))
        return result16.Heartbeat(datetime.now(UTC).isoformat())

    @on("Authorize")
    def on_authorize(self, **said: Any) -> Any:
        self.seen.append(("authorize", said))
        return result16.Authorize({"status": "Accepted"})

    @on("StartTransaction")
    def on_start(self, **said: Any) -> Any:
        self.seen.append(("start", said))
        return result16.StartTransaction(41, {"status": "Accepted"})

    @on("StopTransaction")
    def on_stop(self, **said: Any) -> Any:
        self.seen.append(("stop", said))
        return result16.StopTransaction()


class Central201(CentralEnd201):  # type: ignore[misc]  # the package is not typed
    """A central system's end of one 2.0.1 connection."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: list[tuple[str, dict[str, Any]]] = []

    @on("BootNotification")
    def on_boot(self, **said: Any) -> Any:
        self.seen.append(("boot", said))
        return result201.BootNotification(datetime.now(UTC).isoformat(), 60, "Accepted")

    @on("StatusNotification")
    def on_status(self, **said: Any) -> Any:
        self.seen.append(("status", said))
        return result201.StatusNotification()

    @on("SecurityEventNotification")
    def on_security(self, **said: Any) -> Any:
        self.seen.append(("security", said))
        return result201.SecurityEventNotification()

    @on("NotifyReport")
    def on_report(self, **said: Any) -> Any:
        self.seen.append(("report", said))
        return result201.NotifyReport()

    @on("Authorize")
    def on_authorize(self, **said: Any) -> Any:
        self.seen.append(("authorize", said))
        return result201.Authorize({"status": "Accepted"})

    @on("TransactionEvent")
    def on_transaction(self, **said: Any) -> Any:
        self.seen.append((said["event_type"].lower(), said))
        return result201.TransactionEvent(total_cost=1.25)


class Desk:
    """The central system's listener and the connection it has now."""

    def __init__(self) -> None:
        self.ends: list[Any] = []
        self.sockets: list[Any] = []

    @property
    def end(self) -> Any:
        return self.ends[-1]

    def saw(self, event: str) -> bool:
        return any(event == seen for end in self.ends for seen, _ in end.seen)


@contextlib.asynccontextmanager
async def central(make: Callable[..., Any], subprotocol: str) -> AsyncIterator[tuple[Desk, int]]:
    desk = Desk()

    async def serve(connection: Any) -> None:
        end = make(connection.request.path.rsplit("/", 1)[-1], connection)
        desk.ends.append(end)
        desk.sockets.append(connection)
        with contextlib.suppress(websockets.ConnectionClosed):
            await end.start()

    async with websockets.serve(serve, "127.0.0.1", 0, subprotocols=[subprotocol]) as server:  # type: ignore[list-item]
        port = server.sockets[0].getsockname()[1]
        yield desk, port


@contextlib.asynccontextmanager
async def charger(kind: str, port: int, state_dir: Path, **options: Any) -> AsyncIterator[Board]:
    found = kind_named(kind)
    transport = f"ws://127.0.0.1:{port}/ocpp/CP-7"
    entry = found.entry.model_validate(
        {"kind": kind, "transport": transport, "redial_s": 1, **options}
    )
    file = BoardFile("charger", {"charger": BoardDevice(found, entry)})
    board = Board(file, state_dir=state_dir, now_ms=SteadyClock().now_ms)
    await board.start()
    try:
        yield board
    finally:
        await board.stop()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110  # the far end is another program's object
            await asyncio.sleep(0.02)


@pytest.mark.asyncio
async def test_a_session_of_1_6_on_a_foreign_central_system(tmp_path: Path) -> None:
    async with (
        central(Central16, "ocpp1.6") as (desk, port),
        charger("ocpp16", port, tmp_path, outlets=2) as board,
    ):
        await until(lambda: desk.saw("status"))
        assert desk.end.id == "CP-7"
        board.do("charger", "plug", outlet=2)
        board.do("charger", "tap", token="CARD-0001")
        await until(lambda: desk.saw("start"))
        configuration = await desk.end.call(call16.GetConfiguration(["NumberOfConnectors"]))
        assert configuration.configuration_key[0]["value"] == "2"
        stopped = await desk.end.call(call16.RemoteStopTransaction(41))
        assert stopped.status == "Accepted"
        await until(lambda: desk.saw("stop"))
        assert board.state("charger")["outlets"][1]["state"] == "Finishing"  # type: ignore[index,call-overload]


@pytest.mark.asyncio
async def test_a_cut_connection_is_dialled_again_and_the_end_arrives(tmp_path: Path) -> None:
    async with (
        central(Central16, "ocpp1.6") as (desk, port),
        charger("ocpp16", port, tmp_path) as board,
    ):
        board.do("charger", "plug")
        await until(lambda: desk.saw("status"))
        board.do("charger", "tap", token="CARD-0001")
        await until(lambda: desk.saw("start"))
        await desk.sockets[-1].close()
        await until(lambda: board.state("charger")["online"] is False)
        board.do("charger", "unplug")
        await until(lambda: desk.saw("stop"))
        assert len(desk.ends) == 2


@pytest.mark.asyncio
async def test_a_central_system_of_another_subprotocol_is_not_spoken_to(tmp_path: Path) -> None:
    async with (
        central(Central16, "ocpp2.0.1") as (desk, port),
        charger("ocpp16", port, tmp_path) as board,
    ):
        await until(lambda: bool(board.link("charger").device.uplink.failures))  # type: ignore[attr-defined]
        assert board.state("charger")["online"] is False
        assert not desk.saw("boot")


@pytest.mark.asyncio
async def test_a_session_of_2_0_1_on_a_foreign_central_system(tmp_path: Path) -> None:
    async with (
        central(Central201, "ocpp2.0.1") as (desk, port),
        charger("ocpp201", port, tmp_path, outlets=2) as board,
    ):
        await until(lambda: desk.saw("status"))
        board.do("charger", "plug", outlet=2)
        board.do("charger", "tap", token="CARD-0001")
        await until(lambda: desk.saw("started"))
        started = next(said for event, said in desk.end.seen if event == "started")
        report = await desk.end.call(call201.GetBaseReport(1, "FullInventory"))
        assert report.status == "Accepted"
        key = started["transaction_info"]["transaction_id"]
        stopped = await desk.end.call(call201.RequestStopTransaction(key))
        assert stopped.status == "Accepted"
        await until(lambda: desk.saw("ended"))
        await until(lambda: desk.saw("report"))


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["ocpp16", "ocpp201"])
async def test_a_strict_central_system_of_node_has_nothing_to_complain_of(
    kind: str, tmp_path: Path
) -> None:
    node = shutil.which("node")
    if node is None or not (LIBRARY / "package.json").is_file():
        pytest.skip("node or npm's ocpp-rpc is not installed: make test does so where it can")
    central_system = await asyncio.create_subprocess_exec(
        node, str(RUNNER), str(LIBRARY), stdout=asyncio.subprocess.PIPE
    )
    assert central_system.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            port = json.loads(await central_system.stdout.readline())["port"]
            async with charger(kind, port, tmp_path) as board:
                board.do("charger", "plug")
                await until(lambda: board.state("charger")["registration"] == "Accepted")
                board.do("charger", "tap", token="CARD-0001")
                told = json.loads(await central_system.stdout.readline())
    finally:
        with contextlib.suppress(ProcessLookupError):
            central_system.kill()
        await central_system.wait()
    assert told["complaints"] == []
    assert "Authorize" in told["calls"]


@pytest.mark.asyncio
async def test_a_password_in_the_address_goes_out_as_basic_auth_only(tmp_path: Path) -> None:
    seen: list[str] = []

    async def look(connection: Any, request: Any) -> None:
        del connection
        seen.append(request.headers.get("Authorization", ""))
        assert "secret" not in request.path

    async def hold(connection: Any) -> None:
        await connection.wait_closed()

    server = websockets.serve(hold, "127.0.0.1", 0, process_request=look, subprotocols=["ocpp1.6"])  # type: ignore[list-item]
    async with server as listening:
        port = listening.sockets[0].getsockname()[1]
        where = f"ws://CP-7:secret@127.0.0.1:{port}/CP-7"
        async with charger("ocpp16", port, tmp_path, transport=where) as board:
            await until(lambda: bool(seen))
            assert board.paths == {"charger": f"ws://127.0.0.1:{port}/CP-7"}
    assert seen == ["Basic " + base64.b64encode(b"CP-7:secret").decode()]
