"""Plays a trace back: its devices to a driver, or its host to a device.

What was masked in the trace goes out as the digit 0; a frame whose checksum covers masked bytes
will therefore not be accepted by the other side.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.conformance.running import WatchedWire
from firmware_sim.devices.device import Device
from firmware_sim.devices.replayed import ReplayedDevice
from firmware_sim.frames import Frame, Side
from firmware_sim.kinds.kind import Kind, State
from firmware_sim.kinds.registry import kind_named
from firmware_sim.limits import REPLAY_GAP_S_MAX, REPLAY_SLACK_S
from firmware_sim.recording.matching import (
    Difference,
    Turn,
    TurnMatcher,
    meaning,
    turns_of,
)
from firmware_sim.recording.trace import Done, Said, Trace


def board_of_trace(trace: Trace, device: str | None = None) -> BoardFile:
    """A board whose devices say what the trace's devices said; of one device, or of all."""
    names = [device] if device else list(trace.head.devices)
    devices = {name: _replayed(trace, name) for name in names}
    return BoardFile(f"replay-{trace.head.board}"[:32], devices, trace.head.seed)


def _replayed(trace: Trace, name: str) -> BoardDevice:
    kind = kind_of(trace, name)
    factory = kind.entry.model_validate({"kind": kind.name, "transport": "pty"})
    baud = kind.build(factory, b"").baud
    turns = turns_of(trace.said(name))

    def build(_entry: object, _seed: bytes) -> Device:
        return ReplayedDevice(TurnMatcher(turns, kind.volatile), kind.decoder(), baud)

    played = replace(
        kind, build=build, state=_state, acts=(), counters=(), keeper=None, pictures=lambda _: {}
    )
    return BoardDevice(played, factory)


def _state(device: ReplayedDevice) -> State:
    found = device.difference
    return {
        "turns_left": device.turns_left,
        "expected": found.expected if found else None,
        "came": found.came if found else None,
    }


def kind_of(trace: Trace, device: str) -> Kind:
    """The kind of a trace's device; raises ``CallerError`` that names those there are."""
    return kind_named(trace.only(device).head.devices[device])


@dataclass(frozen=True, slots=True)
class Played:
    """How far a host's words were answered as recorded."""

    turns: int
    done: int
    difference: Difference | None


Do = Callable[..., None]
"""Does an act with its words to a simulated device."""


def play_host(trace: Trace, device: str, wire: WatchedWire, do: Do | None = None) -> Played:
    """Say to a device what the trace's host said, and compare what it answers, by meaning.

    Waits between turns are as recorded, at most ``REPLAY_GAP_S_MAX``. ``do`` does what people did,
    in its place between the frames.
    """
    kind = kind_of(trace, device)
    turns = [turn for turn in turns_of(trace.said(device)) if turn.host is not None]
    deeds = deque(_deeds(trace, device, kind) if do else ())
    last_ms = min((turn.host.t_ms for turn in turns[:1] if turn.host), default=0)
    for number, turn in enumerate(turns):
        assert turn.host is not None
        while deeds and deeds[0].t_ms <= turn.host.t_ms:
            last_ms = _wait(wire, last_ms, deeds[0].t_ms)
            _do(do, deeds.popleft())
        _wait(wire, last_ms, turn.host.t_ms)
        wire.forget()
        wire.send(turn.host.data())
        difference = _compared(wire, turn, kind, deeds, do)
        if difference is not None:
            return Played(len(turns), number, difference)
        last_ms = turn.answers[-1].t_ms if turn.answers else turn.host.t_ms
    return Played(len(turns), len(turns), None)


def _wait(wire: WatchedWire, from_ms: int, to_ms: int) -> int:
    wire.pause(min(max(0, to_ms - from_ms) / 1000, REPLAY_GAP_S_MAX))
    return max(from_ms, to_ms)


def _deeds(trace: Trace, device: str, kind: Kind) -> Iterator[Done]:
    """What people did, as it can be done again: masked characters are 0, which is masked alike
    again; of a picture only its hash is known."""
    for event in trace.events:
        if not isinstance(event, Done) or event.device != device or kind.act(event.deed) is None:
            continue
        words = {
            name: word.replace("*", "0") if isinstance(word, str) else word
            for name, word in event.words.items()
        }
        if not any(isinstance(word, str) and word.startswith("sha256:") for word in words.values()):
            yield event.model_copy(update={"words": words})


def _do(do: Do | None, deed: Done) -> None:
    if do is not None:
        do(deed.deed, **deed.words)


def _compared(
    wire: WatchedWire, turn: Turn, kind: Kind, deeds: deque[Done], do: Do | None
) -> Difference | None:
    """Hear a turn's answers; what people did before the last of them is done meanwhile."""
    assert turn.host is not None
    asked_ms, last_ms = turn.host.t_ms, turn.answers[-1].t_ms if turn.answers else 0
    began_s, passed_s = wire.now_s(), 0.0
    limit_s = max(0, last_ms - asked_ms) / 1000 + REPLAY_SLACK_S
    heard: list[Frame] = []
    while len(heard) < len(turn.answers) and passed_s < limit_s:
        due_s = limit_s
        if deeds and deeds[0].t_ms < last_ms:
            due_s = (deeds[0].t_ms - asked_ms) / 1000
            if due_s <= passed_s:
                _do(do, deeds.popleft())
                continue
        if not wire.receive(1, due_s - passed_s):
            passed_s = due_s
        passed_s = max(passed_s, wire.now_s() - began_s)
        heard += [frame for frame in wire.frames if frame.side is Side.DEVICE]
        wire.forget()  # the wire keeps a few of them only
    for answer, frame in zip(turn.answers, heard, strict=False):
        if meaning(answer, kind.volatile) != meaning(frame, kind.volatile):
            return Difference.between(answer, frame)
    missing: Sequence[Said] = turn.answers[len(heard) :]
    return Difference.between(missing[0], None) if missing else None
