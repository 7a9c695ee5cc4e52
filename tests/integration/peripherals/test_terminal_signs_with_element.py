"""Goal: a terminal whose key is in a secure element is known to its hub by what the element signs.

Method: a whole hub with real identities, the terminal's own wiring, a simulated element on a pty.
"""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from firmware_sim.board_file import board_with
from firmware_sim.hosting import HostedBoard
from protocol.crypto.keys import generate
from protocol.errors import CallerError
from protocol.identity import SIGNING_KEY, ElementKey
from terminal.bootstrap import load_identity, running_terminal
from terminal.config import Settings
from tests.kit.hub_shop import Shop
from tests.kit.hub_world import PASSPHRASE, World, running_world, until
from tillway.element_keys import ElementKeys

TID = "pos-1"
PIN = b"123456"


@pytest.fixture
def hosted() -> Iterator[HostedBoard]:
    with HostedBoard(board_with("secure_element", device="element"), pace=False) as board:
        yield board


@pytest.fixture
def key(hosted: HostedBoard, monkeypatch: pytest.MonkeyPatch) -> ElementKey:
    """The terminal's key, made in the element; the shop knows its public half only."""
    content = ElementKeys(hosted.paths["element"], PIN, PASSPHRASE).make(())
    key = ElementKey.from_bytes(content)
    assert key is not None
    monkeypatch.setattr(Shop, "key_of", lambda *_: SimpleNamespace(public=key.public))
    return key


def _settings(world: World, key: ElementKey, **devices: object) -> Settings:
    world.installation.issue("terminal", TID, generate("ES256"))
    state = world.installation.root / TID
    (state / "identity" / SIGNING_KEY).write_bytes(key.to_bytes())
    pin = state / "element-pin"
    pin.write_bytes(PIN)
    pin.chmod(0o600)
    return Settings(
        state_dir=state,
        hub={"transport": "mqtt", "port": world.hub.ports["mqtt"]},
        http={"port": 0},
        merchant={"id": "m-1", "zh": "小店", "en": "Corner Shop"},
        reading={"source": "off"},
        devices=devices,
    )


@pytest.mark.asyncio
async def test_the_hub_takes_what_the_element_has_signed(
    hosted: HostedBoard, key: ElementKey, tmp_path: Path
) -> None:
    async with running_world(tmp_path, TID) as world:
        settings = _settings(world, key, secure_element=hosted.paths["element"])
        async with running_terminal(settings, load_identity(settings)):
            await until(lambda: bool(world.backend.carried_out))
    signatures = hosted.state("element")["signatures"]
    assert isinstance(signatures, int)
    assert signatures >= 1


@pytest.mark.asyncio
async def test_a_terminal_does_not_start_without_the_port_of_its_element(
    key: ElementKey, tmp_path: Path
) -> None:
    async with running_world(tmp_path, TID) as world:
        settings = _settings(world, key)
        with pytest.raises(CallerError, match=r"devices\.secure_element"):
            async with running_terminal(settings, load_identity(settings)):
                pass
