"""The PN532 on its high speed UART: frames, acknowledgements, sleep (NXP UM0701-02, chapter 6).

The chip sleeps when power comes and after PowerDown. Five rising edges on its line wake it; the
bytes up to then are lost, as they are on real ones. Awake, it acknowledges every sound frame; a
new command or the host's own acknowledgement ends the one under way; a damaged frame gets no
answer at all. Not in the manual and chosen here: how long the chip waits inside a frame
(``PN532_GAP_MS``), that a frame not meant for the chip gets no answer, and that a host's NACK gets
none while a command is under way.
"""

from dataclasses import dataclass, field

from firmware_sim.devices.device import Output
from firmware_sim.devices.pn532.card import Card
from firmware_sim.devices.pn532.field import Field
from firmware_sim.devices.pn532.firmware import LOOK_MS, Firmware, Reply, Search
from firmware_sim.limits import CARDS_MAX, PN532_GAP_MS
from protocol.errors import CallerError
from protocol.framing import pn532

ACK_MS = 1
FIRST_BAUD = 115_200
WAKE_EDGES = 5
_SYNTAX_ERROR = -1


@dataclass(frozen=True, slots=True)
class _Running:
    """A command whose answer is due, or which waits for a card."""

    code: int
    due_ms: int | None
    reply: Reply
    search: Search | None = None


def rising_edges(value: int) -> int:
    """How often the line rises while a byte crosses it: start bit, eight bits, stop bit."""
    line = value << 1 | 0x200
    return (~line & line >> 1 & 0x1FF).bit_count()


@dataclass(slots=True)
class Pn532:
    """One reader. ``present`` and ``remove`` are the person's hand."""

    cards: dict[str, Card] = field(default_factory=dict)
    commands: int = 0
    _antenna: Field = field(default_factory=Field)
    _firmware: Firmware = field(init=False)
    _parser: pn532.FrameParser = field(default_factory=pn532.FrameParser)
    _heard_ms: int = 0
    _baud: int = FIRST_BAUD
    _next_baud: int | None = None
    _edges: int = 0
    _is_awake: bool = False
    _running: _Running | None = None
    _last: bytes = b""

    def __post_init__(self) -> None:
        self._firmware = Firmware(self._antenna)
        cards, self.cards = self.cards, {}
        for name, card in cards.items():
            self.give(name, card)

    @property
    def baud(self) -> int:
        """115200, or what SetSerialBaudRate chose."""
        return self._baud

    @property
    def is_awake(self) -> bool:
        """Whether the chip listens."""
        return self._is_awake

    @property
    def is_field_on(self) -> bool:
        """Whether the antenna radiates."""
        return self._antenna.is_on

    @property
    def is_searching(self) -> bool:
        """Whether a command waits for a card."""
        return self._running is not None and self._running.search is not None

    @property
    def in_field(self) -> list[str]:
        """The names of the cards before the antenna."""
        return list(self._antenna.cards)

    @property
    def activated(self) -> int:
        """How many cards the chip has activated."""
        return len(self._antenna.targets)

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes: the chip sleeps and says nothing. The cards stay where they are."""
        self._antenna.switch(is_on=False)
        self._firmware = Firmware(self._antenna)
        self._parser.clear()
        self._heard_ms, self._baud, self._next_baud = now_ms, FIRST_BAUD, None
        self._sleep()
        return []

    def give(self, name: str, card: Card) -> None:
        """Put a card into people's hands, in place of one of that name."""
        if name in self._antenna.cards:
            raise CallerError(
                "busy",
                f"the card {name!r} lies before the antenna",
                detail_zh=f"卡 {name!r} 正在读卡器上",
            )
        if name not in self.cards and len(self.cards) >= CARDS_MAX:
            raise CallerError(
                "field_invalid",
                f"a reader's people have at most {CARDS_MAX} cards",
                detail_zh=f"手边最多 {CARDS_MAX} 张卡",
            )
        self.cards[name] = card

    def present(self, name: str, now_ms: int) -> list[Output]:
        """Hold a card of this board's to the antenna."""
        card = self.cards.get(name)
        if card is None:
            known = ", ".join(sorted(self.cards)) or "none"
            raise CallerError(
                "field_invalid",
                f"no card {name!r}; there are {known}",
                detail_zh=f"没有卡 {name!r}，有：{known}",
            )
        self._antenna.put(name, card)
        running = self._running
        if running is not None and running.search is not None:
            soon = now_ms + LOOK_MS
            due = soon if running.due_ms is None else min(soon, running.due_ms)
            self._running = _Running(running.code, due, running.reply, running.search)
        return []

    def remove(self, name: str) -> None:
        """Take a card away."""
        self._antenna.take(name)

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Take bytes from the line; answers beyond the acknowledgement come from ``poll``."""
        if self._parser.is_mid_frame and now_ms - self._heard_ms > PN532_GAP_MS:
            self._parser.clear()
        self._heard_ms = now_ms
        outputs: list[Output] = []
        for item in self._parser.feed(data if self._is_awake else self._wake(data)):
            if isinstance(item, pn532.Ack):
                self._stop()
            elif isinstance(item, pn532.Nack) and self._last:
                outputs.append(Output(now_ms + ACK_MS, self._last, self._baud))
            elif isinstance(item, pn532.Data) and item.tfi == pn532.HOST:
                outputs.append(Output(now_ms + ACK_MS, pn532.ACK, self._baud))
                self.commands += 1
                self._begin(item.payload, now_ms + ACK_MS)
        return outputs

    def poll(self, now_ms: int) -> list[Output]:
        """Give the answer that is due."""
        running = self._running
        if running is None or running.due_ms is None or now_ms < running.due_ms:
            return []
        self._running = None
        if running.search is None:
            return self._say(running.code, running.reply, now_ms)
        found = running.search.look()
        return self._say(running.code, Reply(found or running.search.nothing), now_ms)

    def next_deadline_ms(self) -> int | None:
        """When the command under way ends, if time ends it."""
        return None if self._running is None else self._running.due_ms

    def _wake(self, data: bytes) -> bytes:
        """Count edges; what follows the fifth is heard."""
        if not self._firmware.wakes_by_uart:
            return b""
        for position, value in enumerate(data, start=1):
            self._edges += rising_edges(value)
            if self._edges >= WAKE_EDGES:
                self._is_awake = True
                return data[position:]
        return b""

    def _sleep(self) -> None:
        self._is_awake, self._edges, self._running, self._last = False, 0, None, b""

    def _stop(self) -> None:
        """The host's acknowledgement: end what is under way, take the rate that was agreed."""
        if self._next_baud is not None:
            self._baud, self._next_baud = self._next_baud, None
        self._running = None

    def _begin(self, payload: bytes, now_ms: int) -> None:
        self._running, self._last = None, b""
        if not payload:
            self._running = _Running(_SYNTAX_ERROR, now_ms + ACK_MS, Reply())
            return
        outcome = self._firmware.execute(payload[0], payload[1:])
        if outcome is None:
            self._running = _Running(_SYNTAX_ERROR, now_ms + ACK_MS, Reply())
        elif isinstance(outcome, Reply):
            self._running = _Running(payload[0], now_ms + outcome.cost_ms, outcome)
        else:
            self._begin_search(payload[0], outcome, now_ms)

    def _begin_search(self, code: int, search: Search, now_ms: int) -> None:
        found = search.look()
        if found is not None:
            self._running = _Running(code, now_ms + LOOK_MS, Reply(found))
            return
        due = None if search.limit_ms is None else now_ms + search.limit_ms
        self._running = _Running(code, due, Reply(), search)

    def _say(self, code: int, reply: Reply, now_ms: int) -> list[Output]:
        self._last = pn532.ERROR if code == _SYNTAX_ERROR else pn532.answer(code, reply.content)
        said = [Output(now_ms, self._last, self._baud)]
        self._next_baud = reply.baud
        if reply.sleeps:
            self._antenna.switch(is_on=False)
            self._sleep()
        return said
