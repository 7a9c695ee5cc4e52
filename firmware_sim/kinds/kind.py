"""A kind of device: what a board file may say of it, how it is built, what people do to it, what
can be seen of it, and how its wire is read.

Everything that is not the device itself (control API, scenarios, recorder, conformance suite)
knows devices through this record only, so that a new device is one more of these.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from firmware_sim.devices.device import Device, Output
from firmware_sim.frames import FrameDecoder
from firmware_sim.limits import CLOCK_JUMP_S_MAX, TRANSPORT_CHARS_MAX

State = dict[str, JsonValue]
Transport = Annotated[str, Field(max_length=TRANSPORT_CHARS_MAX)]


class DeviceEntry(BaseModel):
    """What every device says in a board file. A kind adds its ``kind: Literal`` and options."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: str
    transport: Transport = "pty"


class ActBody(BaseModel):
    """What an act has to be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoBody(ActBody):
    """An act that needs no words."""


class JumpBody(ActBody):
    """How far a clock jumps."""

    seconds: Annotated[int, Field(ge=-CLOCK_JUMP_S_MAX, le=CLOCK_JUMP_S_MAX)]


@dataclass(frozen=True, slots=True)
class Act:
    """What a person does to a device: ``run(device, body, now_ms)``. May raise ``CallerError``.
    ``secret`` names the words that nobody may keep, such as a PIN."""

    name: str
    summary: str
    run: Callable[[Any, Any, int], Sequence[Output] | None]
    body: type[ActBody] = NoBody
    secret: frozenset[str] = frozenset()

    def kept(self, words: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """The words as a trace may keep them: of a secret one only its length."""
        return {
            name: "*" * len(str(word)) if name in self.secret else word
            for name, word in words.items()
        }


@dataclass(frozen=True, slots=True)
class Hand:
    """A thing that people can take and bring to the device: ``act`` is done with ``words``."""

    name: str
    act: str
    words: dict[str, JsonValue]


Keeper = Callable[[Any], None]
"""Puts on disk what a device has made since last asked."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. ``build(entry, seed)`` gives a device that has not been booted yet; ``seed`` is
    the board's and the device's own. ``state`` is plain values, cheap to read. ``counters`` names
    those of them that only grow. ``pictures`` are PNGs by name, drawn when called. ``volatile``
    names the fields of frames that differ from run to run (sequence numbers, nonces). ``begins``
    names the frames that begin a display's whole picture. ``hands`` are the things that people have
    at hand for it, by its entry and as it is: cards, fingers, coins."""

    name: str
    summary: str
    entry: type[DeviceEntry]
    build: Callable[[Any, bytes], Device]
    state: Callable[[Any], State]
    decoder: Callable[[], FrameDecoder]
    acts: tuple[Act, ...] = ()
    counters: tuple[str, ...] = ()
    pictures: Callable[[Any], Mapping[str, Callable[[], bytes]]] = field(default=lambda _: {})
    keeper: Callable[[Path], Keeper] | None = None
    volatile: frozenset[str] = frozenset()
    begins: frozenset[str] = frozenset()
    hands: Callable[[Any, Any], tuple[Hand, ...]] = field(default=lambda _entry, _device: ())

    def act(self, name: str) -> Act | None:
        """The act of this name."""
        return next((act for act in self.acts if act.name == name), None)
