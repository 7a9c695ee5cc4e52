"""A coin changer on the bus (MDB 4.2 chapter 5), feature level 3.

Coins go into their tube while it has room, else into the cash box; a coin that the master does
not accept falls through into the return.
"""

from collections import deque
from dataclasses import dataclass, field

from firmware_sim.limits import MDB_SAYINGS_MAX
from protocol.errors import CallerError
from protocol.framing import mdb
from protocol.framing.mdb import Block, Changer, Expansion

COIN_TYPES = 16
TUBE_COINS_MAX = 80
PAYOUT_MS_PER_COIN = 400
_DEPOSITED, _DISPENSED_BY_HAND = 0x40, 0x80
_TO_BOX, _TO_TUBE, _REJECTED = 0x00, 0x10, 0x30
_ESCROW, _PAYOUT_BUSY, _WAS_RESET = 0x01, 0x02, 0x0B
_DIAGNOSED_READY = b"\x03\x00"
_POLL_BYTES_MAX = 16


@dataclass(frozen=True, slots=True)
class ChangerProfile:
    """``coins``: the value of each coin type in units of the scale, 16 at most; ``tubes`` says how
    many lie in each type's tube at the start, None where it has none."""

    coins: tuple[int, ...] = (1, 5, 10)
    tubes: tuple[int | None, ...] = (20, 20, None)
    scale: int = 10
    decimals: int = 2
    currency_number: str = "156"


@dataclass(slots=True)
class CoinChanger:
    """One changer. ``insert``, ``pull_lever`` and ``take_by_hand`` are people's."""

    profile: ChangerProfile = field(default_factory=ChangerProfile)
    is_connected: bool = True
    tubes: list[int | None] = field(default_factory=list)
    box: list[int] = field(default_factory=list)
    paid_out: list[int] = field(default_factory=list)
    _accepted: int = 0
    _by_hand: int = 0
    _busy_until_ms: int = 0
    _sayings: deque[bytes] = field(default_factory=deque)
    _last_answer: bytes | None = None
    _sent: int = 0

    def __post_init__(self) -> None:
        """Fill the tubes."""
        self.tubes = list(self.profile.tubes)
        self.box = [0] * len(self.profile.coins)
        self.paid_out = [0] * len(self.profile.coins)

    @property
    def address(self) -> int:
        """As ``Peripheral.address``."""
        return mdb.CHANGER

    def power_up(self) -> None:
        """Power comes: the coins stay, nothing is accepted until the master says so."""
        self._accepted = self._by_hand = self._busy_until_ms = self._sent = 0
        self._last_answer = None
        self._sayings.clear()
        self._sayings.append(bytes([_WAS_RESET]))

    # People

    def insert(self, coin: int) -> str:
        """Put a coin in; where it went: ``tube``, ``box`` or ``return``."""
        self._check_coin(coin)
        if not self.is_connected or not self._accepted >> coin & 1:
            if self._accepted:
                self._report(bytes([_DEPOSITED | _REJECTED | coin, self.tubes[coin] or 0]))
            return "return"
        held = self.tubes[coin]
        if held is not None and held < TUBE_COINS_MAX:
            self.tubes[coin] = held + 1
            self._report(bytes([_DEPOSITED | _TO_TUBE | coin, held + 1]))
            return "tube"
        self.box[coin] += 1
        self._report(bytes([_DEPOSITED | _TO_BOX | coin, held or 0]))
        return "box"

    def pull_lever(self) -> None:
        """Ask for the money back."""
        self._report(bytes([_ESCROW]))

    def take_by_hand(self, coin: int) -> None:
        """Press a tube's own key; the master must have allowed it."""
        self._check_coin(coin)
        if not self._by_hand >> coin & 1 or not self.tubes[coin]:
            raise CallerError(
                "field_invalid",
                f"coin type {coin} cannot be taken by hand now",
                detail_zh=f"第 {coin} 种硬币现在不能用手取",
            )
        self._pay(coin, 1)
        self._report(bytes([_DISPENSED_BY_HAND | 1 << 4 | coin, self.tubes[coin] or 0]))

    # The master

    def hear(self, block: Block, now_ms: int) -> Block | None:
        """As ``Peripheral.hear``."""
        if not self.is_connected:
            return None
        if block in (mdb.MASTER_ACK, mdb.MASTER_NAK, mdb.MASTER_RET):
            return self._hear_word(block)
        command = mdb.parse_command(block)
        if isinstance(command, mdb.Damaged):
            return None
        self._last_answer, self._sent = None, 0
        return self._answer(command[0] & 7, command[1:], now_ms)

    def _hear_word(self, block: Block) -> Block | None:
        answer = self._last_answer
        if answer is not None and block == mdb.MASTER_RET:
            return mdb.encode_answer(answer)
        if block == mdb.MASTER_ACK:
            for _ in range(self._sent):
                self._sayings.popleft()
        self._last_answer, self._sent = None, 0
        return None

    def _answer(self, name: int, rest: bytes, now_ms: int) -> Block | None:
        if name == Changer.RESET:
            self.power_up()
            return mdb.ANSWER_ACK
        if name == Changer.POLL:
            return self._poll(now_ms)
        if name == Changer.SETUP:
            return self._data(self._setup())
        if name == Changer.TUBES:
            return self._data(self._tube_status())
        if name == Changer.COIN_TYPE and len(rest) == 4:
            self._accepted = int.from_bytes(rest[:2], "big")
            self._by_hand = int.from_bytes(rest[2:], "big")
            return mdb.ANSWER_ACK
        if name == Changer.DISPENSE and len(rest) == 1:
            return self._dispense(rest[0], now_ms)
        if name == Changer.EXPANSION:
            return self._expansion(rest)
        return None

    def _poll(self, now_ms: int) -> Block:
        """Up to 16 bytes of what happened (chapter 5.3, POLL)."""
        said, self._sent = b"", 0
        for saying in self._sayings:
            if len(said) + len(saying) > _POLL_BYTES_MAX:
                break
            said, self._sent = said + saying, self._sent + 1
        if now_ms < self._busy_until_ms and len(said) < _POLL_BYTES_MAX:
            said += bytes([_PAYOUT_BUSY])
        if not said:
            return mdb.ANSWER_ACK
        return self._data(said)

    def _setup(self) -> bytes:
        profile = self.profile
        routing = sum(1 << coin for coin, held in enumerate(self.tubes) if held is not None)
        values = bytes(profile.coins).ljust(COIN_TYPES, b"\x00")
        head = b"\x03" + mdb.bcd_currency(profile.currency_number)
        return head + bytes([profile.scale, profile.decimals]) + routing.to_bytes(2, "big") + values

    def _tube_status(self) -> bytes:
        full = sum(1 << coin for coin, held in enumerate(self.tubes) if held == TUBE_COINS_MAX)
        counts = bytes(held or 0 for held in self.tubes).ljust(COIN_TYPES, b"\x00")
        return full.to_bytes(2, "big") + counts

    def _dispense(self, wanted: int, now_ms: int) -> Block:
        """Pay coins of one type; more than there are, and only those that are there fall."""
        coin, count = wanted & 0x0F, wanted >> 4
        if coin < len(self.tubes):
            fallen = min(count, self.tubes[coin] or 0)
            self._pay(coin, fallen)
            self._busy_until_ms = max(now_ms, self._busy_until_ms) + fallen * PAYOUT_MS_PER_COIN
        return mdb.ANSWER_ACK

    def _expansion(self, rest: bytes) -> Block | None:
        if rest == bytes([Expansion.ID]):
            return self._data(b"TWS000000000001TILLWAY SIM " + b"\x01\x00" + bytes(4))
        if rest[:1] == bytes([Expansion.FEATURES]) and len(rest) == 5:
            return mdb.ANSWER_ACK
        if rest == bytes([Expansion.DIAGNOSE]):
            return self._data(_DIAGNOSED_READY)
        return None

    def _data(self, data: bytes) -> Block:
        self._last_answer = data
        return mdb.encode_answer(data)

    def _pay(self, coin: int, count: int) -> None:
        self.tubes[coin] = (self.tubes[coin] or 0) - count
        self.paid_out[coin] += count

    def _report(self, saying: bytes) -> None:
        if self.is_connected and len(self._sayings) < MDB_SAYINGS_MAX:
            self._sayings.append(saying)

    def _check_coin(self, coin: int) -> None:
        if not 0 <= coin < len(self.profile.coins):
            raise CallerError(
                "field_invalid", f"no coin type {coin}", detail_zh=f"没有第 {coin} 种硬币"
            )
