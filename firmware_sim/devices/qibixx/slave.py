"""The adapter as a cashless reader (``C`` lines; docs.qibixx.com, Cashless Slave).

Not documented and chosen here: settings are volatile; a setting that is unknown or out of range
is answered ``c,ERR,"SETCONF -1"``. Left out: the ``r,ACK`` lines, cash sales, displays. A reset
after the machine has heard *approved* is reported as success, as MDB 4.2 counts it; one before
that as ``c,ERR,VEND 5``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from firmware_sim.devices.mdb.bus import Bus
from firmware_sim.devices.mdb.cashless import (
    CashlessReader,
    EventKind,
    ReaderEvent,
    ReaderProfile,
    ReaderState,
)
from protocol.errors import CallerError, OperatingError
from protocol.framing import mdb, qibixx

_ON, _OFF = 'c,ERR,"cashless is on"', 'c,ERR,"cashless is off"'
_ENDINGS = {
    EventKind.SUCCEEDED: "c,VEND,SUCCESS",
    EventKind.CANCELLED: "c,ERR,VEND 1",
    EventKind.FAILED: "c,ERR,VEND 3",
    EventKind.RESET_IN_VEND: "c,ERR,VEND 5",
}


@dataclass(slots=True)
class CashlessSlave:
    """The reader that the machine on ``bus`` finds while it is on."""

    bus: Bus
    profile: ReaderProfile = field(default_factory=lambda: ReaderProfile(can_idle_always=False))
    reader: CashlessReader | None = None

    @property
    def state(self) -> str:
        """What the reader is doing, ``off`` if it is off."""
        return self.reader.state.value if self.reader else "off"

    def switch_off(self) -> None:
        """Leave the bus."""
        self.reader = None
        self.bus.peripherals.clear()

    def obey(self, words: list[str]) -> list[str]:
        """One ``C`` line without its first field; the lines that answer it."""
        name, rest = words[0] if words else "", words[1:]
        if name == "1":
            return self._switch_on()
        if name == "0":
            self.switch_off()
            return ["c,0"]
        if name == "SETCONF":
            return [self._set(",".join(rest))]
        act = {"START": self._start, "VEND": self._vend, "STOP": self._stop}.get(name)
        if act is None:
            return ['c,UNKNOWN," C"']
        if self.reader is None:
            return [_OFF]
        return act(self.reader, rest)

    def tell(self) -> list[str]:
        """What has happened since last asked."""
        if self.reader is None:
            return []
        lines = []
        while self.reader.events:
            lines.append(self._line(self.reader.events.popleft()))
        return [line for line in lines if line]

    def _switch_on(self) -> list[str]:
        if self.reader is not None:
            return [_ON]
        self.reader = CashlessReader(self.profile)
        self.reader.power_up()
        self.bus.peripherals[:] = [self.reader]
        return ["c,STATUS,INACTIVE", "c,1"]

    def _start(self, reader: CashlessReader, rest: list[str]) -> list[str]:
        try:
            funds = mdb.FUNDS_UNKNOWN if rest[:1] == ["-1"] else self._units(rest)
            reader.begin_session(funds)
        except OperatingError:
            return ['c,ERR,"START -2"']
        except CallerError:
            return ['c,ERR,"START -3"']
        return []

    def _vend(self, reader: CashlessReader, rest: list[str]) -> list[str]:
        try:
            if rest[:1] == [str(qibixx.REFUSED)]:
                reader.deny()
            else:
                reader.approve(self._units(rest))
        except OperatingError:
            return ['c,ERR,"VEND -2"']
        except CallerError:
            return ['c,ERR,"VEND -3"']
        return []

    def _stop(self, reader: CashlessReader, _: list[str]) -> list[str]:
        try:
            if reader.state is ReaderState.VEND:
                reader.deny()
            else:
                reader.end_session()
        except CallerError:
            return ['c,ERR,"STOP -3"']
        return []

    def _units(self, rest: list[str]) -> int:
        """An amount in units of the scale."""
        amount = qibixx.parse_amount(rest[0] if rest else "", self.profile.decimals)
        units, left = divmod(amount, self.profile.scale)
        if left or units > mdb.PRICE_MAX:
            raise OperatingError("device_bad_frame", "mdb: no such amount on this bus")
        return units

    def _line(self, event: ReaderEvent) -> str:
        shown = qibixx.format_amount(event.amount * self.profile.scale, self.profile.decimals)
        if event.kind is EventKind.REQUESTED:
            return f"c,STATUS,VEND,{shown},{event.item}"
        if event.kind is EventKind.STATE:
            funds = f",{shown}" if event.amount else ""
            return f"c,STATUS,{event.state.name}{funds}"
        return _ENDINGS.get(event.kind, "")

    def _set(self, setting: str) -> str:
        name, _, value = setting.partition("=")
        change = _SETTINGS.get(name)
        if self.reader is not None or change is None:
            return _ON if self.reader is not None else 'c,ERR,"SETCONF -1"'
        try:
            self.profile = change(self.profile, value)
        except ValueError:
            return 'c,ERR,"SETCONF -1"'
        return "c,SET,OK"


def _set_currency(profile: ReaderProfile, value: str) -> ReaderProfile:
    found = re.fullmatch(r"0x1([0-9]{3})", value)
    if found is None:
        raise ValueError(value)
    return replace(profile, currency_number=found[1])


def _set_always_idle(profile: ReaderProfile, value: str) -> ReaderProfile:
    return replace(profile, can_idle_always=bool(_within(value, 0, 1)))


def _set_restore(profile: ReaderProfile, value: str) -> ReaderProfile:
    return replace(profile, can_restore_funds=bool(_within(value, 0, 1)))


def _set_address(profile: ReaderProfile, value: str) -> ReaderProfile:
    addresses = {"0x10": mdb.CASHLESS_1, "0x60": mdb.CASHLESS_2}
    if value not in addresses:
        raise ValueError(value)
    return replace(profile, address=addresses[value])


def _set_decimals(profile: ReaderProfile, value: str) -> ReaderProfile:
    return replace(profile, decimals=_within(value, 0, 3))


def _set_scale(profile: ReaderProfile, value: str) -> ReaderProfile:
    return replace(profile, scale=_within(value, 1, 100))


def _set_timeout(profile: ReaderProfile, value: str) -> ReaderProfile:
    return replace(profile, response_s=_within(value, 1, 255))


def _within(value: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", value) or not least <= int(value) <= most:
        raise ValueError(value)
    return int(value)


_SETTINGS: dict[str, Callable[[ReaderProfile, str], ReaderProfile]] = {
    "mdb-currency-code": _set_currency,
    "mdb-always-idle": _set_always_idle,
    "mdb-restore-funds": _set_restore,
    "mdb-address": _set_address,
    "mdb-decimal-places": _set_decimals,
    "mdb-scale-factor": _set_scale,
    "mdb-timeout-vend": _set_timeout,
}
