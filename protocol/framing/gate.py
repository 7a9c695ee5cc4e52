"""The registers of a car park's exit, a Modbus unit; addresses count from 0, as on the wire."""

COIL_RAISE = 0
"""Raise the arm for the car whose tag stands in ``HOLDING_RELEASED``; reads on until it is down."""
INPUT_CAR, INPUT_UP, INPUT_DOWN, INPUT_FAULT = 0, 1, 2, 3
INPUTS = 4
REGISTER_TAG = 0
"""Two registers, high word first: the car before the barrier; 0 is none."""
REGISTER_ENTERED = 2
"""Two registers: when it drove in, in seconds since 1970; 0 is unknown."""
REGISTER_CLOCK = 4
"""Two registers: the unit's own clock."""
REGISTER_PASSAGES = 6
REGISTERS = 7
HOLDING_RELEASED = 0
"""Two registers: the tag that may leave."""
HOLDING_CLOCK = 2
"""Two registers: sets the clock."""
HOLDING_NOTICE = 4
"""What the display says: 0 nothing, 1 please pay, 2 not paid, 3 thank you."""
HOLDINGS = 5
NOTHING, PLEASE_PAY, NOT_PAID, THANK_YOU = range(4)
NOTICES = ("", "PLEASE PAY", "NOT PAID", "THANK YOU")


def words(number: int) -> tuple[int, int]:
    """A number in two registers, the high word first."""
    return number >> 16 & 0xFFFF, number & 0xFFFF


def number(high: int, low: int) -> int:
    """The number in two registers."""
    return high << 16 | low
