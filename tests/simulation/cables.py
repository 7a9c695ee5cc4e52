"""The lines between terminals and hub: late, lossy, doubling, cut, and mended again."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.domain.effects import ParcelKey
from terminal.adapters.hub_turns import HubTurns
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
    turns: HubTurns
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
        self.hubs: list[HubRoom] = []

    def add(self, till: "TillRoom") -> None:
        """A terminal with its cable; it connects as soon as it can."""
        addresses = [(hub.name, at) for at, hub in enumerate(self.hubs)]
        self._cables[till.tid] = Cable(till, HubTurns(addresses, self._now_s))
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
        number, hub = cable.number, self._hub_of(cable)
        cable.up_at_ms = self._arrival(cable.up_at_ms)
        self._at(cable.up_at_ms, lambda: self._at_hub(hub, cable, number, parcel.sealed))
        if self._happens(self._faults.duplicate):
            again = self._schedule.now_ms + 3 * self._delay()
            self._at(again, lambda: self._at_hub(hub, cable, number, parcel.sealed))

    def _at_hub(self, hub: "HubRoom", cable: Cable, number: int, payload: bytes) -> None:
        if number != cable.number and not self._happens(0.3):
            return
        self._trace.add(hub.name, f"gets from {cable.till.tid}", payload)
        hub.receive(cable.till.tid, payload)

    def _undelivered(self, cable: Cable, parcel: Transmit) -> None:
        event = Undelivered(parcel.request_id)
        self._schedule.after(self._delay(), lambda: cable.till.feed(event))

    # --- from the hub

    def down(self, hub: "HubRoom", tid: str, payload: bytes, parcel: ParcelKey | None) -> None:
        """A hub gives bytes to a terminal."""
        cable = self._cables.get(tid)
        if cable is None:
            return
        is_here = cable.is_up and self._hub_of(cable) is hub
        if is_here and self._happens(self._faults.cut):
            # Not here and now: the hub is in the middle of its turn.
            self._schedule.after(0, lambda: self.cut(tid))
        number = cable.number
        if not is_here or self._happens(self._faults.drop):
            self._not_taken(hub, cable, parcel)
            return
        cable.down_at_ms = self._arrival(cable.down_at_ms)
        self._at(cable.down_at_ms, lambda: self._at_till(hub, cable, number, payload, parcel))
        if self._happens(self._faults.duplicate):
            again = self._schedule.now_ms + 3 * self._delay()
            self._at(again, lambda: self._at_till(hub, cable, number, payload, parcel))

    def _at_till(
        self,
        hub: "HubRoom",
        cable: Cable,
        number: int,
        payload: bytes,
        parcel: ParcelKey | None,
    ) -> None:
        if number != cable.number or not cable.till.is_alive:
            self._not_taken(hub, cable, parcel)
            return
        cable.till.feed(AnswerArrived(payload))
        if parcel is None or not cable.till.is_alive or number != cable.number:
            return
        if self._happens(self._faults.drop):
            self._not_taken(hub, cable, parcel)
            return
        tid = cable.till.tid
        acknowledge = lambda: hub.hub.delivered(tid, parcel)  # noqa: E731
        self._schedule.after(self._delay(), lambda: self._to_hub(hub, cable, number, acknowledge))

    def _not_taken(self, hub: "HubRoom", cable: Cable, parcel: ParcelKey | None) -> None:
        if parcel is not None:
            number, tid = cable.number, cable.till.tid
            report = lambda: hub.hub.undelivered(tid, parcel)  # noqa: E731
            self._schedule.after(self._delay(), lambda: self._to_hub(hub, cable, number, report))

    def _to_hub(self, hub: "HubRoom", cable: Cable, number: int, work: Callable[[], None]) -> None:
        if number == cable.number:
            hub.turn(work)

    # --- the hub's state, retained

    def state_changed(self, hub: "HubRoom", state: bytes) -> None:
        """Everybody who is connected there hears it."""
        for cable in self._cables.values():
            if cable.is_up and self._hub_of(cable) is hub:
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
        cable.turns.next_after(was_up=True)
        cable.number += 1
        number = cable.number

        def notice() -> None:
            if number == cable.number:
                cable.till.feed(LinkDown())
                self._connect_later(tid)

        self._schedule.after(self._dice.randint(0, NOTICED_MS_MAX), notice)

    def cut_off(self, hub: "HubRoom", tid: str) -> None:
        """A hub hears nothing more from this terminal."""
        cable = self._cables.get(tid)
        if cable is not None and self._hub_of(cable) is hub:
            self.cut(tid)

    def cut_all(self, hub: "HubRoom | None" = None) -> None:
        """This hub is gone; None: everybody is sent to the next one."""
        for tid, cable in self._cables.items():
            if hub is None or self._hub_of(cable) is hub:
                self.cut(tid)

    def leave(self, tid: str) -> None:
        """A terminal's hub has lost the backend."""
        if self._cables[tid].is_up and self._cables[tid].turns.leave():
            # Not here and now: the terminal is in the middle of its turn.
            self._schedule.after(0, lambda: self.cut(tid))

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
        hub = self._hub_of(cable)
        if cable.is_pulled or not hub.admits(tid):
            cable.turns.next_after(was_up=False)
            self._connect_later(tid)
            return
        cable.is_up = True
        cable.number += 1
        self._trace.add("cable", f"{tid} is connected to {hub.name}")
        hub.turn(lambda: hub.hub.connected(tid))
        if cable.is_up:
            cable.till.feed(LinkUp())
            self._say_state(cable, hub.retained)

    # --- below: chance

    def _hub_of(self, cable: Cable) -> "HubRoom":
        return self.hubs[cable.turns.current[1]]

    def _now_s(self) -> float:
        return self._schedule.now_ms / 1000

    def _arrival(self, last_ms: int) -> int:
        at_ms = self._schedule.now_ms + self._delay()
        return at_ms if self._faults.reorders else max(at_ms, last_ms)

    def _at(self, at_ms: int, work: Callable[[], None]) -> None:
        self._schedule.after(at_ms - self._schedule.now_ms, work)

    def _delay(self) -> int:
        return self._dice.randint(1, self._faults.delay_ms_max)

    def _happens(self, probability: float) -> bool:
        return self._dice.random() < probability
