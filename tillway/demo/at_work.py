"""An EV charger, a car park's exit and a vending machine as people use them: plug, tap, pull; drive
in, up, out; press."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from protocol.errors import CallerError
from tillway.demo.till import ENDED, Shown, Till, wait_for
from tillway.json_api import JsonApi

CARD = "TAG-1"
"""The charging card that the simulated charger has at hand."""
CAR_POWER_W = 150_000
CHARGED = frozenset({"paid", "free", "asked", "unsettled"})
"""How a charge ends."""
NOTHING: Shown = {"state": "nothing", "payment_id": ""}


class Car(IntEnum):
    """The tags of the cars that use the car park."""

    WITH_MANDATE = 1001
    WITHOUT = 1002
    JUST_IN = 1003


STAYED_MINUTES = {Car.WITH_MANDATE: 94, Car.WITHOUT: 184, Car.JUST_IN: 3}


@dataclass(frozen=True, slots=True)
class Charger:
    """A charger: what people do to it, and what its hub says of its charges."""

    acts: JsonApi
    hub: JsonApi

    def charges(self) -> list[Shown]:
        """What the hub's chargers have metered, newest first."""
        found: list[Shown] = self.hub.get("/charges")["charges"]
        return found

    def newest(self) -> Shown:
        """The newest charge, or ``NOTHING``."""
        return next(iter(self.charges()), NOTHING)

    def plug_in(self) -> Shown:
        """Put the cable in and tap the card: the charge that runs."""
        before = self.newest()["payment_id"]
        self.acts.post("/devices/charger/acts/plug", {"power_w": CAR_POWER_W})
        try:
            self.acts.post("/devices/charger/acts/tap", {"token": CARD})
            return self._newest(
                lambda found: found["state"] == "running" and found["payment_id"] != before,
                "a running charge",
            )
        except BaseException:
            self._pull()
            raise

    def pull_out(self) -> Shown:
        """Pull the cable: the charge, once it is settled."""
        self._pull()
        return self._newest(lambda found: found["state"] in CHARGED, "the charge's end")

    def _pull(self) -> None:
        self.acts.post("/devices/charger/acts/unplug", {})

    def _newest(self, is_there: Callable[[Shown], bool], what: str) -> Shown:
        return wait_for(self.newest, is_there, what)


@dataclass(frozen=True, slots=True)
class CarPark:
    """A car park's exit and the terminal behind it."""

    exit: Till

    def drive_in(self, car: Car) -> None:
        """A car drives in, as long ago as it stays; one that is in already stays on."""
        body = {"tag": int(car), "minutes": STAYED_MINUTES[car]}
        try:
            self._act("arrive", body)
        except CallerError as error:
            if error.code != "field_invalid":
                raise

    def drive_up(self, car: Car) -> None:
        """A car comes to the exit."""
        self._act("drive_up", {"tag": int(car)})

    def drive_out(self) -> None:
        """The car leaves, and the arm is down before the next one comes."""
        self._act("drive_out")
        wait_for(self.gate, lambda gate: gate["arm"] == "down", "the arm down again")

    def turn_back(self) -> None:
        """Whoever stands at the exit goes, through the arm where it is up."""
        gate = self.gate()
        if gate["waiting"]:
            self._act("drive_out" if gate["arm"] == "up" else "turn_back")

    def arm_up(self) -> str:
        """Where the arm is, once it has risen."""
        return str(wait_for(self.gate, lambda gate: gate["arm"] == "up", "the arm up")["arm"])

    def gate(self) -> Shown:
        """What can be seen of the exit."""
        assert self.exit.machine is not None
        state: Shown = self.exit.machine.get("/devices/gate")["state"]
        return state

    def _act(self, name: str, body: Shown | None = None) -> None:
        assert self.exit.machine is not None
        self.exit.machine.post(f"/devices/gate/acts/{name}", body)


@dataclass(frozen=True, slots=True)
class VendingMachine:
    """A vending machine and the terminal in it."""

    terminal: Till

    def press(self, item: str) -> Shown:
        """Press an item's key: its sale, once the mandate has paid it, its code is shown because
        the mandate does not, or the machine takes no code either and is free again."""
        self.terminal.vend(item)
        what = f"{item} paid, or a code for it"
        return wait_for(lambda: self.terminal.recent(1)[0], self._is_over, what)

    def _is_over(self, sale: Shown) -> bool:
        if sale["state"] in {"paid", "showing_qr"}:
            return True
        return sale["state"] in ENDED and self.terminal.machine_state()["machine"] == "ready"

    def given(self) -> int:
        """How many goods have fallen."""
        return int(self.terminal.machine_state()["given"])

    def wait_given(self, count: int) -> None:
        """Wait until so many have."""
        wait_for(self.terminal.machine_state, lambda seen: seen["given"] >= count, "the goods")
