"""The guided stories of things that pay by themselves: a car charges, a car leaves a car park, a
vending machine sells.

Rule 1: one story for all who look; loading the page again shows the same step.
Rule 2: every step is done by the device that it speaks of; what was paid, the wallet's bill says.
Rule 3: whatever is refused or comes to nothing ends the story, and nobody is left at the exit.
"""

import threading
from dataclasses import dataclass, field
from enum import StrEnum

from backend.wallet_page.explaining import Explained, explained
from protocol.errors import CallerError, TillwayError, from_code
from protocol.money import Money
from tillway.demo.at_work import NOTHING, Car, CarPark, Charger, VendingMachine
from tillway.demo.phone import Phone
from tillway.demo.till import ENDED, Shown, Till
from tillway.front.shop import Shop


class Story(StrEnum):
    """What happens."""

    CHARGE = "charge"
    PARK = "park"
    VEND = "vend"


class Stage(StrEnum):
    """What is to be done next."""

    PLUG = "plug"
    PULL = "pull"
    ENTER = "enter"
    LEAVE = "leave"
    PAY = "pay"
    OUT = "out"
    PRESS = "press"
    SCAN = "scan"
    BILL = "bill"


_STAGES = {
    Story.CHARGE: (Stage.PLUG, Stage.PULL, Stage.BILL),
    Story.PARK: (Stage.ENTER, Stage.LEAVE, Stage.OUT, Stage.BILL),
    Story.VEND: (Stage.PRESS, Stage.BILL),
}
_BY_CODE = {
    Story.PARK: (Stage.ENTER, Stage.LEAVE, Stage.PAY, Stage.OUT, Stage.BILL),
    Story.VEND: (Stage.PRESS, Stage.SCAN, Stage.BILL),
}
"""Where no mandate pays."""
_FIRST = frozenset(stages[0] for stages in _STAGES.values())


@dataclass(frozen=True, slots=True)
class Bill:
    """What came of it. ``amount`` empty: nothing was to pay."""

    payment_id: str = ""
    amount: str = ""
    explained: Explained | None = None


@dataclass(slots=True)
class Things:
    """Where the story stands. Any thread may act; one acts at a time."""

    shop: Shop
    story: Story = Story.CHARGE
    stage: Stage = Stage.PLUG
    car: Car = Car.WITH_MANDATE
    charge: Shown = field(default_factory=lambda: dict(NOTHING))
    """The charge that runs, as its hub meters it."""
    payment_id: str = ""
    amount: str = ""
    bill: Bill = Bill()
    is_code_shown: bool = False
    """Whether the vending machine wants to be paid by its code."""
    goods_due: int = 0
    """How many it has given, once what was pressed has fallen."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The story's steps in their order."""
        is_by_code = self.is_code_shown or (self.story is Story.PARK and self.car is Car.WITHOUT)
        return _BY_CODE[self.story] if is_by_code else _STAGES[self.story]

    @property
    def running(self) -> str:
        """What the charge costs so far."""
        return Money(int(self.charge.get("cost_minor", 0)), "CNY").decimal()

    @property
    def energy_kwh(self) -> str:
        """What has flowed."""
        whole, rest = divmod(int(self.charge.get("energy_wh", 0)), 1_000)
        return f"{whole}.{rest:03}"

    def look(self) -> None:
        """Ask the hub how the charge stands, while one runs."""
        if self.stage is Stage.PULL:
            self.charge = self._charger.newest()

    def choose(self, story: Story) -> None:
        """Take the other story."""
        with self._lock:
            self._need(*_FIRST)
            self._begin(story)

    def plug(self) -> None:
        """Put the cable in and tap the card that its owner let the charger debit for."""
        with self._lock:
            self._need(Stage.PLUG)
            self.charge = self._charger.plug_in()
            self._go_on()

    def pull(self) -> None:
        """Pull the cable: metered to the end, debited by the mandate."""
        with self._lock:
            self._need(Stage.PULL)
            self.charge = self._charger.pull_out()
            if self.charge["state"] not in {"paid", "free"}:
                state, code = str(self.charge["state"]), self.charge["error_code"]
                self._begin(self.story)
                raise from_code(code or "payment_state", state)
            is_paid = self.charge["state"] == "paid"
            self._show_bill(str(self.charge["payment_id"]) if is_paid else "")

    def enter(self, car: Car) -> None:
        """Let a car drive in, as long ago as it stays."""
        with self._lock:
            self._need(Stage.ENTER)
            self._car_park.turn_back()
            self._car_park.drive_in(car)
            self.car = car
            self._go_on()

    def leave(self) -> None:
        """Let it come to the exit, whose terminal asks its owner's mandate, shows a code, or raises
        the arm at once."""
        with self._lock:
            self._need(Stage.LEAVE)
            try:
                self._leave()
            except TillwayError:
                self._give_up()
                raise
            self._go_on()

    def pay(self) -> None:
        """Let the wallet scan the exit's code, and its owner give the PIN."""
        with self._lock:
            self._need(Stage.PAY)
            now_ms, exit_ = self.shop.now_ms(), self._car_park.exit
            self._phone.pay_merchant_code(exit_.qr_picture(), now_ms=now_ms)
            self._wait_paid(exit_)
            self._go_on()

    def out(self) -> None:
        """Let it drive out under the arm."""
        with self._lock:
            self._need(Stage.OUT)
            self._car_park.arm_up()
            self._car_park.drive_out()
            self._show_bill(self.payment_id)

    def press(self, item: str) -> None:
        """Press a key of the vending machine: paid by the mandate, or its code is shown."""
        with self._lock:
            self._need(Stage.PRESS)
            self.goods_due = self._vending.given() + 1
            sale = self._vending.press(item)
            if sale["state"] not in {"paid", "showing_qr"}:
                raise from_code(sale["error_code"] or "payment_state", str(sale["state"]))
            self.payment_id, self.amount = str(sale["payment_id"]), str(sale["amount"])
            self.is_code_shown = sale["state"] == "showing_qr"
            if self.is_code_shown:
                self._go_on()
            else:
                self._take()

    def scan(self) -> None:
        """Let the wallet scan the machine's code, and its owner give the PIN."""
        with self._lock:
            self._need(Stage.SCAN)
            terminal = self._vending.terminal
            self._phone.pay_merchant_code(terminal.qr_picture(), now_ms=self.shop.now_ms())
            self._wait_paid(terminal)
            self._take()

    def start_over(self) -> None:
        """From the beginning; who charges is unplugged, who stands at the exit goes."""
        with self._lock:
            self._give_up()

    def _leave(self) -> None:
        park, exit_ = self._car_park, self._car_park.exit
        if self.car is Car.JUST_IN:
            park.drive_up(self.car)
            park.arm_up()
            return
        self.payment_id = exit_.next_sale(lambda: park.drive_up(self.car), "a car that pays")
        if self.car is Car.WITHOUT:
            sale = exit_.wait_sale(self.payment_id, "showing_qr", *ENDED)
            if sale["state"] != "showing_qr":
                raise from_code(sale["error_code"] or "payment_state", str(sale["state"]))
        else:
            sale = self._wait_paid(exit_)
        self.amount = str(sale["amount"])

    def _take(self) -> None:
        """What was paid falls; then its bill is shown."""
        self._vending.wait_given(self.goods_due)
        self._show_bill(self.payment_id)

    def _wait_paid(self, terminal: Till) -> Shown:
        sale = terminal.wait_sale(self.payment_id, *ENDED)
        if sale["state"] != "paid":
            self._give_up()
            raise from_code(sale["error_code"] or "payment_state", str(sale["state"]))
        return sale

    def _show_bill(self, payment_id: str) -> None:
        if payment_id:
            found = self._phone.bill(payment_id)
            amount = Money(found["amount_minor"], found["currency"]).decimal()
            said = explained(found["explanation"], _money, found["currency"])
            self.bill = Bill(payment_id, amount, said)
        self._go_on()

    def _give_up(self) -> None:
        if self.stage is Stage.PULL:
            self._charger.pull_out()
        elif self.stage is Stage.SCAN:
            self._end_asking(self._vending.terminal)
        elif self.story is Story.PARK and self.stage is not Stage.ENTER:
            self._end_asking(self._car_park.exit)
            self._car_park.turn_back()
        self._begin(self.story)

    def _end_asking(self, terminal: Till) -> None:
        screen = terminal.screen()
        if self.payment_id and screen["subject"] == self.payment_id and not screen["is_final"]:
            terminal.cancel()

    def _need(self, *stages: Stage) -> None:
        if self.stage not in stages:
            raise CallerError("payment_state", f"the story is at {self.stage}")

    def _go_on(self) -> None:
        self.stage = self.stages[self.stages.index(self.stage) + 1]

    def _begin(self, story: Story) -> None:
        self.story, self.stage = story, _STAGES[story][0]
        self.charge, self.bill = dict(NOTHING), Bill()
        self.payment_id = self.amount = ""
        self.is_code_shown = False

    @property
    def _charger(self) -> Charger:
        return self.shop.charger

    @property
    def _car_park(self) -> CarPark:
        return self.shop.car_park

    @property
    def _vending(self) -> VendingMachine:
        return self.shop.vending

    @property
    def _phone(self) -> Phone:
        return self.shop.phone


def _money(minor: int, currency: str) -> str:
    return Money(minor, currency).decimal()
