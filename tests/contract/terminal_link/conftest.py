"""The two terminal links to try, and the terminals to try them with."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.terminal_link.rig import (
    Authority,
    MosquittoRig,
    OwnServerRig,
    Rig,
    Terminal,
)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority nobody trusts."""
    return Authority(tmp_path_factory.mktemp("other-ca"))


@pytest_asyncio.fixture
async def own_server(authority: Authority) -> AsyncIterator[OwnServerRig]:
    rig = OwnServerRig(authority)
    await rig.start(rig.hub.on_publish)
    yield rig
    await rig.stop()


@pytest_asyncio.fixture
async def mosquitto(authority: Authority, tmp_path: Path) -> AsyncIterator[MosquittoRig]:
    rig = MosquittoRig(authority, tmp_path)
    try:
        await rig.start(rig.hub.on_publish)
        yield rig
    finally:
        await rig.stop()


@pytest.fixture(params=["own_server", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def rig(request: pytest.FixtureRequest) -> Rig:
    found: Rig = request.getfixturevalue(request.param)
    return found


@pytest_asyncio.fixture
async def terminal() -> AsyncIterator[Callable[..., Terminal]]:
    """Makes terminals, and lets none of them live on."""
    made: list[Terminal] = []

    def make(rig: Rig, tid: str = "till-1", **options: Any) -> Terminal:
        made.append(Terminal(rig, tid, **options))
        return made[-1]

    yield make
    for one in made:
        await one.leave()
