"""The adapter as a cashless reader's master (``D`` lines; docs.qibixx.com, Cashless Master)."""

from dataclasses import dataclass, field

from firmware_sim.devices.mdb.bus import Bus
from firmware_sim.devices.mdb.master import News, Phase, ReaderMaster
from protocol.errors import OperatingError
from protocol.framing import mdb, qibixx

_NOT_NOW = 'd,ERR,"-1"'
_ITEM_MAX = 0xFFFF


@dataclass(slots=True)
class CashlessMaster:
    """The master of the reader on ``bus`` while it is on."""

    bus: Bus
    master: ReaderMaster = field(init=False)

    def __post_init__(self) -> None:
        """A master that keeps silent."""
        self.master = ReaderMaster(self.bus)

    @property
    def is_on(self) -> bool:
        """Whether it rules the bus."""
        return self.master.phase is not Phase.OFF

    def switch_off(self) -> None:
        """Fall silent."""
        self.master = ReaderMaster(self.bus)

    def obey(self, words: list[str], now_ms: int) -> list[str]:
        """One ``D`` line without its first field; the lines that answer it."""
        name, rest = words[0] if words else "", words[1:]
        if name in ("1", "2"):
            return self._switch_on(now_ms, can_idle_always=name == "2")
        if name == "0":
            self.switch_off()
            return ["d,STATUS,OFF"]
        if not self.is_on:
            return ['d,ERR,"cashless master is off"']
        if name == "READER":
            return self._switch_reader(rest)
        if name == "REQ":
            return self._request(rest)
        if name == "END":
            return self._end(rest)
        return [_NOT_NOW]

    def poll(self, now_ms: int) -> list[str]:
        """Let the bus go on; what it brought."""
        self.master.poll(now_ms)
        lines = []
        while self.master.news:
            lines.append(self._line(self.master.news.popleft()))
        return lines

    def _switch_on(self, now_ms: int, *, can_idle_always: bool) -> list[str]:
        if self.is_on:
            return ['d,ERR,"cashless master is on"']
        self.master.can_idle_always = can_idle_always
        self.master.start(now_ms)
        return ["d,STATUS,RESET"]

    def _switch_reader(self, rest: list[str]) -> list[str]:
        if rest == ["1"] and self.master.phase is Phase.DISABLED:
            self.master.enable()
            return []
        if rest == ["0"] and self.master.phase is Phase.READY:
            self.master.disable()
            return [self._line(News.SET_UP)]
        return [_NOT_NOW]

    def _request(self, rest: list[str]) -> list[str]:
        master = self.master
        if rest == [str(qibixx.REFUSED)]:
            if master.phase is not Phase.REQUESTED:
                return [_NOT_NOW]
            master.cancel()
            return []
        try:
            price = self._units(rest[0] if rest else "")
            item = _item(rest[1] if len(rest) > 1 else "0")
        except OperatingError:
            return [_NOT_NOW]
        if not master.may_request():
            return [_NOT_NOW]
        master.request(price, item)
        return ["d,STATUS,VEND"]

    def _end(self, rest: list[str]) -> list[str]:
        if self.master.phase is Phase.SESSION:
            self.master.complete()
            return []
        if self.master.phase is not Phase.APPROVED:
            return [_NOT_NOW]
        if rest == [str(qibixx.REFUSED)]:
            self.master.fail()
            return []
        try:
            self.master.succeed(_item(rest[0] if rest else "0"))
        except OperatingError:
            return [_NOT_NOW]
        return []

    def _line(self, news: News) -> str:
        match news:
            case News.LOST:
                return "d,STATUS,RESET"
            case News.SET_UP:
                return f"d,STATUS,INIT,{int(self.master.is_idle_always)}"
            case News.SESSION:
                is_known = self.master.funds != mdb.FUNDS_UNKNOWN
                return f"d,STATUS,CREDIT,{self._shown(self.master.funds) if is_known else -1}"
            case News.APPROVED:
                return f"d,STATUS,RESULT,1,{self._shown(self.master.amount)}"
            case News.DENIED:
                return "d,STATUS,RESULT,-1"
            case News.ENABLED | News.ENDED:
                return "d,STATUS,IDLE"

    def _shown(self, units: int) -> str:
        return qibixx.format_amount(units * self.master.scale, self.master.decimals)

    def _units(self, text: str) -> int:
        amount = qibixx.parse_amount(text, self.master.decimals)
        units, left = divmod(amount, self.master.scale)
        if left or units > mdb.PRICE_MAX:
            raise OperatingError("device_bad_frame", "mdb: no such amount on this bus")
        return units


def _item(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= _ITEM_MAX):
        raise OperatingError("device_bad_frame", "mdb: no item")
    return int(text)
