"""The chip's commands (UM0701-02, chapter 7): what each answers and how long it takes.

Not simulated, and answered as unknown: being a card (Tg…), RFRegulationTest, InATR, InPSL.
Cards of type B, FeliCa and Jewel, and devices that speak NFC-DEP, never lie in the field: asking
for one finds nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from firmware_sim.devices.pn532.exchange import communicate, exchange
from firmware_sim.devices.pn532.field import TARGETS_MAX, Field
from firmware_sim.devices.pn532.registers import RX_MODE, TX_MODE, Registers
from protocol.framing.pn532 import Code, Status

VERSION = bytes.fromhex("32010607")
"""PN532 firmware 1.6; reads and writes type A, type B and FeliCa."""
BAUDS = (9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600, 1_288_000)
FAST_MS, LOOK_MS, AUTO_POLL_UNIT_MS = 1, 5, 150
BITS_PER_MS = 106
SENSE_REQUEST = 0x26
AUTOMATIC_RATS = 0x10
FIRST_PARAMETERS = 0x14
TRIES_FOREVER = 0xFF
WAKE_BY_UART = 0x10
TYPE_A, TYPES_KNOWN = 0x00, range(5)
POLL_ANY, POLL_PLAIN, POLL_BLOCKS, POLL_OTHERS = 0x00, 0x10, 0x20, (0x01, 0x02, 0x03, 0x04, 0x23)
POLL_FELICA = (0x11, 0x12, 0x40, 0x41, 0x42, 0x80, 0x81, 0x82)
NO_SAM = 0x80

# RFConfiguration: how many bytes each item has
_RF_ITEMS = {0x01: 1, 0x02: 3, 0x04: 1, 0x05: 3, 0x0A: 11, 0x0B: 8, 0x0C: 3, 0x0D: 9}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and what the chip does to itself once it has been given."""

    content: bytes = b""
    cost_ms: int = FAST_MS
    baud: int | None = None
    """The rate after the host's acknowledgement."""
    sleeps: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A command that waits for a card: ``look`` finds one or ``None``; ``limit_ms`` ``None``: for
    ever."""

    look: Callable[[], bytes | None]
    limit_ms: int | None
    nothing: bytes


Outcome = Reply | Search | None
"""``None``: a syntax error."""
_Table = dict[int, tuple[int, int, Callable[..., Outcome]]]


@dataclass(slots=True)
class Firmware:
    """All that a reset forgets."""

    antenna: Field
    registers: Registers = field(default_factory=Registers)
    parameters: int = FIRST_PARAMETERS
    tries: int = TRIES_FOREVER
    wakes_by_uart: bool = True
    _port_3: int = 0x3F
    _port_7: int = 0x07
    _last_error: int = 0

    def execute(self, code: int, arguments: bytes) -> Outcome:
        """Do what the host says."""
        found = self._COMMANDS.get(code)
        if found is None:
            return None
        shortest, longest, run = found
        if not shortest <= len(arguments) <= longest:
            return None
        return run(self, arguments)

    def _diagnose(self, arguments: bytes) -> Outcome:
        test, rest = arguments[0], arguments[1:]
        if test == 0x00:
            return Reply(arguments)
        if test in (0x01, 0x02, 0x07) and len(rest) == (test == 0x07):
            return Reply(b"\x00", cost_ms=LOOK_MS)
        if test == 0x06 and not rest:
            return Reply(bytes([self._presence()]), cost_ms=LOOK_MS)
        return None

    def _presence(self) -> int:
        target = self.antenna.targets.get(self.antenna.current)
        if target is None or target.initiator is None or not self.antenna.is_near(target):
            return Status.TIMEOUT
        return Status.OK if target.initiator.is_present(target.card) else Status.TIMEOUT

    def _version(self, _: bytes) -> Outcome:
        return Reply(VERSION)

    def _status(self, _: bytes) -> Outcome:
        targets = b"".join(bytes([number, 0, 0, 0]) for number in self.antenna.targets)
        head = bytes([self._last_error, 0x00, len(self.antenna.targets)])
        return Reply(head + targets + bytes([NO_SAM]))

    def _read_registers(self, arguments: bytes) -> Outcome:
        if len(arguments) % 2:
            return None
        addresses = (arguments[at] << 8 | arguments[at + 1] for at in range(0, len(arguments), 2))
        return Reply(bytes(map(self.registers.read, addresses)))

    def _write_registers(self, arguments: bytes) -> Outcome:
        if len(arguments) % 3:
            return None
        for at in range(0, len(arguments), 3):
            address = arguments[at] << 8 | arguments[at + 1]
            self.registers.write(address, arguments[at + 2])
        return Reply()

    def _read_gpio(self, _: bytes) -> Outcome:
        return Reply(bytes([self._port_3, self._port_7, 0x01]))

    def _write_gpio(self, arguments: bytes) -> Outcome:
        """Bit 7 of each byte says whether the port is meant at all."""
        if arguments[0] & 0x80:
            self._port_3 = arguments[0] & 0x3F
        if arguments[1] & 0x80:
            self._port_7 = arguments[1] & 0x07
        return Reply()

    def _set_baud(self, arguments: bytes) -> Outcome:
        return Reply(baud=BAUDS[arguments[0]]) if arguments[0] < len(BAUDS) else None

    def _set_parameters(self, arguments: bytes) -> Outcome:
        self.parameters = arguments[0]
        return Reply()

    def _configure_sam(self, arguments: bytes) -> Outcome:
        return Reply() if 1 <= arguments[0] <= 4 else None

    def _power_down(self, arguments: bytes) -> Outcome:
        self.wakes_by_uart = bool(arguments[0] & WAKE_BY_UART)
        return Reply(b"\x00", sleeps=True)

    def _configure_rf(self, arguments: bytes) -> Outcome:
        item, values = arguments[0], arguments[1:]
        if _RF_ITEMS.get(item) != len(values):
            return None
        if item == 0x01:
            self.antenna.switch(is_on=bool(values[0] & 0x01))
        elif item == 0x05:
            self.tries = values[2]
        return Reply()

    def _list_targets(self, arguments: bytes) -> Outcome:
        count, kind, wanted = arguments[0], arguments[1], arguments[2:]
        if not 1 <= count <= TARGETS_MAX or kind not in TYPES_KNOWN:
            return None
        if kind == TYPE_A and len(wanted) not in (0, 4, 7, 8, 10, 12):
            return None

        def look() -> bytes | None:
            if kind != TYPE_A:
                self.antenna.forget()
                self.antenna.is_on = True
                return None
            found = self._activate(wanted, count)
            return bytes([len(found)]) + b"".join(found) if found else None

        limit = None if self.tries == TRIES_FOREVER else (self.tries + 1) * LOOK_MS
        return Search(look, limit, b"\x00")

    def _activate(
        self, wanted: bytes, count: int, *, is_block_card: bool | None = None
    ) -> list[bytes]:
        by_rats = bool(self.parameters & AUTOMATIC_RATS)
        found = self.antenna.activate(wanted, count, by_rats=by_rats, is_block_card=is_block_card)
        for mode in (TX_MODE, RX_MODE):
            self.registers.write(mode, 0x80)
        self.registers.flush(b"" if found else bytes([SENSE_REQUEST]))
        return [target.describe(number) for number, target in found.items()]

    def _auto_poll(self, arguments: bytes) -> Outcome:
        rounds, period, types = arguments[0], arguments[1], arguments[2:]
        known = {POLL_ANY, POLL_PLAIN, POLL_BLOCKS, *POLL_OTHERS, *POLL_FELICA}
        if not rounds or not 1 <= period <= 0x0F or not known.issuperset(types):
            return None

        def look() -> bytes | None:
            for kind in types:
                if kind not in (POLL_ANY, POLL_PLAIN, POLL_BLOCKS):
                    continue
                only = None if kind == POLL_ANY else kind == POLL_BLOCKS
                if found := self._activate(b"", TARGETS_MAX, is_block_card=only):
                    told = (bytes([self._poll_type(one), len(one)]) + one for one in found)
                    return bytes([len(found)]) + b"".join(told)
            return None

        limit = rounds * period * AUTO_POLL_UNIT_MS * len(types)
        return Search(look, None if rounds == TRIES_FOREVER else limit, b"\x00")

    def _poll_type(self, described: bytes) -> int:
        return POLL_BLOCKS if described[3] & POLL_BLOCKS else POLL_PLAIN

    def _exchange(self, arguments: bytes) -> Outcome:
        return self._told(exchange(self.antenna, arguments), len(arguments))

    def _communicate(self, arguments: bytes) -> Outcome:
        content = communicate(
            self.antenna,
            arguments,
            adds_checksum=bool(self.registers.read(TX_MODE) & 0x80),
            checks_checksum=bool(self.registers.read(RX_MODE) & 0x80),
        )
        return self._told(content, len(arguments))

    def _told(self, content: bytes, sent: int) -> Reply:
        self._last_error = content[0] & 0x3F
        return Reply(content, cost_ms=FAST_MS + (sent + len(content)) * 9 // BITS_PER_MS)

    def _deselect(self, arguments: bytes) -> Outcome:
        return self._found(self.antenna.deselect(arguments[0], is_for_good=False))

    def _release(self, arguments: bytes) -> Outcome:
        return self._found(self.antenna.deselect(arguments[0], is_for_good=True))

    def _select(self, arguments: bytes) -> Outcome:
        return self._found(self.antenna.select(arguments[0]))

    def _found(self, is_found: bool) -> Reply:
        return Reply(bytes([Status.OK if is_found else Status.CONTEXT]))

    def _jump(self, _: bytes) -> Outcome:
        return Reply(bytes([Status.TIMEOUT]), cost_ms=LOOK_MS)

    # command: fewest and most argument bytes, method
    _COMMANDS: ClassVar[_Table] = {
        Code.DIAGNOSE: (1, 263, _diagnose),
        Code.GET_FIRMWARE_VERSION: (0, 0, _version),
        Code.GET_GENERAL_STATUS: (0, 0, _status),
        Code.READ_REGISTER: (2, 262, _read_registers),
        Code.WRITE_REGISTER: (3, 261, _write_registers),
        Code.READ_GPIO: (0, 0, _read_gpio),
        Code.WRITE_GPIO: (2, 2, _write_gpio),
        Code.SET_SERIAL_BAUD_RATE: (1, 1, _set_baud),
        Code.SET_PARAMETERS: (1, 1, _set_parameters),
        Code.SAM_CONFIGURATION: (1, 3, _configure_sam),
        Code.POWER_DOWN: (1, 2, _power_down),
        Code.RF_CONFIGURATION: (2, 12, _configure_rf),
        Code.IN_DATA_EXCHANGE: (1, 263, _exchange),
        Code.IN_COMMUNICATE_THRU: (0, 263, _communicate),
        Code.IN_DESELECT: (1, 1, _deselect),
        Code.IN_JUMP_FOR_PSL: (3, 263, _jump),
        Code.IN_LIST_PASSIVE_TARGET: (2, 263, _list_targets),
        Code.IN_RELEASE: (1, 1, _release),
        Code.IN_SELECT: (1, 1, _select),
        Code.IN_JUMP_FOR_DEP: (3, 263, _jump),
        Code.IN_AUTO_POLL: (3, 17, _auto_poll),
    }
