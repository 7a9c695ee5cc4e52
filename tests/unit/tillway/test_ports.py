"""A stack whose ports somebody holds says so before it starts anything."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from backend.channels.signed_http import key_text
from protocol.crypto.keys import generate
from protocol.errors import OperatingError
from tillway.demo import stack
from tillway.demo.cli import app as demo
from tillway.demo.ports import HOST, Ports
from tillway.demo.sandbox import NETSUNION


@pytest.fixture(params=[socket.SOCK_STREAM, socket.SOCK_DGRAM])
def holder(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, request.param) as found:
        found.bind((HOST, 0))
        if request.param == socket.SOCK_STREAM:
            found.listen()
        yield found


def test_a_taken_port_is_named_and_nothing_has_begun(holder: socket.socket, tmp_path: Path) -> None:
    port = int(holder.getsockname()[1])
    ports = Ports(till=port) if holder.type == socket.SOCK_STREAM else Ports(hub_coap=port)
    made = stack.Stack(tmp_path / "state", ports, lambda _words: None)
    with pytest.raises(OperatingError, match=f"port_taken.*{port}"):
        made.start_core()
    assert not made.programs
    assert not made.root.exists()


def test_any_port_will_do_and_one_that_nobody_listens_at() -> None:
    with socket.socket() as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, 0))
        Ports(backend_public=int(found.getsockname()[1])).refuse_taken()
    Ports().refuse_taken()


def test_a_demo_whose_second_program_does_not_start_says_why_and_stops_the_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun, ended = threading.Event(), []

    def start(name: str, *_words: object, **_options: object) -> SimpleNamespace:
        if name == NETSUNION:
            begun.set()
            return SimpleNamespace(name=name, ready={"ports": {}})
        assert begun.wait(10)
        raise OperatingError("port_taken", f"{HOST}:8443")

    founded = {"operator_token": "t", "signing_key": key_text(generate("Ed25519").public)}
    monkeypatch.setattr(stack, "said_by", lambda *_words: founded)
    monkeypatch.setattr(stack, "start", start)
    monkeypatch.setattr(stack, "stop", lambda program: ended.append(program.name))
    told = CliRunner().invoke(demo, ["--once", "--directory", str(tmp_path / "demo")])
    assert told.exit_code == 1
    assert "port_taken" in told.stdout
    assert ended == [NETSUNION]
