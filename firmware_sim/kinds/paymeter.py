"""A prepaid meter on a board."""

from typing import Annotated, Literal

from pydantic import Field

from firmware_sim.devices.paymeter.meter import PayMeter
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Kind, State
from firmware_sim.kinds.modbus_wire import ModbusDecoder
from protocol.framing.paymeter import RESULTS


class PayMeterEntry(DeviceEntry):
    """A meter with its key and what is left on it."""

    kind: Literal["paymeter"]
    unit: Annotated[int, Field(ge=1, le=247)] = 1
    key: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] = "a29ab82edc5fbbc41ec9530f6dac86b1"
    credit_minutes: Annotated[int, Field(ge=0, le=525_600)] = 60


class TokenBody(ActBody):
    """The digits."""

    digits: Annotated[str, Field(pattern="^[0-9]{9}$")]


def _build(entry: PayMeterEntry, seed: bytes) -> PayMeter:
    del seed
    return PayMeter(entry.unit, bytes.fromhex(entry.key), entry.credit_minutes)


def _state(meter: PayMeter) -> State:
    return {
        "credit_minutes": meter.credit_minutes,
        "is_on": meter.is_on,
        "count": meter.count,
        "result": RESULTS[meter.result],
        "taken": meter.taken,
        "refusals": meter.refusals,
    }


def _enter(meter: PayMeter, body: TokenBody, now_ms: int) -> None:
    meter.enter(body.digits, now_ms)


KIND = Kind(
    name="paymeter",
    summary="prepaid meter that takes OpenPAYGO tokens, as a Modbus RTU unit",
    entry=PayMeterEntry,
    build=_build,
    state=_state,
    decoder=ModbusDecoder,
    counters=("taken", "refusals"),
    acts=(Act("enter", "key a token in", _enter, TokenBody, secret=frozenset({"digits"})),),
)
