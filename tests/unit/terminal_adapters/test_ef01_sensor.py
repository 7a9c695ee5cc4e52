"""Goal: staff's fingers are enrolled, listed and deleted, whatever the line or the power does.

Method: the driver on a port that is the simulated sensor itself, without a line and its time.
"""

import time
from collections import deque
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from firmware_sim.devices.ef01 import Ef01
from firmware_sim.devices.ef01.profiles import R503, ZFM20, Profile
from protocol.errors import OperatingError, TillwayError
from protocol.framing import ef01
from protocol.framing.ef01 import Instruction
from terminal.adapters.ef01_fingerprint import Ef01FingerprintSensor, EnrolStep
from tests.kit.patience import PATIENCE_S

TOUCH_S = 0.15
"""How long a finger is waited for that does not come."""


class SensorPort:
    """A port whose other end is the device. ``mangle`` is what the wire does to every reply,
    ``spoil`` what it does to the next request."""

    def __init__(self, device: Ef01) -> None:
        self.device = device
        self.mangle: Callable[[bytes], bytes] = lambda data: data
        self.spoil: Callable[[bytes], bytes] | None = None
        self.asked: list[int] = []
        self._heard: deque[int] = deque()

    @property
    def in_waiting(self) -> int:
        return len(self._heard)

    def read(self, size: int, /) -> bytes:
        return bytes(self._heard.popleft() for _ in range(min(size, len(self._heard))))

    def write(self, data: bytes, /) -> int:
        self.asked.append(data[9])
        spoil, self.spoil = self.spoil, None
        heard = spoil(data) if spoil else data
        for output in self.device.feed(heard, time.monotonic_ns() // 1_000_000):
            self._heard.extend(self.mangle(output.payload))
        return len(data)

    def reset_input_buffer(self) -> None:
        self._heard.clear()

    def close(self) -> None:
        """Nothing to close."""


class Rig:
    """A driver, its port and the hand that follows what the driver tells."""

    def __init__(self, profile: Profile = ZFM20, *, password: int = 0) -> None:
        self.device = Ef01(profile, password=password)
        self.port = SensorPort(self.device)
        self.driver = Ef01FingerprintSensor("none", password=password, open_port=lambda: self.port)
        self.told: list[EnrolStep] = []
        self.fingers = ["alice", "alice"]

    def follow(self, step: EnrolStep) -> None:
        self.told.append(step)
        if step is EnrolStep.LIFT:
            self.device.lift()
        elif self.fingers:
            self.device.place(self.fingers.pop(0), quality=90)

    async def enrol(self, slot: int | None = None, timeout_s: float = PATIENCE_S) -> int:
        return await self.driver.enrol(slot=slot, timeout_s=timeout_s, tell=self.follow)


@pytest_asyncio.fixture(params=[ZFM20, R503], ids=["zfm20", "r503"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    """Each kind of sensor."""
    found = Rig(request.param)
    yield found
    await found.driver.aclose()


@pytest.mark.asyncio
async def test_two_touches_enrol_a_finger_in_the_lowest_free_slot(rig: Rig) -> None:
    rig.device.enrol("bob", 0)
    assert await rig.enrol() == 1
    assert rig.told == [EnrolStep.PLACE, EnrolStep.LIFT, EnrolStep.PLACE_AGAIN]
    match = await rig.driver.identify(1)
    assert match is not None
    assert match.slot == 1
    library = await rig.driver.library()
    assert (library.capacity, library.slots) == (rig.device.profile.capacity, (0, 1))


@pytest.mark.asyncio
async def test_a_known_finger_and_two_fingers_are_refused_and_nothing_is_stored(rig: Rig) -> None:
    rig.device.enrol("alice", 4)
    with pytest.raises(TillwayError, match="finger_known"):
        await rig.enrol()
    rig.fingers = ["carol", "dave"]
    with pytest.raises(TillwayError, match="finger_differs"):
        await rig.enrol()
    assert rig.device.slots == [4]


@pytest.mark.asyncio
async def test_a_slot_that_is_used_or_does_not_exist_is_the_callers_mistake(rig: Rig) -> None:
    rig.device.enrol("bob", 2)
    for slot in (2, -1, rig.device.profile.capacity):
        with pytest.raises(TillwayError, match="field_invalid"):
            await rig.enrol(slot)
    assert rig.told == []


@pytest.mark.asyncio
async def test_a_full_library_is_said_before_anybody_is_asked_for_a_finger() -> None:
    rig = Rig()
    rig.device = rig.port.device = Ef01(R503, capacity=3)
    for slot in range(3):
        rig.device.enrol(f"finger {slot}", slot)
    with pytest.raises(TillwayError, match="finger_library_full"):
        await rig.enrol()
    assert rig.told == []
    await rig.driver.aclose()


@pytest.mark.asyncio
@pytest.mark.parametrize("fingers", [[], ["alice"]])
async def test_no_finger_or_one_that_comes_only_once_is_finger_timeout(
    rig: Rig, fingers: list[str]
) -> None:
    rig.fingers = fingers
    with pytest.raises(TillwayError, match="finger_timeout"):
        await rig.enrol(timeout_s=TOUCH_S)
    assert rig.device.slots == []


@pytest.mark.asyncio
async def test_a_finger_that_is_never_lifted_is_finger_timeout(rig: Rig) -> None:
    rig.device.place("alice")
    with pytest.raises(TillwayError, match="finger_timeout"):
        await rig.driver.enrol(slot=None, timeout_s=TOUCH_S, tell=rig.told.append)
    assert rig.told == [EnrolStep.PLACE, EnrolStep.LIFT]


@pytest.mark.asyncio
async def test_a_finger_is_deleted_once(rig: Rig) -> None:
    rig.device.enrol("alice", 7)
    assert await rig.driver.delete(7)
    assert not await rig.driver.delete(7)
    assert rig.device.slots == []
    with pytest.raises(TillwayError, match="field_invalid"):
        await rig.driver.delete(rig.device.profile.capacity)


@pytest.mark.asyncio
async def test_a_broken_flash_never_counts_as_enrolled_or_deleted(rig: Rig) -> None:
    rig.device.enrol("bob", 0)
    rig.device.damage(glass=False, flash=True)
    for deed in (rig.enrol(), rig.driver.delete(0)):
        with pytest.raises(OperatingError, match="biometric_unavailable"):
            await deed
    assert rig.device.slots == [0]


@pytest.mark.asyncio
async def test_a_library_of_a_thousand_is_read_page_by_page() -> None:
    rig = Rig()
    for slot in (0, 255, 256, 999):
        rig.device.enrol("alice", slot)
    assert (await rig.driver.library()).slots == (0, 255, 256, 999)
    assert rig.port.asked.count(Instruction.INDEX_TABLE) == 4
    await rig.driver.aclose()


@pytest.mark.asyncio
async def test_a_sensor_that_lost_its_power_gets_its_password_again() -> None:
    rig = Rig(password=0x01020304)
    rig.device.enrol("alice", 5)
    assert (await rig.driver.library()).slots == (5,)
    rig.device.boot(-1000)
    assert (await rig.driver.library()).slots == (5,)
    assert rig.port.asked.count(Instruction.VERIFY_PASSWORD) == 2
    await rig.driver.aclose()


@pytest.mark.asyncio
async def test_power_lost_between_the_touches_enrols_nobody(rig: Rig) -> None:
    def follow(step: EnrolStep) -> None:
        if step is EnrolStep.PLACE_AGAIN:
            rig.device.boot(-1000)
        rig.follow(step)

    with pytest.raises(TillwayError, match="finger_differs"):
        await rig.driver.enrol(slot=None, timeout_s=PATIENCE_S, tell=follow)
    assert rig.device.slots == []


@pytest.mark.asyncio
async def test_a_wrong_password_is_biometric_unavailable() -> None:
    rig = Rig(password=1)
    rig.device.state.flash.password = 2
    with pytest.raises(OperatingError, match="biometric_unavailable") as refused:
        await rig.driver.library()
    assert refused.value.detail == "the sensor says 13h, wrong_password"
    await rig.driver.aclose()


def _flip(at: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "mangle",
    [*map(_flip, range(2, 12)), lambda data: data[:5] + data[6:], lambda data: data[:-1]],
)
async def test_damage_in_every_reply_is_an_error_and_never_a_finger(
    monkeypatch: pytest.MonkeyPatch, mangle: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr("terminal.adapters.ef01_fingerprint.FINGER_REPLY_S", 0.02)
    monkeypatch.setattr("terminal.adapters.ef01_fingerprint.FINGER_REPLY_GAP_S", 0.02)
    rig = Rig()
    await rig.driver.library()
    rig.port.mangle = mangle
    rig.device.enrol("alice", 1)
    for deed in (rig.enrol(), rig.driver.library(), rig.driver.delete(1), rig.driver.identify(0.1)):
        with pytest.raises(OperatingError, match=r"device_bad_frame|device_no_reply"):
            await deed
    rig.port.mangle = lambda data: ef01.READY + data
    assert (await rig.driver.library()).slots in ((), (1,))
    await rig.driver.aclose()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "spoil",
    [_flip(9), lambda data: data[:9] + data[10:], lambda data: data[:3] + data[3:4] + data[3:]],
    ids=["flipped", "lost", "doubled"],
)
async def test_a_request_that_is_damaged_once_is_said_again(
    monkeypatch: pytest.MonkeyPatch, spoil: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr("terminal.adapters.ef01_fingerprint.FINGER_REPLY_S", 0.6)
    rig = Rig()
    rig.device.enrol("alice", 3)
    await rig.driver.library()
    rig.port.spoil = spoil
    assert (await rig.driver.library()).slots == (3,)
    await rig.driver.aclose()


@pytest.mark.asyncio
async def test_a_late_answer_to_another_instruction_is_not_taken_for_this_one() -> None:
    rig = Rig()
    await rig.driver.library()
    late = [ef01.encode(ef01.Packet(ef01.Pid.ACK, b"\x00\x00\x07\x00\x64"))]
    rig.port.mangle = lambda data: late.pop() if late else data
    with pytest.raises(TillwayError, match="finger_timeout"):
        await rig.driver.identify(0)
    assert Instruction.IMG2TZ not in rig.port.asked
    await rig.driver.aclose()


@pytest.mark.asyncio
async def test_a_sensor_with_an_address_of_its_own_is_asked_there() -> None:
    device = Ef01(address=0x01020304)
    port = SensorPort(device)
    driver = Ef01FingerprintSensor("none", address=0x01020304, open_port=lambda: port)
    assert (await driver.library()).capacity == 1000
    await driver.aclose()
