"""The lines between terminals and hub: late, lossy, doubling, cut, and mended again."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.domain.effects import ParcelKey
from terminal.effects import Transmit
from terminal.inputs import AnswerArrived, HubStateArrived, LinkDown, LinkUp, Undelivered
from tests.simulation.events import Schedule, Trace
from tests.simulation.faults import Faults

if TYPE_CHECKING:
    from tests.simulation.hub_room import HubRoom
    from tests.simulation.till_room import TillRoom

NOTICED_MS_MAX, RETRY_MS_MAX, CUT_MS_MAX = 3_000, 4_000, 90_000


@dataclass
class Cable:
    """One terminal's connection. ``number`` counts connections: what belongs to an old one is
    lost, but for bytes that the hub's machine had already."""

    till: "TillRoom"
    is_up: bool = False
    number: int = 0
    is_pulled: bool = False
    up_at_ms: int = 0
    down_at_ms: int = 0


class Cables:
    """All connections of the store."""

    def __init__(
        self, *, schedule: Schedule, trace: Trace, dice: random.Random, faults: Faults
    ) -> None:
        self._schedule, self._trace, self._dice, self._faults = schedule, trace, dice, faults
        self._cables: dict[str, Cable] = {}
        self.hub: HubRoom

    def add(self, till: "TillRoom") -> None:
        """A terminal with its cable; it connects as soon as it can."""
        self._cables[till.tid] = Cable(till)
        self._connect_later(till.tid)

    # --- from the terminal

    def up(self, tid: str, parcel: Transmit) -> None:
        """A terminal puts an envelope on the wire."""
        cable = self._cables[tid]
        if not cable.is_up:
            self._undelivered(cable, parcel)
            return
        if self._happens(self._faults.cut):
            self.cut(tid)
            if self._happens(0.5):
                self._undelivered(cable, parcel)
            return
        if self._happens(self._faults.drop):
            self._trace.add("cable", f"loses {tid}'s", parcel.sealed)
            if self._happens(0.5):
                self._undelivered(cable, parcel)
            return
        number = cable.number
        cable.up_at_ms = self._arrival(cable.up_at_ms)
        self._at(cable.up_at_ms, lambda: self._at_hub(cable, number, parcel.sealed))
        if self._happens(self._faults.duplicate):
            again = self._schedule.now_ms + 3 * self._delay()
            self._at(again, lambda: self._at_hub(cable, number, parcel.sealed))

    def _at_hub(self, cable: Cable, number: int, payload: bytes) -> None:
        if number != cable.number and not self._happens(0.3):
            return
        self._trace.add("hub", f"gets from {cable.till.tid}", payload)
        self.hub.receive(cable.till.tid, payload)

    def _undelivered(self, cable: Cable, parcel: Transmit) -> None:
        event = Undelivered(parcel.request_id)
        self._schedule.after(self._delay(), lambda: cable.till.feed(event))

    # --- from the hub

    def down(self, tid: str, payload: bytes, parcel: ParcelKey | None) -> None:
        """The hub gives bytes to a terminal."""
        cable = self._cables.get(tid)
        if cable is None:
            return
        if cable.is_up and self._happens(self._faults.cut):
            # Not here and now: the hub is in the middle of its turn.
            self._schedule.after(0, lambda: self.cut(tid))
        number = cable.number
        if not cable.is_up or self._happens(self._faults.drop):
            self._not_taken(cable, parcel)
            return
        cable.down_at_ms = self._arrival(cable.down_at_ms)
        self._at(cable.down_at_ms, lambda: self._at_till(cable, number, payload, parcel))
        if self._happens(self._faults.duplicate):
            again = self._schedule.now_ms + 3 * self._delay()
            self._at(again, lambda: self._at_till(cable, number, payload, parcel))

    def _at_till(self, cable: Cable, number: int, payload: bytes, parcel: ParcelKey | None) -> None:
        if number != cable.number or not cable.till.is_alive:
            self._not_taken(cable, parcel)
            return
        cable.till.feed(AnswerArrived(payload))
        if parcel is None or not cable.till.is_alive or number != cable.number:
            return
        if self._happens(self._faults.drop):
            self._not_taken(cable, parcel)
            return
        tid = cable.till.tid
        acknowledge = lambda: self.hub.hub.delivered(tid, parcel)  # noqa: E731
        self._schedule.after(self._delay(), lambda: self._to_hub(cable, number, acknowledge))

    def _not_taken(self, cable: Cable, parcel: ParcelKey | None) -> None:
        if parcel is not None:
            number, tid = cable.number, cable.till.tid
            report = lambda: self.hub.hub.undelivered(tid, parcel)  # noqa: E731
            self._schedule.after(self._delay(), lambda: self._to_hub(cable, number, report))

    def _to_hub(self, cable: Cable, number: int, work: Callable[[], None]) -> None:
        if number == cable.number:
            self.hub.turn(work)

    # --- the hub's state, retained

    def state_changed(self, state: bytes) -> None:
        """Everybody who is connected hears it."""
        for cable in self._cables.values():
            if cable.is_up:
                self._say_state(cable, state)

    def _say_state(self, cable: Cable, state: bytes) -> None:
        number = cable.number

        def arrive() -> None:
            if number == cable.number:
                cable.till.feed(HubStateArrived(state))

        self._schedule.after(self._delay(), arrive)

    # --- how it breaks and is mended

    def cut(self, tid: str) -> None:
        """A connection breaks; the terminal notices a little later, and comes again."""
        cable = self._cables.get(tid)
        if cable is None or not cable.is_up:
            return
        self._trace.add("cable", f"{tid} is cut off")
        cable.is_up = False
        cable.number += 1
        number = cable.number

        def notice() -> None:
            if number == cable.number:
                cable.till.feed(LinkDown())
                self._connect_later(tid)

        self._schedule.after(self._dice.randint(0, NOTICED_MS_MAX), notice)

    def cut_all(self) -> None:
        """The hub is gone."""
        for tid in self._cables:
            self.cut(tid)

    def pull(self, tid: str) -> None:
        """Somebody pulls the plug for a while."""
        cable = self._cables[tid]
        cable.is_pulled = True
        self.cut(tid)
        self._schedule.after(
            self._dice.randint(1_000, CUT_MS_MAX), lambda: setattr(cable, "is_pulled", False)
        )

    def rebooted(self, tid: str) -> None:
        """A terminal starts again: whatever it had is gone."""
        cable = self._cables[tid]
        cable.is_up = False
        cable.number += 1
        self._connect_later(tid)

    def _connect_later(self, tid: str) -> None:
        number = self._cables[tid].number
        ms = self._dice.randint(50, RETRY_MS_MAX)
        self._schedule.after(ms, lambda: self._connect(tid, number))

    def _connect(self, tid: str, number: int) -> None:
        cable = self._cables[tid]
        if number != cable.number or cable.is_up or not cable.till.is_alive:
            return
        if cable.is_pulled or not self.hub.admits(tid):
            self._connect_later(tid)
            return
        cable.is_up = True
        cable.number += 1
        self._trace.add("cable", f"{tid} is connected")
        self.hub.turn(lambda: self.hub.hub.connected(tid))
        if cable.is_up:
            cable.till.feed(LinkUp())
            self._say_state(cable, self.hub.retained)

    # --- below: chance

    def _arrival(self, last_ms: int) -> int:
        at_ms = self._schedule.now_ms + self._delay()
        return at_ms if self._faults.reorders else max(at_ms, last_ms)

    def _at(self, at_ms: int, work: Callable[[], None]) -> None:
        self._schedule.after(at_ms - self._schedule.now_ms, work)

    def _delay(self) -> int:
        return self._dice.randint(1, self._faults.delay_ms_max)

    def _happens(self, probability: float) -> bool:
        return self._dice.random() < probability
