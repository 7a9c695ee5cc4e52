"""A car park's exit on a board."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from firmware_sim.devices.gate.barrier import Barrier
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, JumpBody, Kind, State
from firmware_sim.kinds.modbus_wire import ModbusDecoder
from firmware_sim.limits import GATE_TAG_MAX
from protocol.framing.gate import NOTICES

Tag = Annotated[int, Field(ge=1, le=GATE_TAG_MAX)]
Minutes = Annotated[int, Field(ge=0, le=525_600)]


class GateEntry(DeviceEntry):
    """An exit. ``cars`` are in the car park already: tag, and minutes since they drove in."""

    kind: Literal["gate"]
    unit: Annotated[int, Field(ge=1, le=247)] = 1
    clock: AwareDatetime = datetime(2026, 1, 1, tzinfo=UTC)
    cars: Annotated[dict[Tag, Minutes], Field(default_factory=dict, max_length=100)]


class CarBody(ActBody):
    """Which car."""

    tag: Tag


class ArriveBody(CarBody):
    """Which car, and how long ago it drove in."""

    minutes: Minutes = 0


def _build(entry: GateEntry, seed: bytes) -> Barrier:
    del seed
    epoch_s = int(entry.clock.timestamp())
    cars = {tag: epoch_s - 60 * minutes for tag, minutes in entry.cars.items()}
    return Barrier(entry.unit, epoch_s, cars)


def _state(gate: Barrier) -> State:
    return {
        "arm": gate.arm.value,
        "waiting": gate.waiting,
        "released": gate.released,
        "cars": len(gate.cars),
        "passages": gate.passages,
        "refusals": gate.refusals,
        "is_blocked": gate.is_blocked,
        "notice": NOTICES[gate.notice],
    }


def _arrive(gate: Barrier, body: ArriveBody, now_ms: int) -> None:
    gate.arrive(body.tag, now_ms, ago_s=60 * body.minutes)


def _drive_up(gate: Barrier, body: CarBody, _: int) -> None:
    gate.drive_up(body.tag)


def _jump(gate: Barrier, body: JumpBody, now_ms: int) -> None:
    gate.jump(body.seconds, now_ms)


KIND = Kind(
    name="gate",
    summary="car park's exit: barrier, loop and display as a Modbus RTU unit",
    entry=GateEntry,
    build=_build,
    state=_state,
    decoder=ModbusDecoder,
    counters=("passages", "refusals"),
    acts=(
        Act("arrive", "a car drives in", _arrive, ArriveBody),
        Act("drive_up", "a car comes to the exit", _drive_up, CarBody),
        Act("turn_back", "the car at the exit turns back", lambda gate, _, __: gate.turn_back()),
        Act("drive_out", "the car leaves under the arm", lambda gate, _, at: gate.drive_out(at)),
        Act("block", "something holds the arm", lambda gate, _, __: gate.block()),
        Act(
            "jump_clock",
            "its clock jumps by so many seconds",
            _jump,
            JumpBody,
        ),
        Act("free", "it holds the arm no longer", lambda gate, _, __: gate.free()),
    ),
)
