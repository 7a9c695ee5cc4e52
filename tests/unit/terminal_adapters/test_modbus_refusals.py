"""What a Modbus unit, or a gateway before it, may answer and mean."""

import asyncio
from collections.abc import Callable

import pytest

from protocol.errors import OperatingError
from protocol.framing import modbus
from protocol.framing import paymeter as at
from protocol.framing.modbus import Adu, FrameParser
from terminal.adapters.paymeter import ModbusPayMeter

ACKNOWLEDGE, BUSY, GATEWAY_PATH, GATEWAY_SILENT = 5, 6, 10, 11
Answer = Callable[[Adu], Adu | None]


class Meter:
    """A port behind which a meter answers by ``on_token``; None: its answer is lost."""

    def __init__(self, on_token: Answer) -> None:
        self._on_token = on_token
        self._parser = FrameParser("request")
        self._out = b""
        self.tokens = 0

    @property
    def in_waiting(self) -> int:
        return len(self._out)

    def read(self, size: int) -> bytes:
        found, self._out = self._out[:size], self._out[size:]
        return found

    def write(self, data: bytes) -> int:
        for asked in self._parser.feed(data):
            assert isinstance(asked, Adu)
            answer = self._answer(asked)
            self._out += b"" if answer is None else modbus.encode(answer)
        return len(data)

    def _answer(self, asked: Adu) -> Adu | None:
        if asked.function == modbus.WRITE_REGISTERS:
            self.tokens += 1
            return self._on_token(asked)
        registers = [0] * at.REGISTERS
        registers[at.REGISTER_RESULT] = at.TAKEN
        data = b"".join(one.to_bytes(2, "big") for one in registers)
        return Adu(asked.unit, asked.function, modbus.counted(data))

    def reset_input_buffer(self) -> None:
        self._out = b""

    def close(self) -> None:
        """Nothing is open."""


async def enter(meter: Meter) -> str:
    """A token is entered; the code of what came of it, empty for *given*."""
    driver = ModbusPayMeter("", open_port=lambda: meter)
    try:
        await driver.enter("123456789")
    except OperatingError as error:
        return error.code
    finally:
        await driver.aclose()
    return ""


@pytest.mark.parametrize("code", [ACKNOWLEDGE, BUSY, GATEWAY_PATH, GATEWAY_SILENT])
def test_a_gateway_or_a_busy_unit_does_not_say_that_nothing_was_given(code: int) -> None:
    """The first time the meter takes the token, and its answer is lost on the way."""

    def answer(asked: Adu) -> Adu | None:
        return None if meter.tokens == 1 else modbus.refuse(asked, code)

    meter = Meter(answer)
    assert asyncio.run(enter(meter)) == "device_bad_frame"


def test_it_is_asked_again_until_it_says_what_came_of_it() -> None:
    def answer(asked: Adu) -> Adu | None:
        taken = Adu(asked.unit, asked.function, asked.data[:4])
        return modbus.refuse(asked, BUSY) if meter.tokens == 1 else taken

    meter = Meter(answer)
    assert asyncio.run(enter(meter)) == ""
    assert meter.tokens == 2


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (modbus.Refusal.FUNCTION, "item_not_given"),
        (modbus.Refusal.VALUE, "item_not_given"),
        (modbus.Refusal.DEVICE_FAILURE, "device_no_reply"),
    ],
)
def test_a_meters_own_no_is_one_and_a_failure_in_the_middle_is_none(
    refusal: modbus.Refusal, code: str
) -> None:
    meter = Meter(lambda asked: modbus.refuse(asked, refusal))
    assert asyncio.run(enter(meter)) == code
