"""What systemd hears of a program, by its own protocol: datagrams to a socket that it names."""

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from transport.service_manager import say_ready, watched

PATIENCE_S = 60


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """systemd's end, and how it is named in the environment."""
    name = f"{tmp_path / 's'}" if request.param == "path" else f"@tillway-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        line.settimeout(PATIENCE_S)
        yield line, name


def test_the_ready_line_is_printed_and_systemd_hears_of_it(
    systemd: tuple[socket.socket, str], capsys: pytest.CaptureFixture[str]
) -> None:
    line, name = systemd
    say_ready({"ports": {"http": 8480}}, {"NOTIFY_SOCKET": name})
    assert json.loads(capsys.readouterr().out) == {"ready": True, "ports": {"http": 8480}}
    assert line.recv(100) == b"READY=1"


def test_a_loop_that_turns_says_so_twice_as_often_as_asked(
    systemd: tuple[socket.socket, str],
) -> None:
    line, name = systemd

    async def turn() -> None:
        environment = {
            "NOTIFY_SOCKET": name,
            "WATCHDOG_USEC": "20000",
            "WATCHDOG_PID": f"{os.getpid()}",
        }
        async with watched(environment):
            for _ in range(3):
                assert await asyncio.to_thread(line.recv, 100) == b"WATCHDOG=1"

    asyncio.run(turn())


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}],
)
def test_who_is_not_asked_says_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"{tmp_path / 's'}")
        line.setblocking(False)

        async def turn() -> None:
            async with watched({"NOTIFY_SOCKET": f"{tmp_path / 's'}", **environment}):
                await asyncio.sleep(0)

        asyncio.run(turn())
        with pytest.raises(BlockingIOError):
            line.recv(100)


def test_a_manager_that_has_gone_disturbs_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    say_ready({}, {"NOTIFY_SOCKET": "/nowhere/notify"})
    assert capsys.readouterr().out == '{"ready": true}\n'
