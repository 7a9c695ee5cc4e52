"""The master's side of a cashless reader (MDB 4.2 chapter 7): finds it, sets it up, polls it.

One block every ``POLL_MS``, or ``IDLE_POLL_MS`` while nobody buys (the standard allows 25 to
200 ms); what its owner wishes waits for its turn. A reader that keeps silent for ``SILENCE_MS``,
that has been reset or that says *out of sequence* is looked for by RESET.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from firmware_sim.devices.mdb.bus import Bus
from firmware_sim.devices.mdb.cashless import OPTION_ALWAYS_IDLE
from firmware_sim.limits import MDB_SAYINGS_MAX
from protocol.framing import mdb
from protocol.framing.mdb import Cashless, Expansion, Reader, Said, Vend

POLL_MS, IDLE_POLL_MS, SEARCH_MS, SILENCE_MS = 25, 100, 250, 5_000
_ID_OPTIONS_AT = 30
_ABOUT_US = b"TWS000000000001TILLWAY VMC \x01\x00"


class Phase(StrEnum):
    """What the master knows of its reader."""

    OFF = "off"
    SEARCHING = "searching"
    SETTING_UP = "setting_up"
    DISABLED = "disabled"
    READY = "ready"
    SESSION = "session"
    REQUESTED = "requested"
    APPROVED = "approved"
    CLOSING = "closing"


class News(StrEnum):
    """What the reader made known."""

    LOST = "lost"
    SET_UP = "set_up"
    ENABLED = "enabled"
    SESSION = "session"
    APPROVED = "approved"
    DENIED = "denied"
    ENDED = "ended"


@dataclass(slots=True)
class ReaderMaster:
    """The master of one reader. Prices and funds in units of the reader's scale."""

    bus: Bus = field(default_factory=Bus)
    address: int = mdb.CASHLESS_1
    can_idle_always: bool = True
    lowest_price: int = 0
    highest_price: int = mdb.FUNDS_UNKNOWN
    phase: Phase = Phase.OFF
    funds: int = 0
    amount: int = 0
    response_s: int = 30
    scale: int = 1
    decimals: int = 2
    is_idle_always: bool = False
    news: deque[News] = field(default_factory=lambda: deque(maxlen=MDB_SAYINGS_MAX))
    _wishes: deque[bytes] = field(default_factory=deque)
    _setup: deque[bytes] = field(default_factory=deque)
    _due_ms: int = 0
    _heard_ms: int = 0

    def next_deadline_ms(self) -> int | None:
        """When the next block is due."""
        return None if self.phase is Phase.OFF else self._due_ms

    # The owner

    def start(self, now_ms: int) -> None:
        """Begin to look for the reader."""
        self._forget()
        self._due_ms = self._heard_ms = now_ms
        self.phase = Phase.SEARCHING

    def stop(self) -> None:
        """Fall silent."""
        self._forget()
        self.phase = Phase.OFF

    def enable(self) -> None:
        """Let the reader take payers."""
        if self.phase is Phase.DISABLED:
            self.phase = Phase.READY
            self._wish(Cashless.READER, bytes([Reader.ENABLE]))
            self.news.append(News.ENABLED)

    def disable(self) -> None:
        """Let the reader take no more payers."""
        if self.phase is Phase.READY:
            self.phase = Phase.DISABLED
            self._wish(Cashless.READER, bytes([Reader.DISABLE]))

    def may_request(self) -> bool:
        """Whether a request makes sense now: a session is open, or needs no opening."""
        return self.phase is Phase.SESSION or (self.phase is Phase.READY and self.is_idle_always)

    def request(self, price: int, item: int) -> None:
        """Ask for a payment."""
        self.phase = Phase.REQUESTED
        rest = bytes([Vend.REQUEST]) + price.to_bytes(2, "big") + item.to_bytes(2, "big")
        self._wish(Cashless.VEND, rest)

    def cancel(self) -> None:
        """Give the request up, or the session."""
        if self.phase is Phase.REQUESTED:
            self._wish(Cashless.VEND, bytes([Vend.CANCEL]))
        elif self.phase is Phase.SESSION:
            self.complete()

    def succeed(self, item: int) -> None:
        """The goods were given."""
        self._wish(Cashless.VEND, bytes([Vend.SUCCESS]) + item.to_bytes(2, "big"))
        self.complete()

    def fail(self) -> None:
        """The goods were not given: the reader refunds."""
        self._wish(Cashless.VEND, bytes([Vend.FAILURE]))
        self.complete()

    def complete(self) -> None:
        """End the session."""
        self.phase = Phase.CLOSING
        self._wish(Cashless.VEND, bytes([Vend.SESSION_COMPLETE]))

    # The bus

    def poll(self, now_ms: int) -> None:
        """Say the next block, if it is due."""
        if self.phase is Phase.OFF or now_ms < self._due_ms:
            return
        is_idle = self.phase in (Phase.DISABLED, Phase.READY) and not self._wishes
        self._due_ms = now_ms + (IDLE_POLL_MS if is_idle else POLL_MS)
        if self.phase is Phase.SEARCHING:
            self._search(now_ms)
        elif now_ms - self._heard_ms > SILENCE_MS:
            self._lose_reader()
        elif self._wishes:
            self._say_wish(now_ms)
        else:
            self._poll_reader(now_ms)

    def _search(self, now_ms: int) -> None:
        if self._ask(Cashless.RESET, b"", now_ms) is None:
            self._due_ms = now_ms + SEARCH_MS
            return
        self.phase = Phase.SETTING_UP
        limits = self.highest_price.to_bytes(2, "big") + self.lowest_price.to_bytes(2, "big")
        self._setup = deque(
            [
                bytes([Cashless.SETUP, mdb.Setup.CONFIG, 3, 16, 2, 0]),
                bytes([Cashless.SETUP, mdb.Setup.PRICES]) + limits,
                bytes([Cashless.EXPANSION, Expansion.ID]) + _ABOUT_US,
            ]
        )

    def _say_wish(self, now_ms: int) -> None:
        wish = self._wishes[0]
        answer = self._ask(wish[0], wish[1:], now_ms)
        if answer is not None:
            self._wishes.popleft()
            self._take(answer)

    def _poll_reader(self, now_ms: int) -> None:
        answer = self._ask(Cashless.POLL, b"", now_ms)
        if answer:
            self._take(answer)
        elif answer is not None and self.phase is Phase.SETTING_UP:
            self._go_on_setting_up()

    def _go_on_setting_up(self) -> None:
        """The next block of the set-up once the reader has nothing more to say."""
        if self._setup:
            self._wishes.append(self._setup.popleft())
        else:
            self.phase = Phase.DISABLED
            self.news.append(News.SET_UP)

    def _take(self, said: bytes) -> None:
        """What the reader says: nothing (ACK), or one thing. What does not fit is ignored."""
        if not said:
            return
        match said[0], self.phase:
            case (Said.JUST_RESET, Phase.SETTING_UP):
                pass
            case (Said.JUST_RESET | Said.OUT_OF_SEQUENCE, _):
                self._lose_reader()
            case (Said.CONFIG, _) if len(said) >= 8:
                self.scale, self.decimals, self.response_s = said[4:7]
            case (Said.ID, Phase.SETTING_UP):
                self._take_id(said)
            case (Said.BEGIN_SESSION, Phase.READY) if len(said) >= 3:
                self.phase, self.funds = Phase.SESSION, int.from_bytes(said[1:3], "big")
                self.news.append(News.SESSION)
            case (Said.CANCEL_REQUEST, Phase.SESSION):
                self.complete()
            case (Said.APPROVED, Phase.REQUESTED) if len(said) >= 3:
                self.phase, self.amount = Phase.APPROVED, int.from_bytes(said[1:3], "big")
                self.news.append(News.APPROVED)
            case (Said.DENIED, Phase.REQUESTED):
                self.news.append(News.DENIED)
                self.complete()
            case (Said.END_SESSION, Phase.SESSION | Phase.CLOSING):
                self.phase = Phase.READY
                self.news.append(News.ENDED)

    def _take_id(self, said: bytes) -> None:
        """A reader of level 3 says what it can; both keep to what both can."""
        options = int.from_bytes(said[_ID_OPTIONS_AT : _ID_OPTIONS_AT + 4], "big")
        self.is_idle_always = self.can_idle_always and bool(options & OPTION_ALWAYS_IDLE)
        if options:
            agreed = OPTION_ALWAYS_IDLE if self.is_idle_always else 0
            head = bytes([Cashless.EXPANSION, Expansion.OPTIONS])
            self._setup.append(head + agreed.to_bytes(4, "big"))

    def _lose_reader(self) -> None:
        self._forget()
        self.phase = Phase.SEARCHING
        self.news.append(News.LOST)

    def _forget(self) -> None:
        self._wishes.clear()
        self._setup.clear()
        self.is_idle_always = False

    def _wish(self, command: Cashless, data: bytes) -> None:
        if len(self._wishes) < MDB_SAYINGS_MAX:
            self._wishes.append(bytes([command]) + data)

    def _ask(self, command: int, data: bytes, now_ms: int) -> bytes | None:
        answer = self.bus.ask(bytes([self.address | command]) + data, now_ms)
        if answer is not None:
            self._heard_ms = now_ms
        return answer
