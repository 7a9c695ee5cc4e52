"""What a conformance check is: a question to a device, simulated or real, that can be failed.

Rule 1: a check knows the wire and the person beside the device, nothing else: it is the same for
a simulated device and for a real one. Rule 2: a check leaves the device as it found it: nothing is
saved to flash, and registers are put back. Rule 3: it ends by itself: every wait has a limit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue

from faces.words import Words
from firmware_sim.conformance.wanted import CAME, WANTED, in_chinese
from firmware_sim.frames import JUNK, Frame, Side, masked_numbers

NOTHING = "nothing"


class CheckFailedError(Exception):
    """The device did something else than its document says. Bytes and fields are told in the
    document's own words in both languages."""

    def __init__(self, expected: str, came: str = "") -> None:
        super().__init__(f"expected {expected}" + (f"; came {came}" if came else ""))
        came_zh = "什么也没来" if came == NOTHING else f"来了 {in_chinese(came, CAME)}"
        self.why_zh = f"该是 {in_chinese(expected, WANTED)}" + (f"；{came_zh}" if came else "")


class NeedsPersonError(Exception):
    """Only a person beside the device can go on, and there is none; ``wish`` is what is asked."""

    def __init__(self, wish: Words) -> None:
        super().__init__(f"a person has to: {wish.en}")
        self.why_zh = f"需要有人：{wish.zh}"


class Wire(Protocol):
    """The host's end of the line."""

    def send(self, data: bytes) -> None:
        """Say something."""
        ...

    def receive(self, count: int, timeout_s: float) -> bytes:
        """Up to ``count`` bytes; fewer where the time is over."""
        ...

    def drain(self, quiet_s: float) -> bytes:
        """All that comes until the line has been quiet for so long; raises ``CheckFailedError``
        where it does not fall silent."""
        ...

    def set_baud(self, rate: int) -> None:
        """Speak and listen at another rate from now on."""
        ...

    def now_s(self) -> float:
        """The time on this wire."""
        ...

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        ...


class Person(Protocol):
    """Whoever stands beside the device."""

    def do(self, act: str, /, **words: JsonValue) -> None:
        """Do one of the kind's acts; raises ``NeedsPersonError`` where nobody is there."""
        ...

    def sees(self, act: str, /, **words: JsonValue) -> bool:
        """Whether what an act that only looks (``look``) expects is so; raises
        ``NeedsPersonError`` where nobody is there."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """One check. ``clause`` names where the document says so; ``run`` raises
    ``CheckFailedError`` with what was expected and what came."""

    id: str
    title: str
    clause: str
    run: Callable[[Wire, Person], None]
    needs_person: bool = False


def expect(is_so: bool, expected: str, came: bytes | str | int) -> None:
    """Fail the check unless it is so; of a long number that came, only the ends are told."""
    if not is_so:
        shown = _shown(came) or NOTHING if isinstance(came, bytes) else masked_numbers(str(came))
        raise CheckFailedError(expected, shown)


def _shown(came: bytes) -> str:
    digits = Frame(Side.DEVICE, came, JUNK).hex()
    return " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))
