"""A vending machine: goods, motors and people around the master of a cashless reader.

A motor runs only after the reader has said *approved*. Power that goes while it runs leaves the
goods where they are in the first half of the way, and lets them fall in the second.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from firmware_sim.devices.mdb.master import News, Phase, ReaderMaster
from protocol.errors import CallerError

MOTOR_MS = 600


class MachineState(StrEnum):
    """What people see of it."""

    OFF = "off"
    OUT_OF_ORDER = "out_of_order"
    READY = "ready"
    SESSION = "session"
    WAITING = "waiting"
    GIVING = "giving"
    CLOSING = "closing"


_SEEN = {
    Phase.OFF: MachineState.OFF,
    Phase.SEARCHING: MachineState.OUT_OF_ORDER,
    Phase.SETTING_UP: MachineState.OUT_OF_ORDER,
    Phase.DISABLED: MachineState.OUT_OF_ORDER,
    Phase.READY: MachineState.READY,
    Phase.SESSION: MachineState.SESSION,
    Phase.REQUESTED: MachineState.WAITING,
    Phase.APPROVED: MachineState.GIVING,
    Phase.CLOSING: MachineState.CLOSING,
}
_SAID_OF_NEWS = {
    News.LOST: "CASH ONLY",
    News.ENABLED: "SELECT",
    News.SESSION: "SELECT",
    News.APPROVED: "PLEASE WAIT",
    News.DENIED: "NOT PAID",
}


@dataclass(slots=True)
class Column:
    """Goods of one kind."""

    price: int
    stock: int = 10
    is_jammed: bool = False
    given: int = 0


@dataclass(slots=True)
class VendingMachine:
    """One machine. ``select`` and ``pull_lever`` are the customer's, the rest is the owner's."""

    columns: dict[int, Column]
    master: ReaderMaster = field(default_factory=ReaderMaster)
    display: str = ""
    _item: int = 0
    _began_ms: int = 0
    _until_ms: int | None = None

    def __post_init__(self) -> None:
        """Tell the master the range of prices."""
        prices = [column.price for column in self.columns.values()]
        self.master.lowest_price, self.master.highest_price = min(prices), max(prices)

    @property
    def state(self) -> MachineState:
        """What it is doing."""
        return _SEEN[self.master.phase]

    @property
    def given(self) -> int:
        """How many goods have fallen."""
        return sum(column.given for column in self.columns.values())

    def next_deadline_ms(self) -> int | None:
        """When the bus or the motor is due."""
        return self.master.next_deadline_ms()

    def power_up(self, now_ms: int) -> None:
        """Power comes."""
        self.display, self._until_ms = "CASH ONLY", None
        self.master.start(now_ms)

    def cut_power(self, now_ms: int) -> None:
        """The machine goes dark; the reader may have power of its own."""
        if self.state is MachineState.GIVING and now_ms - self._began_ms >= MOTOR_MS // 2:
            self._let_fall()
        self.display, self._until_ms = "", None
        self.master.stop()

    def select(self, item: int, now_ms: int) -> None:
        """Press the key of a column."""
        column = self._column(item)
        if not column.stock:
            self.display = "SOLD OUT"
        elif self.state is MachineState.SESSION and self.master.funds < column.price:
            self.display = "NOT ENOUGH"
        elif self.master.may_request():
            self._item, self._until_ms = item, now_ms + self.master.response_s * 1000
            self.display = "PLEASE PAY"
            self.master.request(column.price, item)
        elif self.state is MachineState.READY:
            self.display = "PRESENT CARD"
        elif self.state is not MachineState.OFF:
            self.display = "PLEASE WAIT"

    def pull_lever(self) -> None:
        """Give a selection or a session up."""
        self.master.cancel()

    def jam(self, item: int, *, is_jammed: bool) -> None:
        """Block a column, or free it."""
        self._column(item).is_jammed = is_jammed

    def refill(self, item: int, stock: int) -> None:
        """Fill a column."""
        self._column(item).stock = stock

    def poll(self, now_ms: int) -> None:
        """Let the bus and the motor go on."""
        is_over = self._until_ms is not None and now_ms >= self._until_ms
        if is_over and self.state is MachineState.WAITING:
            self._until_ms = None
            self.master.cancel()
        elif is_over and self.state is MachineState.GIVING:
            self._until_ms = None
            self._end_giving()
        self.master.poll(now_ms)
        while self.master.news:
            self._hear(self.master.news.popleft(), now_ms)

    def _hear(self, news: News, now_ms: int) -> None:
        self.display = _SAID_OF_NEWS.get(news, self.display)
        if news is News.SET_UP:
            self.master.enable()
        elif news is News.APPROVED:
            self._began_ms, self._until_ms = now_ms, now_ms + MOTOR_MS
        elif news in (News.LOST, News.DENIED):
            self._until_ms = None

    def _end_giving(self) -> None:
        if self._column(self._item).is_jammed:
            self.display = "FAILED"
            self.master.fail()
        else:
            self._let_fall()
            self.display = "THANK YOU"
            self.master.succeed(self._item)

    def _let_fall(self) -> None:
        column = self._column(self._item)
        if not column.is_jammed:
            column.stock -= 1
            column.given += 1

    def _column(self, item: int) -> Column:
        if item not in self.columns:
            known = ", ".join(map(str, sorted(self.columns)))
            raise CallerError(
                "field_invalid",
                f"no column {item}; there are {known}",
                detail_zh=f"没有货道 {item}，有：{known}",
            )
        return self.columns[item]
