"""The adapter: two buses behind one line of text (docs.qibixx.com, MDB API).

On its peripheral port hangs a vending machine, for which it can be the cashless reader (``C``).
On its VMC port hang a cashless reader and a coin changer, whose master it can be: of the reader by
``D``, of all in raw bytes by ``M`` and ``R``. ``X`` lets it tell of every block on both.

Not documented and chosen here: a line that is damaged gets ``ERR``; ``M`` and ``D`` exclude each
other; ``R`` without ``M`` is ``p,NACK``.
"""

from dataclasses import dataclass, field

from firmware_sim.devices.device import Output
from firmware_sim.devices.mdb.bus import Bus, Heard
from firmware_sim.devices.mdb.card_box import CardBox
from firmware_sim.devices.mdb.changer import CoinChanger
from firmware_sim.devices.mdb.machine import VendingMachine
from firmware_sim.devices.qibixx.master import CashlessMaster
from firmware_sim.devices.qibixx.slave import CashlessSlave
from protocol.framing import mdb, qibixx
from protocol.framing.limits import MDB_BLOCK_BYTES_MAX

BAUD, REPLY_MS = 115_200, 3
VERSION = "v,4.0.2.0,TILLWAYSIM000001"
_WORDS = {mdb.ACK: "ACK", mdb.RET: "RET", mdb.NAK: "NAK"}


@dataclass(slots=True)
class QibixxAdapter:
    """One adapter with what hangs on it."""

    machine: VendingMachine
    card_box: CardBox | None = None
    changer: CoinChanger | None = None
    slave: CashlessSlave = field(init=False)
    cashless_master: CashlessMaster = field(init=False)
    _outer: Bus = field(default_factory=Bus)
    _parser: qibixx.LineParser = field(default_factory=qibixx.LineParser)
    _is_raw_master: bool = False
    _is_sniffing: bool = False
    _has_begun: bool = False

    def __post_init__(self) -> None:
        """Hang everything on its bus."""
        self.slave = CashlessSlave(self.machine.master.bus)
        self.cashless_master = CashlessMaster(self._outer)
        if self.card_box is not None:
            self._outer.peripherals.append(self.card_box.reader)
        if self.changer is not None:
            self._outer.peripherals.append(self.changer)

    @property
    def baud(self) -> int:
        """The rate of its UART; over USB it does not matter."""
        return BAUD

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes. Machine, reader and changer have power of their own, which stays."""
        self.machine.master.bus.peripherals.clear()
        self.slave = CashlessSlave(self.machine.master.bus)
        self.cashless_master.switch_off()
        self._parser.clear()
        self._is_raw_master = self._is_sniffing = False
        if not self._has_begun:
            self._has_begun = True
            self.machine.power_up(now_ms)
            if self.card_box is not None:
                self.card_box.reader.power_up()
            if self.changer is not None:
                self.changer.power_up()
        return []

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Obey the lines in ``data``."""
        lines: list[str] = []
        for line in self._parser.feed(data):
            lines += ["ERR"] if isinstance(line, qibixx.Damaged) else self._obey(line, now_ms)
            lines += self._news()
        return self._say(lines, now_ms)

    def poll(self, now_ms: int) -> list[Output]:
        """Let both buses go on."""
        self.machine.poll(now_ms)
        lines = self.cashless_master.poll(now_ms)
        return self._say([*lines, *self._news()], now_ms)

    def next_deadline_ms(self) -> int | None:
        """When one of the buses is due."""
        due = (self.machine.next_deadline_ms(), self.cashless_master.master.next_deadline_ms())
        return min((at for at in due if at is not None), default=None)

    def _obey(self, line: str, now_ms: int) -> list[str]:
        name, *words = line.strip().split(",")
        match name:
            case "V":
                return [VERSION]
            case "C":
                return self.slave.obey(words)
            case "D" if not self._is_raw_master:
                return self.cashless_master.obey(words, now_ms)
            case "D":
                return ['d,ERR,"master is on"']
            case "M":
                return [self._rule(words)]
            case "R":
                return [self._ask_raw(words, now_ms)]
            case "X" if words in (["0"], ["1"]):
                self._is_sniffing = words == ["1"]
                return ["x,ACK"]
            case _:
                return ["ERR"]

    def _rule(self, words: list[str]) -> str:
        if words not in (["0"], ["1"]) or self.cashless_master.is_on:
            return "m,NACK"
        self._is_raw_master = words == ["1"]
        return "m,ACK"

    def _ask_raw(self, words: list[str], now_ms: int) -> str:
        if not self._is_raw_master or not 1 <= len(words) <= 2:
            return "p,NACK"
        try:
            command = bytes.fromhex("".join(words))
        except ValueError:
            return "p,NACK"
        if not 1 <= len(command) < MDB_BLOCK_BYTES_MAX:
            return "p,NACK"
        answer = self._outer.ask(command, now_ms)
        if answer is None:
            return "p,NACK"
        return f"p,{answer.hex().upper()}" if answer else "p,ACK"

    def _news(self) -> list[str]:
        if self.card_box is not None:
            self.card_box.look()
        lines = self.slave.tell()
        traces = (self.machine.master.bus.trace, self._outer.trace)
        if self._is_sniffing:
            lines += [_sniffed(heard) for trace in traces for heard in trace]
        for trace in traces:
            trace.clear()
        return lines

    def _say(self, lines: list[str], now_ms: int) -> list[Output]:
        payload = b"".join(map(qibixx.encode, lines))
        return [Output(now_ms + REPLY_MS, payload, BAUD)] if payload else []


def _sniffed(heard: Heard) -> str:
    """``x,status,time in 0.1 ms,command,data``; an answer has no command."""
    head = f"x,{'00' if heard.is_from_master else '80'},{heard.at_ms * 10 % 10**10:010d},"
    data = bytes(word & 0xFF for word in heard.block)
    if len(data) == 1:
        return head + _WORDS.get(data[0], data.hex())
    if heard.is_from_master:
        return f"{head}{data[:1].hex()},{data[1:-1].hex()}"
    return head + data[:-1].hex()
