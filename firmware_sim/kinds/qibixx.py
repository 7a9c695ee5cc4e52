"""Qibixx' MDB adapter on a board, with the machine, card reader and coin changer on its buses."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from firmware_sim.devices.mdb.card_box import CardBox
from firmware_sim.devices.mdb.cashless import CashlessReader, ReaderProfile
from firmware_sim.devices.mdb.changer import TUBE_COINS_MAX, ChangerProfile, CoinChanger
from firmware_sim.devices.mdb.machine import Column, VendingMachine
from firmware_sim.devices.mdb.master import ReaderMaster
from firmware_sim.devices.qibixx.adapter import QibixxAdapter
from firmware_sim.frames import JUNK, Frame, Side, broken_off
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Hand, Kind, State
from firmware_sim.limits import MDB_COLUMNS_MAX
from protocol.errors import CallerError
from protocol.framing import mdb, qibixx
from protocol.framing.qibixx import Damaged

_Strict = ConfigDict(extra="forbid", frozen=True)
Item = Annotated[int, Field(ge=0, le=9_999)]
Minor = Annotated[int, Field(ge=0, le=mdb.PRICE_MAX)]
Stock = Annotated[int, Field(ge=0, le=1_000)]
CARD_FUNDS_MINOR = 1_000
"""What the card that people have at hand may spend."""
Coin = Annotated[int, Field(ge=0, le=15)]


class ColumnEntry(BaseModel):
    """Goods of one kind."""

    model_config = _Strict
    price_minor: Minor
    stock: Stock = 10


class MachineEntry(BaseModel):
    """The vending machine. ``select_first``: people may select before they pay."""

    model_config = _Strict
    columns: Annotated[dict[Item, ColumnEntry], Field(min_length=1, max_length=MDB_COLUMNS_MAX)]
    select_first: bool = True


class ReaderEntry(BaseModel):
    """The cashless reader on the adapter's other port."""

    model_config = _Strict
    select_first: bool = True


class ChangerEntry(BaseModel):
    """The coin changer on the adapter's other port: values in units of 0.10, coins in each tube."""

    model_config = _Strict
    coins: Annotated[
        tuple[Annotated[int, Field(ge=1, le=255)], ...], Field(min_length=1, max_length=16)
    ] = (1, 5, 10)
    tubes: tuple[Annotated[int, Field(ge=0, le=TUBE_COINS_MAX)] | None, ...] = (20, 20, None)


def _two_columns() -> MachineEntry:
    return MachineEntry(columns={1: ColumnEntry(price_minor=300), 2: ColumnEntry(price_minor=450)})


class AdapterEntry(DeviceEntry):
    """A Qibixx MDB adapter. ``reader: null`` or ``changer: null`` leaves one out."""

    kind: Literal["qibixx"]
    machine: Annotated[MachineEntry, Field(default_factory=_two_columns)]
    reader: ReaderEntry | None = ReaderEntry()
    changer: ChangerEntry | None = ChangerEntry()


class ItemBody(ActBody):
    """One column of the machine."""

    item: Item


class RefillBody(ItemBody):
    """What a column holds from now on."""

    stock: Stock


class TapBody(ActBody):
    """A card held to the reader, and what it may spend."""

    funds_minor: Minor


class CoinBody(ActBody):
    """A coin, by its place in the changer's list."""

    coin: Coin


class LineDecoder:
    """Lines of both sides, named by their first two fields."""

    def __init__(self) -> None:
        self._parsers = {side: qibixx.LineParser() for side in Side}

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        return [_frame(side, line) for line in self._parsers[side].feed(data)]

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        return broken_off(side, self._parsers[side])


def _frame(side: Side, line: str | Damaged) -> Frame:
    if isinstance(line, Damaged):
        return Frame(side, line.raw, JUNK, {"why": line.why}, is_valid=False)
    words = line.split(",")
    return Frame(side, line.encode(), ",".join(words[:2]), {"words": ",".join(words[2:])})


def _build(entry: AdapterEntry, _: bytes) -> QibixxAdapter:
    columns = {
        item: Column(column.price_minor, column.stock)
        for item, column in entry.machine.columns.items()
    }
    master = ReaderMaster(can_idle_always=entry.machine.select_first)
    machine = VendingMachine(columns, master)
    box = changer = None
    if entry.reader is not None:
        profile = ReaderProfile(can_idle_always=entry.reader.select_first)
        box = CardBox(CashlessReader(profile))
    if entry.changer is not None:
        if len(entry.changer.tubes) != len(entry.changer.coins):
            raise CallerError("config_invalid", "changer: as many tubes as coins, null for none")
        changer = CoinChanger(ChangerProfile(entry.changer.coins, entry.changer.tubes))
    return QibixxAdapter(machine, box, changer)


def _state(adapter: QibixxAdapter) -> State:
    machine, box, changer = adapter.machine, adapter.card_box, adapter.changer
    return {
        "machine": machine.state.value,
        "display": machine.display,
        "given": machine.given,
        "stock": {str(item): column.stock for item, column in machine.columns.items()},
        "slave": adapter.slave.state,
        "master": adapter.cashless_master.master.phase.value,
        "reader": box.reader.state.value if box else None,
        "reader_sold": box.sold if box else 0,
        "reader_refunded": box.refunded if box else 0,
        "tubes": list(changer.tubes) if changer else [],
        "box": list(changer.box) if changer else [],
        "paid_out": list(changer.paid_out) if changer else [],
    }


def _box(adapter: QibixxAdapter) -> CardBox:
    if adapter.card_box is None:
        raise CallerError(
            "field_invalid", "this adapter has no card reader", detail_zh="这个适配器没有读卡器"
        )
    return adapter.card_box


def _changer(adapter: QibixxAdapter) -> CoinChanger:
    if adapter.changer is None:
        raise CallerError(
            "field_invalid",
            "this adapter has no coin changer",
            detail_zh="这个适配器没有硬币找零器",
        )
    return adapter.changer


def _deed(act: Callable[[QibixxAdapter], object]) -> Callable[[QibixxAdapter, ActBody, int], None]:
    """A deed that needs neither words nor time."""

    def run(adapter: QibixxAdapter, _: ActBody, __: int) -> None:
        act(adapter)

    return run


def _select(adapter: QibixxAdapter, body: ItemBody, now_ms: int) -> None:
    adapter.machine.select(body.item, now_ms)


def _jam(adapter: QibixxAdapter, body: ItemBody, _: int) -> None:
    adapter.machine.jam(body.item, is_jammed=True)


def _free(adapter: QibixxAdapter, body: ItemBody, _: int) -> None:
    adapter.machine.jam(body.item, is_jammed=False)


def _refill(adapter: QibixxAdapter, body: RefillBody, _: int) -> None:
    adapter.machine.refill(body.item, body.stock)


def _cut_machine(adapter: QibixxAdapter, _: ActBody, now_ms: int) -> None:
    adapter.machine.cut_power(now_ms)


def _restore_machine(adapter: QibixxAdapter, _: ActBody, now_ms: int) -> None:
    adapter.machine.power_up(now_ms)


def _tap(adapter: QibixxAdapter, body: TapBody, _: int) -> None:
    _box(adapter).tap(body.funds_minor)


def _insert(adapter: QibixxAdapter, body: CoinBody, _: int) -> None:
    _changer(adapter).insert(body.coin)


def _take_coin(adapter: QibixxAdapter, body: CoinBody, _: int) -> None:
    _changer(adapter).take_by_hand(body.coin)


def _hands(entry: AdapterEntry, _: QibixxAdapter) -> tuple[Hand, ...]:
    cards = (
        () if entry.reader is None else (Hand("10.00", "tap", {"funds_minor": CARD_FUNDS_MINOR}),)
    )
    values = () if entry.changer is None else entry.changer.coins
    return cards + tuple(
        Hand(f"{value // 10}.{value % 10}0", "insert_coin", {"coin": place})
        for place, value in enumerate(values)
    )


KIND = Kind(
    name="qibixx",
    summary="Qibixx MDB adapter with a vending machine, a card reader and a coin changer",
    entry=AdapterEntry,
    build=_build,
    state=_state,
    decoder=LineDecoder,
    hands=_hands,
    counters=("given", "reader_sold", "reader_refunded"),
    acts=(
        Act("select", "press the key of a column", _select, ItemBody),
        Act(
            "pull_lever",
            "give a selection or a session up",
            _deed(lambda adapter: adapter.machine.pull_lever()),
        ),
        Act("jam", "block a column", _jam, ItemBody),
        Act("free", "free a blocked column", _free, ItemBody),
        Act("refill", "fill a column", _refill, RefillBody),
        Act("cut_machine", "take the machine's power away", _cut_machine),
        Act("restore_machine", "give the machine its power back", _restore_machine),
        Act("tap", "hold a card to the reader", _tap, TapBody),
        Act(
            "take_card",
            "take the card away before anything is bought",
            _deed(lambda adapter: _box(adapter).take_away()),
        ),
        Act("insert_coin", "put a coin into the changer", _insert, CoinBody),
        Act(
            "return_coins",
            "press the changer's return lever",
            _deed(lambda adapter: _changer(adapter).pull_lever()),
        ),
        Act("take_coin", "press the key of a tube", _take_coin, CoinBody),
    ),
)
