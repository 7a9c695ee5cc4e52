"""The registers of a prepaid meter, a Modbus unit; addresses count from 0, as on the wire."""

REGISTER_CREDIT = 0
"""Two registers, high word first: the minutes that are left."""
REGISTER_COUNT = 2
"""The count of the latest token that was taken."""
REGISTER_RESULT = 3
REGISTER_IS_ON = 4
REGISTERS = 5
HOLDING_TOKEN = 0
"""Two registers: the nine digits, as one number. Writing both enters them."""
HOLDINGS = 2
NOTHING, TAKEN, USED_BEFORE, WRONG, LOCKED = range(5)
RESULTS = ("", "taken", "used before", "wrong", "locked")
