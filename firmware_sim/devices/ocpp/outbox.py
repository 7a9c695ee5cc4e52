"""The queue of transaction messages: what a charger owes the central system.

Rule 1: first written, first sent, and none is skipped (1.6 §3.7.1, 2.0.1 part 2 E12). Rule 2: it
is in flash; a cut or a reset loses nothing. Rule 3: a message that the central system fails on is
sent again ``attempts_max`` times in all, each time later, then dropped. Rule 4: when it is full
the oldest message between a beginning and an end goes first, for the bill needs the two ends.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from firmware_sim.devices.ocpp.limits import LETTERS_KEPT_MAX
from protocol.framing.ocppj import JsonObject


class Part(Enum):
    """Where in a transaction a message stands."""

    BEGIN = "begin"
    BETWEEN = "between"
    END = "end"


@dataclass(slots=True)
class Letter:
    """One message; ``transaction`` is the charger's own number of it."""

    action: str
    payload: JsonObject
    transaction: int
    part: Part
    attempts: int = 0


@dataclass(slots=True)
class Outbox:
    """The letters not yet taken."""

    letters: deque[Letter] = field(default_factory=deque)
    lost: int = 0

    def put(self, letter: Letter) -> None:
        """Keep a letter until it is taken."""
        self.letters.append(letter)
        if len(self.letters) > LETTERS_KEPT_MAX:
            between = (at for at, one in enumerate(self.letters) if one.part is Part.BETWEEN)
            del self.letters[next(between, 0)]
            self.lost += 1

    def first(self) -> Letter | None:
        """The letter to send next; it stays until ``taken``."""
        return self.letters[0] if self.letters else None

    def taken(self, letter: Letter) -> None:
        """The central system has it. One that was dropped meanwhile is gone already."""
        if self.letters and self.letters[0] is letter:
            self.letters.popleft()

    def failed(self, letter: Letter, attempts_max: int) -> bool:
        """The central system failed on it; ``False`` where it was dropped for that."""
        letter.attempts += 1
        if letter.attempts < attempts_max:
            return True
        self.taken(letter)
        self.lost += 1
        return False

    def of(self, transaction: int) -> int:
        """How many letters of a transaction are left."""
        return sum(letter.transaction == transaction for letter in self.letters)
