"""A cashless reader on the bus (MDB 4.2 chapter 7), feature level 1 to 3, 16-bit money.

Rule 1: only ``_enter`` changes the state.
Rule 2: an answer is repeated until the master has acknowledged it; what it announces (a begun
session, an approval) counts from then on.
Rule 3: a reset between *approved* and *success* counts as success: the machine has lost its power
with the goods on the way, and the payer has them or will.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from firmware_sim.limits import MDB_SAYINGS_MAX
from protocol.errors import CallerError
from protocol.framing import mdb
from protocol.framing.mdb import Block, Cashless, Expansion, Said

OPTION_ALWAYS_IDLE = 1 << 5


class ReaderState(StrEnum):
    """The states of chapter 7.2."""

    INACTIVE = "inactive"
    DISABLED = "disabled"
    ENABLED = "enabled"
    IDLE = "idle"
    VEND = "vend"


class EventKind(StrEnum):
    """What the reader's owner gets to know."""

    STATE = "state"
    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RESET_IN_VEND = "reset_in_vend"
    CASH_SOLD = "cash_sold"


@dataclass(frozen=True, slots=True)
class ReaderEvent:
    """One thing that happened. Amounts in units of the scale."""

    kind: EventKind
    state: ReaderState
    amount: int = 0
    item: int = 0


@dataclass(frozen=True, slots=True)
class ReaderProfile:
    """How a reader describes itself; amounts are ``scale * 10**-decimals`` of the currency."""

    address: int = mdb.CASHLESS_1
    level: int = 3
    currency_number: str = "156"
    scale: int = 1
    decimals: int = 2
    response_s: int = 30
    can_idle_always: bool = True
    can_restore_funds: bool = False
    maker: bytes = b"TWS"
    serial: bytes = b"000000000001"
    model: bytes = b"TILLWAY SIM "
    version: bytes = b"\x01\x00"


@dataclass(slots=True)
class CashlessReader:
    """One reader. Its owner begins sessions and approves; the master does all else."""

    profile: ReaderProfile = field(default_factory=ReaderProfile)
    is_connected: bool = True
    state: ReaderState = ReaderState.INACTIVE
    events: deque[ReaderEvent] = field(default_factory=lambda: deque(maxlen=MDB_SAYINGS_MAX))
    _sayings: deque[bytes] = field(default_factory=deque)
    _last_answer: bytes | None = None
    _is_polled_answer: bool = False
    _is_idle_always: bool = False
    _is_approved: bool = False
    _request: tuple[int, int] = (0, 0)

    @property
    def address(self) -> int:
        """As ``Peripheral.address``."""
        return self.profile.address

    @property
    def is_idle_always(self) -> bool:
        """Whether the master lets people select before they pay."""
        return self._is_idle_always

    @property
    def requested(self) -> int:
        """The price that was requested last."""
        return self._request[0]

    @property
    def is_settled(self) -> bool:
        """Whether the request before it has been approved or denied already."""
        return self._is_approved or any(saying[0] in _VERDICTS for saying in self._sayings)

    def power_up(self) -> None:
        """Power comes: nothing is known of the master."""
        self._forget()
        self.state = ReaderState.INACTIVE
        self._sayings.append(bytes([Said.JUST_RESET]))

    # The owner

    def begin_session(self, funds: int) -> None:
        """Announce a payer and what they may spend; ``FUNDS_UNKNOWN`` where nobody knows."""
        if self.state is not ReaderState.ENABLED:
            raise CallerError(
                "field_invalid",
                f"a session begins when enabled, not {self.state}",
                detail_zh=f"启用后才能开始会话，现在是 {self.state}",
            )
        self._say(Said.BEGIN_SESSION, funds.to_bytes(2, "big") + bytes(self._session_tail))

    def approve(self, amount: int) -> None:
        """Let the machine give out what was requested."""
        self._must_wait_for_us()
        self._say(Said.APPROVED, amount.to_bytes(2, "big"))

    def deny(self) -> None:
        """Refuse what was requested."""
        self._must_wait_for_us()
        self._say(Said.DENIED)

    def end_session(self) -> None:
        """Ask the machine to end a session in which nothing is being bought."""
        if self.state is not ReaderState.IDLE:
            raise CallerError(
                "field_invalid",
                f"no session to end: {self.state}",
                detail_zh=f"没有可结束的会话：{self.state}",
            )
        self._say(Said.CANCEL_REQUEST)

    # The master

    def hear(self, block: Block, now_ms: int) -> Block | None:  # noqa: ARG002  # a bus's contract
        """As ``Peripheral.hear``."""
        if not self.is_connected:
            return None
        if block in (mdb.MASTER_ACK, mdb.MASTER_NAK, mdb.MASTER_RET):
            return self._hear_word(block)
        command = mdb.parse_command(block)
        if isinstance(command, mdb.Damaged):
            return None  # chapter 2.5: a damaged block is answered by silence, or NAK
        self._last_answer, self._is_polled_answer = None, False
        return self._answer(command)

    def _hear_word(self, block: Block) -> Block | None:
        answer = self._last_answer
        if answer is None:
            return None
        if block == mdb.MASTER_RET:
            return mdb.encode_answer(answer)
        self._last_answer = None
        if block == mdb.MASTER_ACK and self._is_polled_answer:
            self._sayings.popleft()
            self._delivered(answer)
        return None

    def _answer(self, command: bytes) -> Block | None:
        name, rest = command[0] & 7, command[1:]
        if name == Cashless.RESET:
            return self._reset()
        if name == Cashless.POLL:
            return self._poll()
        if name == Cashless.SETUP:
            return self._setup(rest)
        if name == Cashless.EXPANSION:
            return self._expansion(rest)
        if self.state is ReaderState.INACTIVE:
            return None
        if name == Cashless.READER:
            return self._switch(rest)
        if name == Cashless.VEND:
            return self._vend(rest)
        return None

    def _reset(self) -> Block:
        if self.state is ReaderState.VEND:
            amount, item = self._request
            kind = EventKind.SUCCEEDED if self._is_approved else EventKind.RESET_IN_VEND
            self._tell(kind, amount=amount, item=item)
        self._forget()
        self._enter(ReaderState.INACTIVE)
        self._sayings.append(bytes([Said.JUST_RESET]))
        return mdb.ANSWER_ACK

    def _poll(self) -> Block:
        if not self._sayings:
            return mdb.ANSWER_ACK
        self._last_answer, self._is_polled_answer = self._sayings[0], True
        return mdb.encode_answer(self._sayings[0])

    def _setup(self, rest: bytes) -> Block | None:
        if len(rest) == 5 and rest[0] == mdb.Setup.CONFIG:
            self._say_once(self._config())
            if self.state is ReaderState.INACTIVE:
                self._enter(ReaderState.DISABLED)
            return mdb.ANSWER_ACK
        if len(rest) == 5 and rest[0] == mdb.Setup.PRICES:
            return mdb.ANSWER_ACK
        return None

    def _expansion(self, rest: bytes) -> Block | None:
        profile = self.profile
        if rest[:1] == bytes([Expansion.ID]) and len(rest) == 30:
            said = bytes([Said.ID]) + profile.maker + profile.serial + profile.model
            options = OPTION_ALWAYS_IDLE if profile.can_idle_always else 0
            tail = options.to_bytes(4, "big") if profile.level == 3 else b""
            self._say_once(said + profile.version + tail)
            return mdb.ANSWER_ACK
        if rest[:1] == bytes([Expansion.OPTIONS]) and len(rest) == 5:
            wanted = int.from_bytes(rest[1:], "big")
            self._is_idle_always = bool(wanted & OPTION_ALWAYS_IDLE) and profile.can_idle_always
            return mdb.ANSWER_ACK
        return None

    def _switch(self, rest: bytes) -> Block | None:
        if rest == bytes([mdb.Reader.ENABLE]):
            if self.state is ReaderState.DISABLED:
                self._enter(ReaderState.ENABLED)
            return mdb.ANSWER_ACK
        if rest == bytes([mdb.Reader.DISABLE]):
            if self.state is ReaderState.ENABLED:
                self._enter(ReaderState.DISABLED)
            return mdb.ANSWER_ACK
        if rest == bytes([mdb.Reader.CANCEL]):
            self._sayings.clear()
            self._last_answer = bytes([Said.CANCELLED])
            return mdb.encode_answer(self._last_answer)
        return None

    def _vend(self, rest: bytes) -> Block | None:
        what, may = rest[:1], self.state
        is_open = may is ReaderState.IDLE or (may is ReaderState.ENABLED and self._is_idle_always)
        if what == bytes([mdb.Vend.REQUEST]) and len(rest) == 5:
            return self._request_vend(rest) if is_open else self._out_of_sequence()
        if what == bytes([mdb.Vend.SESSION_COMPLETE]):
            if not is_open:
                return self._out_of_sequence()
            self._say(Said.END_SESSION)
            return mdb.ANSWER_ACK
        if what == bytes([mdb.Vend.CASH_SALE]) and len(rest) == 5:
            amount, item = int.from_bytes(rest[1:3], "big"), int.from_bytes(rest[3:5], "big")
            self._tell(EventKind.CASH_SOLD, amount=amount, item=item)
            return mdb.ANSWER_ACK
        if may is not ReaderState.VEND:
            return self._out_of_sequence()
        return self._end_vend(rest)

    def _request_vend(self, rest: bytes) -> Block:
        self._request = int.from_bytes(rest[1:3], "big"), int.from_bytes(rest[3:5], "big")
        self._is_approved = False
        self._enter(ReaderState.VEND, is_told=False)
        self._tell(EventKind.REQUESTED, amount=self._request[0], item=self._request[1])
        return mdb.ANSWER_ACK

    def _end_vend(self, rest: bytes) -> Block | None:
        """CANCEL before the approval; SUCCESS and FAILURE after it."""
        what, (amount, item) = rest[:1], self._request
        if what == bytes([mdb.Vend.CANCEL]) and not self._is_approved:
            self._sayings.clear()
            self._say(Said.DENIED)
            self._tell(EventKind.CANCELLED, amount=amount, item=item)
            return mdb.ANSWER_ACK
        if what == bytes([mdb.Vend.SUCCESS]) and len(rest) == 3 and self._is_approved:
            self._tell(EventKind.SUCCEEDED, amount=amount, item=int.from_bytes(rest[1:], "big"))
        elif what == bytes([mdb.Vend.FAILURE]) and self._is_approved:
            self._tell(EventKind.FAILED, amount=amount, item=item)
        else:
            return self._out_of_sequence()
        self._is_approved = False
        self._enter(ReaderState.IDLE)
        return mdb.ANSWER_ACK

    def _delivered(self, answer: bytes) -> None:
        """The master has acknowledged this: now it counts."""
        if answer[0] == Said.BEGIN_SESSION:
            self._enter(ReaderState.IDLE, amount=int.from_bytes(answer[1:3], "big"))
        elif answer[0] == Said.APPROVED:
            self._is_approved = True
        elif answer[0] == Said.DENIED and self.state is ReaderState.VEND:
            self._enter(ReaderState.IDLE)
        elif answer[0] == Said.END_SESSION and self.state is ReaderState.IDLE:
            self._enter(ReaderState.ENABLED)

    def _out_of_sequence(self) -> Block:
        self._say_once(bytes([Said.OUT_OF_SEQUENCE]))
        return mdb.ANSWER_ACK

    def _config(self) -> bytes:
        profile = self.profile
        said = bytes([Said.CONFIG, profile.level]) + mdb.bcd_currency(profile.currency_number)
        options = int(profile.can_restore_funds)
        return said + bytes([profile.scale, profile.decimals, profile.response_s, options])

    @property
    def _session_tail(self) -> int:
        """Zero bytes of media id, type and data, from level 2 on."""
        return 0 if self.profile.level == 1 else 7

    def _must_wait_for_us(self) -> None:
        if self.state is not ReaderState.VEND or self.is_settled:
            raise CallerError(
                "field_invalid",
                f"nothing waits for approval: {self.state}",
                detail_zh=f"没有等待批准的购买：{self.state}",
            )

    def _say(self, what: Said, data: bytes = b"") -> None:
        self._say_once(bytes([what]) + data)

    def _say_once(self, saying: bytes) -> None:
        if saying not in self._sayings and len(self._sayings) < MDB_SAYINGS_MAX:
            self._sayings.append(saying)

    def _enter(self, state: ReaderState, *, amount: int = 0, is_told: bool = True) -> None:
        self.state = state
        if is_told:
            self._tell(EventKind.STATE, amount=amount)

    def _tell(self, kind: EventKind, *, amount: int = 0, item: int = 0) -> None:
        self.events.append(ReaderEvent(kind, self.state, amount, item))

    def _forget(self) -> None:
        self._sayings.clear()
        self._last_answer, self._is_approved, self._is_idle_always = None, False, False


_VERDICTS = (Said.APPROVED, Said.DENIED)
