"""The power goes at every step of a machine's sale: nothing is paid and lost, nothing falls twice.

Method: virtual time, the journal on disk, a backend that remembers. The run is cut after its n-th
commit, for every n, and goes on after a restart; whatever the motor did before stays done.
"""

from pathlib import Path
from typing import Any

import pytest

from protocol import envelope
from terminal import vending
from terminal.domain.delivery import Delivery
from terminal.effects import DispenseItem, Effect, Transmit
from terminal.inputs import AnswerArrived, Input, ItemFailed, ItemGiven, LinkUp, Tick
from terminal.profile import Item
from tests.unit.terminal.fakes import Bench, sign

STEPS_MAX = 12
HOUR_MS = 3_600_000


class PowerCutError(Exception):
    """The machine is off."""


class Books:
    """The backend: a payment is captured once, or reversed for good."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.amounts: dict[str, int] = {}

    def answer(self, parcel: Transmit) -> bytes | None:
        asked = envelope.unseal(parcel.sealed).envelope
        payment_id = asked.body.get("payment_id")
        if not isinstance(payment_id, str):
            return None
        if asked.message_type == "payment.create":
            self.states.setdefault(payment_id, "captured")
            self.amounts.setdefault(payment_id, asked.body["amount_minor"])
        elif asked.message_type == "payment.reverse":
            self.states[payment_id] = "reversed"
        elif payment_id not in self.states:
            return None
        body: dict[str, Any] = {
            "payment_id": payment_id,
            "state": self.states[payment_id],
            "amount_minor": self.amounts.get(payment_id, 0),
            "currency": "CNY",
            "method": "mandate",
        }
        return sign("payment.result", body, request_id=asked.request_id)


class Run:
    """A machine that is cut after so many turns, before or after what the last turn wants done."""

    def __init__(self, path: Path, *, cut_after: int, jams: bool, is_late_cut: bool) -> None:
        items = (Item(item="tea", zh="茶", en="Tea", amount_minor=350),)
        self.bench = Bench(
            path,
            link_up=False,
            kind="vending",
            methods=("mandate",),
            is_attended=False,
            mandate_id="mdt_1",
            items=items,
        )
        self.books, self.jams, self.fallen = Books(), jams, 0
        self.left, self.is_late_cut = cut_after, is_late_cut

    def turn(self, event: Input) -> None:
        """One turn and what it wants done, unless the power goes: before that is done, or before
        the world's answer to it is heard."""
        if self.left == 0:
            raise PowerCutError
        self.left -= 1
        effects = self.bench.agent.feed(event)
        if self.left == 0 and not self.is_late_cut:
            raise PowerCutError
        for effect in effects:
            self.carry_out(effect)
        if self.left == 0:
            raise PowerCutError

    def carry_out(self, effect: Effect) -> None:
        if isinstance(effect, Transmit):
            answer = self.books.answer(effect)
            if answer is not None:
                self.turn(AnswerArrived(answer))
        elif isinstance(effect, DispenseItem):
            self.fallen += not self.jams
            word = ItemFailed(effect.payment_id, "item_not_given") if self.jams else None
            self.turn(word or ItemGiven(effect.payment_id))

    def sell(self) -> None:
        self.turn(LinkUp())
        self.turn(vending.select(self.bench.profile, "tea", self.bench.clock.now_ms()))
        self.go_on(60_000)

    def go_on(self, ms: int) -> None:
        """Time passes, tick by tick."""
        end = self.bench.clock.ticks + ms
        while (due := self.bench.agent.due_ms()) is not None and due <= end:
            self.bench.clock.forward(max(due - self.bench.clock.ticks, 0))
            self.turn(Tick())
        self.bench.clock.forward(end - self.bench.clock.ticks)
        self.turn(Tick())


@pytest.mark.parametrize("jams", [False, True])
@pytest.mark.parametrize("is_late_cut", [False, True])
def test_a_cut_at_every_step_loses_nothing(tmp_path: Path, jams: bool, is_late_cut: bool) -> None:
    ends = set()
    for step in range(1, STEPS_MAX):
        path = tmp_path / f"{step}.db"
        run = Run(path, cut_after=step, jams=jams, is_late_cut=is_late_cut)
        try:
            run.sell()
        except PowerCutError:
            run.bench.power_cut()
            run.bench.clock.forward(3_000)
            run.left = -1
            run.bench.boot(link_up=False)
            run.turn(LinkUp())
            run.go_on(HOUR_MS)
        ends.add(judged(run))
        run.bench.power_cut()
    wanted = {"given", "back", "owner"} if not jams else {"back", "owner"}
    assert wanted <= ends, "the cuts met every kind of end"


def judged(run: Run) -> str:
    """How it ended; fails where money or goods are lost."""
    assert run.fallen <= 1
    sales = run.bench.agent.recent(5)
    states = list(run.books.states.values())
    if not sales:
        assert (states, run.fallen) == ([], 0)
        return "never"
    [sale] = sales
    if sale.delivery is Delivery.UNCERTAIN:
        assert (sale.state, states) == ("paid", ["captured"]), "the owner looks, nobody guesses"
        return "owner"
    if sale.delivery is Delivery.GIVEN:
        assert (run.fallen, states) == (1, ["captured"])
        return "given"
    assert run.fallen == 0
    assert states in ([], ["reversed"])
    return "back" if states else "never"
