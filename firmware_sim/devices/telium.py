"""An Ingenico Telium card PIN pad on its cash register's line ("Protocol E").

Rule 1: only ``TRANSITIONS`` says what may follow what.
Rule 2: what the bank has agreed to stays agreed to, whether or not the register hears of it.

Not documented by the maker and chosen here: all times; that a busy pin pad answers ENQ by NAK;
that an ask counts once EOT has followed it; that an answer "at once" is *unverified* and the only
one; that an answer nobody takes is given up after ``TELIUM_TRIES_MAX`` tries.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from firmware_sim.devices.device import Output
from firmware_sim.devices.telium_bank import TEST_CARDS, Bank, BankLine, Card
from protocol.errors import CallerError, OperatingError
from protocol.framing import telium
from protocol.framing.telium import Answer, Ask, Control, Delay, Message, Result

REPLY_MS = 10
LINK_SILENCE_MS = 2_000
CARD_WAIT_MS, HELD_MS = 30_000, 300
BANK_MS, BANK_SILENCE_MS = 600, 5_000
CALL_MS, ANSWER_WAIT_MS = 1_000, 5_000
TELIUM_TRIES_MAX = 3


class Phase(StrEnum):
    """Where a transaction stands."""

    IDLE = "idle"
    LINKED = "linked"
    LOADED = "loaded"
    CARD = "card"
    PIN = "pin"
    BANK = "bank"
    CALLING = "calling"
    ANSWERING = "answering"


class Step(StrEnum):
    """What moves it."""

    ENQUIRED = "enquired"
    ASKED = "asked"
    STARTED = "started"
    PIN_WANTED = "pin_wanted"
    BANK_CALLED = "bank_called"
    DECIDED = "decided"
    HEARD = "heard"
    REPORTED = "reported"
    HUNG_UP = "hung_up"


_P, _S = Phase, Step
TRANSITIONS: dict[tuple[Phase, Step], Phase] = {
    (_P.IDLE, _S.ENQUIRED): _P.LINKED,
    (_P.LINKED, _S.ENQUIRED): _P.LINKED,
    (_P.LINKED, _S.ASKED): _P.LOADED,
    (_P.LINKED, _S.HUNG_UP): _P.IDLE,
    (_P.LOADED, _S.ASKED): _P.LOADED,
    (_P.LOADED, _S.STARTED): _P.CARD,
    (_P.LOADED, _S.DECIDED): _P.CALLING,
    (_P.LOADED, _S.HUNG_UP): _P.IDLE,
    (_P.CARD, _S.PIN_WANTED): _P.PIN,
    (_P.CARD, _S.BANK_CALLED): _P.BANK,
    (_P.CARD, _S.DECIDED): _P.CALLING,
    (_P.PIN, _S.BANK_CALLED): _P.BANK,
    (_P.PIN, _S.DECIDED): _P.CALLING,
    (_P.BANK, _S.DECIDED): _P.CALLING,
    (_P.CALLING, _S.HEARD): _P.ANSWERING,
    (_P.CALLING, _S.HUNG_UP): _P.IDLE,
    (_P.ANSWERING, _S.REPORTED): _P.IDLE,
    (_P.ANSWERING, _S.HUNG_UP): _P.IDLE,
}
_DISPLAY = {
    _P.IDLE: "WELCOME",
    _P.LINKED: "WELCOME",
    _P.LOADED: "WELCOME",
    _P.CARD: "PRESENT CARD",
    _P.PIN: "ENTER PIN",
    _P.BANK: "PLEASE WAIT",
}


class Entry(StrEnum):
    """How a card is read. A contactless one needs no PIN up to a limit; a chip stays put."""

    CHIP = "chip"
    CONTACTLESS = "contactless"
    STRIPE = "stripe"


@dataclass(frozen=True, slots=True)
class PinPadProfile:
    """How a pin pad is set up. Amounts in minor units; currencies by ISO 4217 number."""

    currencies: frozenset[str] = frozenset({"156", "840", "978"})
    contactless_minor_max: int = 5_000
    floor_minor: int = 0
    baud: int = 9_600


@dataclass(slots=True)
class TeliumPinPad:
    """One pin pad. ``present`` to ``cancel`` are the payer's hands."""

    profile: PinPadProfile = field(default_factory=PinPadProfile)
    bank: Bank = field(default_factory=lambda: Bank(dict(TEST_CARDS)))
    phase: Phase = Phase.IDLE
    last_result: Result | None = None
    answers_lost: int = 0
    _ask: Ask | None = None
    _card: str | None = None
    _entry: Entry | None = None
    _held: tuple[str, Entry] | None = None
    _answer: bytes = b""
    _tries: int = 0
    _due_ms: int | None = None
    _serial: int = 0
    _parser: telium.LineParser = field(default_factory=telium.LineParser)

    @property
    def baud(self) -> int:
        """The rate of its setting."""
        return self.profile.baud

    @property
    def ask(self) -> Ask | None:
        """What is being paid, if anything is."""
        return self._ask

    @property
    def display(self) -> str:
        """What its screen says."""
        words = _DISPLAY.get(self.phase) or (self.last_result.name if self.last_result else "")
        if self._ask is None or self.phase not in (Phase.CARD, Phase.PIN):
            return words
        whole, part = divmod(self._ask.amount_minor, 100)
        return f"{words} {whole}.{part:02d}"

    def boot(self, now_ms: int) -> list[Output]:  # noqa: ARG002  # it says nothing when it starts
        """Power comes back: a transaction under way is forgotten; the bank forgets nothing."""
        if self.phase in (Phase.CALLING, Phase.ANSWERING):
            self.answers_lost += 1
        self.phase = Phase.IDLE
        self._forget()
        self._parser.clear()
        return []

    def present(self, card: str, by: Entry, now_ms: int) -> list[Output]:
        """Hold a card to the reader, put it in or draw it through."""
        self.bank.card(card)
        if self._ask is None or self.phase is not Phase.CARD:
            raise CallerError(
                "field_invalid",
                "the pin pad does not ask for a card",
                detail_zh="密码键盘现在不要卡",
            )
        self._card, self._entry = card, by
        if by is Entry.CONTACTLESS and self._ask.amount_minor <= self.profile.contactless_minor_max:
            return self._call_bank(now_ms)
        if not self.bank.tries_left(card):
            return self._decide(Result.REFUSED, now_ms)
        self._move(Step.PIN_WANTED, now_ms + CARD_WAIT_MS)
        return []

    def hold(self, card: str, by: Entry) -> None:
        """Stand there with a card until the pin pad asks for one."""
        self.bank.card(card)
        self._held = card, by

    def enter_pin(self, pin: str, now_ms: int) -> list[Output]:
        """Type a PIN and press the green key."""
        if self._card is None or self.phase is not Phase.PIN:
            raise CallerError(
                "field_invalid",
                "the pin pad does not ask for a PIN",
                detail_zh="密码键盘现在不要密码",
            )
        if self.bank.is_pin_right(self._card, pin):
            return self._call_bank(now_ms)
        if not self.bank.tries_left(self._card):
            return self._decide(Result.REFUSED, now_ms)
        self._due_ms = now_ms + CARD_WAIT_MS
        return []

    def take_card(self, now_ms: int) -> list[Output]:
        """Draw the card out of the chip reader: too early, and nothing is paid."""
        if self._entry is Entry.CHIP and self.phase in (Phase.PIN, Phase.BANK):
            return self._decide(Result.REFUSED, now_ms)
        return []

    def cancel(self, now_ms: int) -> list[Output]:
        """Press the red key; it does nothing once the bank is being asked."""
        if self.phase in (Phase.CARD, Phase.PIN):
            return self._decide(Result.REFUSED, now_ms)
        return []

    def set_bank(self, line: BankLine) -> None:
        """Change how the bank can be reached."""
        self.bank.line = line

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Take bytes from the register."""
        outputs: list[Output] = []
        for item in self._parser.feed(data):
            if isinstance(item, Message):
                outputs += self._take_message(item.text, now_ms)
            elif isinstance(item, Control):
                outputs += self._take_control(item, now_ms)
            elif item.why != "noise":
                outputs += self._refuse_message(now_ms)
        if self._parser.is_mid_message and self.phase is Phase.LINKED:
            self._due_ms = now_ms + LINK_SILENCE_MS
        return outputs

    def poll(self, now_ms: int) -> list[Output]:
        """Do what a wait that is over makes due."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        self._due_ms = None
        match self.phase:
            case Phase.LINKED | Phase.LOADED:
                return self._break_off(now_ms)
            case Phase.CARD if self._held is not None:
                (card, by), self._held = self._held, None
                return self.present(card, by, now_ms)
            case Phase.BANK:
                return self._hear_bank(now_ms)
            case Phase.CALLING:
                return self._call_register(now_ms)
            case Phase.ANSWERING:
                return self._answer_again(now_ms)
            case _:
                return self._decide(Result.REFUSED, now_ms)

    def next_deadline_ms(self) -> int | None:
        """When the wait of this phase is over."""
        return self._due_ms

    # The register

    def _take_control(self, control: Control, now_ms: int) -> list[Output]:
        if control is Control.ENQ:
            if (self.phase, Step.ENQUIRED) not in TRANSITIONS:
                return self._say(bytes([Control.NAK]), now_ms)
            self._move(Step.ENQUIRED, now_ms + LINK_SILENCE_MS)
            self._tries = 0
            return self._say(bytes([Control.ACK]), now_ms)
        if control is Control.EOT and self.phase is Phase.LINKED:
            self._hang_up()
        elif control is Control.EOT and self.phase is Phase.LOADED:
            return self._start(now_ms)
        elif control is Control.ACK and self.phase is Phase.CALLING:
            self._move(Step.HEARD, now_ms + ANSWER_WAIT_MS)
            self._tries = 1
            return self._say(self._answer, now_ms)
        elif control is Control.ACK and self.phase is Phase.ANSWERING:
            self._move(Step.REPORTED, None)
            self._forget()
            return self._say(bytes([Control.EOT]), now_ms)
        elif control is Control.NAK and self.phase is Phase.ANSWERING:
            return self._answer_again(now_ms)
        return []

    def _take_message(self, text: bytes, now_ms: int) -> list[Output]:
        if (self.phase, Step.ASKED) not in TRANSITIONS:
            return []
        try:
            self._ask = telium.parse_ask(text)
        except OperatingError:
            return self._refuse_message(now_ms)
        self._move(Step.ASKED, now_ms + LINK_SILENCE_MS)
        return self._say(bytes([Control.ACK]), now_ms)

    def _refuse_message(self, now_ms: int) -> list[Output]:
        """NAK; the register sends again, but not for ever."""
        if self.phase is not Phase.LINKED:
            return []
        self._tries += 1
        if self._tries >= TELIUM_TRIES_MAX:
            self._hang_up()
            return self._say(bytes([Control.EOT]), now_ms)
        self._due_ms = now_ms + LINK_SILENCE_MS
        return self._say(bytes([Control.NAK]), now_ms)

    def _start(self, now_ms: int) -> list[Output]:
        assert self._ask is not None
        if self._ask.delay is Delay.AT_ONCE:
            return self._decide(Result.UNVERIFIED, now_ms)
        is_taken = (
            self._ask.mode == telium.MODE_CARD
            and self._ask.currency_number in self.profile.currencies
            and telium.AMOUNT_MINOR_MIN <= self._ask.amount_minor <= telium.AMOUNT_MINOR_MAX
        )
        if not is_taken:
            return self._decide(Result.REFUSED, now_ms)
        self._move(Step.STARTED, now_ms + (CARD_WAIT_MS if self._held is None else HELD_MS))
        return []

    # The bank

    def _call_bank(self, now_ms: int) -> list[Output]:
        is_silent = self.bank.line is BankLine.SILENT
        self._move(Step.BANK_CALLED, now_ms + (BANK_SILENCE_MS if is_silent else BANK_MS))
        return []

    def _hear_bank(self, now_ms: int) -> list[Output]:
        assert self._ask is not None
        assert self._card is not None
        may_alone = (
            self._ask.authorization is telium.Authorization.FREE
            and self._ask.amount_minor <= self.profile.floor_minor
        )
        return self._decide(self.bank.judge(self._card, self._ask, may_alone=may_alone), now_ms)

    def _decide(self, result: Result, now_ms: int) -> list[Output]:
        assert self._ask is not None
        ask, card = self._ask, self._known_card()
        self._serial += result is Result.APPROVED
        private = f"{self._serial:06d}".ljust(10) if result is Result.APPROVED else ask.private
        answer = Answer(
            pos=ask.pos,
            result=result,
            amount_minor=ask.amount_minor,
            mode=ask.mode,
            report=(card.number if card else "") if ask.is_full else None,
            currency_number=ask.currency_number,
            private=private,
        )
        self._answer = telium.encode_answer(answer)
        self.last_result = result
        self._move(Step.DECIDED, None)
        self._tries = 0
        return self._call_register(now_ms)

    def _known_card(self) -> Card | None:
        return self.bank.card(self._card) if self._card is not None else None

    # The answer

    def _call_register(self, now_ms: int) -> list[Output]:
        """ENQ until the register takes the answer; at last it is lost."""
        if self._tries >= TELIUM_TRIES_MAX:
            return self._give_up(now_ms)
        self._tries += 1
        self._due_ms = now_ms + CALL_MS
        return self._say(bytes([Control.ENQ]), now_ms)

    def _answer_again(self, now_ms: int) -> list[Output]:
        if self._tries >= TELIUM_TRIES_MAX:
            return self._give_up(now_ms)
        self._tries += 1
        self._due_ms = now_ms + ANSWER_WAIT_MS
        return self._say(self._answer, now_ms)

    def _give_up(self, now_ms: int) -> list[Output]:
        self.answers_lost += 1
        self._hang_up()
        return self._say(bytes([Control.EOT]), now_ms)

    def _break_off(self, now_ms: int) -> list[Output]:
        """The register has fallen silent: within a message it may send again, else it is gone."""
        if self._parser.is_mid_message:
            self._parser.clear()
            return self._refuse_message(now_ms)
        self._hang_up()
        return []

    def _hang_up(self) -> None:
        self._move(Step.HUNG_UP, None)
        self._forget()

    def _forget(self) -> None:
        self._ask = self._card = self._entry = self._due_ms = None
        self._answer = b""

    def _move(self, step: Step, due_ms: int | None) -> None:
        self.phase = TRANSITIONS[self.phase, step]
        self._due_ms = due_ms

    def _say(self, payload: bytes, now_ms: int) -> list[Output]:
        return [Output(now_ms + REPLY_MS, payload, self.baud)]
