"""What the bench's pages show of a board, as plain values.

Rule 1: it reads the board and changes nothing. Rule 2: a kind that has no drawing of its own is a
chip with its state, so a new device is on the bench at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote

from faces.words import Words
from firmware_sim.act_form import ActField, fields_of
from firmware_sim.bench.words import hand_words, mode_words
from firmware_sim.board import Board
from firmware_sim.faults import Fault
from firmware_sim.kinds.kind import Act, Hand, State
from firmware_sim.limits import BENCH_PARTS_MAX, BENCH_WORDS_BYTES_MAX
from firmware_sim.recording.trace import MASK, Said
from firmware_sim.wire_pictures import Entry
from firmware_sim.words.faults import FAULTS
from firmware_sim.words.kinds import act_words, kind_words
from firmware_sim.words.states import field_words, value_words
from firmware_sim.words.telling import told

DRAWINGS = {
    "epson_vfd": "glass", "cd5220": "glass", "led8": "digits", "ef01": "finger",
    "escpos": "printer", "gm65": "scanner", "ssi": "scanner", "ocpp16": "charger",
    "ocpp201": "charger", "secure_element": "element", "pn532": "reader", "qibixx": "vending",
    "smp_board": "controller", "gate": "gate", "paymeter": "meter", "telium": "pinpad",
}  # fmt: skip
PLAIN_DRAWING = "chip"
COLUMNS_MAX = 3
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A device on the picture; ``column`` and ``row`` are its place."""

    name: str
    kind: str
    drawing: str
    path: str
    is_powered: bool
    faults: int
    """Those that may still strike."""
    state: State
    hands: tuple[Hand, ...]
    picture: str
    column: int
    row: int

    @property
    def hands_by_act(self) -> list[tuple[Words, list[Hand]]]:
        """The things at hand, those of one act together, under its name."""
        return [
            (hand_words(self.kind, act), list(things))
            for act, things in groupby(self.hands, key=lambda hand: hand.act)
        ]

    @property
    def mode(self) -> Words:
        """How a scanner is set to begin to read."""
        return mode_words(self.kind, self.state.get("mode"))

    def word(self, name: str) -> Words:
        """A value of its state that is one of a few, in words."""
        return value_words(name, str(self.state[name]))

    @property
    def is_plugged(self) -> bool:
        """Whether a client can open its port."""
        return bool(self.path)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The parts that are drawn together."""

    parts: tuple[Part, ...]
    columns: int
    rows: int
    number: int
    count: int


@dataclass(frozen=True, slots=True)
class ActView:
    """An act with its form."""

    name: str
    words: Words
    fields: tuple[ActField, ...]


@dataclass(frozen=True, slots=True)
class Byte:
    """One byte of a frame: as text, and the number of the field it belongs to, from 1; 0: none."""

    text: str
    shown: str
    field: int


def sheet_of(board: Board, number: int) -> Sheet:
    """A sheet of the board's picture; the last one where there are not so many."""
    names = list(board.links)
    count = max(1, -(-len(names) // BENCH_PARTS_MAX))
    number = min(max(1, number), count)
    shown = names[(number - 1) * BENCH_PARTS_MAX : number * BENCH_PARTS_MAX]
    columns = min(COLUMNS_MAX, len(shown)) or 1
    parts = tuple(
        part_of(board, name, column=at % columns, row=at // columns)
        for at, name in enumerate(shown)
    )
    return Sheet(parts, columns, -(-len(shown) // columns) or 1, number, count)


def part_of(board: Board, name: str, *, column: int = 0, row: int = 0) -> Part:
    """One device as it is now."""
    link, kind, now_ms = board.link(name), board.kinds[name], board.now_ms()
    pictures = list(kind.pictures(link.device))
    faults = sum(not plan.is_over(now_ms) for plan in link.fault_plans)
    return Part(
        name, kind.name, DRAWINGS.get(kind.name, PLAIN_DRAWING), link.client_path or "",
        link.is_powered, faults, board.state(name), board.hands(name),
        f"/devices/{name}/pictures/{quote(pictures[-1])}.png" if pictures else "", column, row,
    )  # fmt: skip


def acts_of(board: Board, name: str) -> tuple[ActView, ...]:
    """What people do to a device."""
    return tuple(
        ActView(act.name, act_words(act.summary), fields_of(act)) for act in _acts(board, name)
    )


def _acts(board: Board, name: str) -> tuple[Act, ...]:
    board.link(name)
    return board.kinds[name].acts


def title_of(board: Board, name: str) -> Words:
    """What a device is."""
    board.link(name)
    return kind_words(board.kinds[name].name, board.kinds[name].summary)


def state_rows(part: Part) -> Iterator[tuple[str, Words, Words]]:
    """A state as rows: the value's name, the name in words, the value; long and nested values in
    short."""
    for name, value in part.state.items():
        is_mode = name == "mode" and isinstance(value, int)
        yield name, field_words(name), part.mode if is_mode else told(name, value)


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault of a line: what it is, how often it has struck, whether that was all."""

    fault: Fault
    words: Words
    struck: int
    is_over: bool


def fault_rows(board: Board, name: str) -> list[FaultRow]:
    """The faults of a line, in words."""
    now_ms = board.now_ms()
    return [
        FaultRow(plan.fault, FAULTS[plan.fault.kind], plan.struck, plan.is_over(now_ms))
        for plan in board.link(name).fault_plans
    ]


@dataclass(frozen=True, slots=True)
class FrameView:
    """A frame with its bytes and fields; ``mark`` stands before its fields' numbers, so that those
    of several frames on a page do not point at each other's bytes."""

    name: str
    at_ms: int
    size_bytes: int
    is_masked: bool
    shown: list[Byte]
    fields: list[tuple[int, str, str | int]]
    mark: str


def frame_of(entry: Entry, mark: str = "") -> FrameView:
    """A frame as it is shown when it is opened."""
    event = entry.event
    assert isinstance(event, Said)
    shown, fields = bytes_of(entry)
    return FrameView(
        event.name, event.t_ms, entry.size_bytes, MASK in event.hex, shown, fields, mark
    )


def bytes_of(entry: Entry) -> tuple[list[Byte], list[tuple[int, str, str | int]]]:
    """A frame's bytes, as many as are shown, and its fields: the number that its bytes carry (0:
    it has no place among them), name and value."""
    event = entry.event
    assert isinstance(event, Said)
    fields = [
        (at if name in event.places else 0, name, value)
        for at, (name, value) in enumerate(event.fields.items(), start=1)
    ]
    owners: dict[int, int] = {}
    for number, name, _ in fields:
        start, end = event.places.get(name, (0, 0))
        for at in range(start, min(end, BENCH_WORDS_BYTES_MAX)):
            owners.setdefault(at, number)
    pairs = [event.hex[at : at + _PAIR] for at in range(0, len(event.hex), _PAIR)]
    shown = [
        Byte("••" if pair == MASK else pair, _character(pair), owners.get(at, 0))
        for at, pair in enumerate(pairs[:BENCH_WORDS_BYTES_MAX])
    ]
    return shown, fields


def _character(pair: str) -> str:
    if pair == MASK:
        return "•"
    value = int(pair, 16)
    return chr(value) if 0x20 < value < 0x7F else "·"
