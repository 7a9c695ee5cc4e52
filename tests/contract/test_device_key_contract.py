"""Goal: the secure element's key and its dummy twin keep one contract."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from firmware_sim.board_file import board_with
from firmware_sim.hosting import HostedBoard
from protocol.crypto.keys import VerifyKey, generate
from terminal.adapters.dummy import DummyDeviceKey
from terminal.adapters.secure_element import ElementDeviceKey, SerialSecureElement
from terminal.ports import DeviceKey

Rig = tuple[DeviceKey, VerifyKey]


@pytest_asyncio.fixture(params=["dummy", "element"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    """A key and its public half."""
    if request.param == "dummy":
        key = generate("ES256")
        yield DummyDeviceKey(key), key.public
        return
    with HostedBoard(board_with("secure_element", device="element"), pace=False) as hosted:
        element = SerialSecureElement(hosted.paths["element"], pin=b"123456")
        await element.initialise(b"123456")
        public = await element.generate(2)
        held = ElementDeviceKey(element, slot=2, public=public)
        yield held, public
        await held.aclose()


@pytest.mark.asyncio
async def test_a_signature_holds_for_its_message_alone(rig: Rig) -> None:
    key, public = rig
    one, two = await asyncio.gather(key.sign(b"one"), key.sign(b"two"))
    assert public.verify(one, b"one")
    assert public.verify(two, b"two")
    assert not public.verify(one, b"two")
