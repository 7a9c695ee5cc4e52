"""The exit of a car park: what a stay costs, who is asked, and that only a capture lets out."""

import asyncio
from pathlib import Path

import pytest

from protocol.errors import OperatingError
from protocol.framing import gate as words
from terminal.domain.delivery import Delivery
from terminal.domain.parking import Tariff, explain, fee_minor
from terminal.effects import DispenseItem
from terminal.inputs import AnswerArrived, ItemFailed, ItemGiven, StartSale
from terminal.parking import ParkingExit, wishes_of
from terminal.ports import Car, Selection
from tests.unit.terminal.fakes import Bench, opened, profile

TARIFF = Tariff(per_minute_minor=10, free_minutes=5, day_minor_max=3_000)
NOW_S = 1_790_000_000
STAY = Selection(f"car-7-{NOW_S - 3_600}", 600, "7", (NOW_S - 3_600) * 1000, NOW_S * 1000)


@pytest.mark.parametrize(
    ("stay_s", "fee"),
    [
        (-10, 0),
        (0, 0),
        (300, 0),
        (301, 60),
        (3_600, 600),
        (18_000, 3_000),
        (86_400, 3_000),
        (86_401, 3_010),
        (90_000, 3_600),
    ],
)
def test_a_stay_costs_each_started_minute_up_to_the_days_most(stay_s: int, fee: int) -> None:
    assert fee_minor(TARIFF, stay_s) == fee
    said = explain(TARIFF, entered_s=NOW_S - stay_s, left_s=NOW_S)
    assert fee in {said.lines[0].amount_minor, said.cap_minor}


class FakeGate:
    """An exit where the test lets cars stand."""

    def __init__(self, *cars: Car | None) -> None:
        self.cars = list(cars)
        self.notices: list[int] = []
        self.raised: list[int] = []
        self.trouble: OperatingError | None = None

    async def car(self) -> Car | None:
        return self.cars.pop(0)

    async def notice(self, words: int) -> None:
        self.notices.append(words)

    async def raise_for(self, tag: int) -> None:
        self.raised.append(tag)
        if self.trouble is not None:
            raise self.trouble

    async def aclose(self) -> None: ...


def car(tag: int = 7, *, stay_s: int = 3_600, is_released: bool = False) -> Car:
    return Car(tag, NOW_S - stay_s, NOW_S, is_released)


def test_a_car_is_asked_once_and_again_after_a_while_or_another_drive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> None:
        gate = FakeGate(car(), car(), car(), None, car(), car(is_released=True))
        lane = ParkingExit(gate, TARIFF)
        first = await lane.next_selection()
        assert first == STAY
        assert gate.notices == [words.PLEASE_PAY]
        await lane.refuse(STAY)
        assert await lane.next_selection() is None, "it has just been asked"
        monkeypatch.setattr("terminal.parking.GATE_ASK_AGAIN_S", 0.0)
        await lane.refuse(STAY)
        assert await lane.next_selection() == STAY
        assert await lane.next_selection() is None, "it has left"
        assert await lane.next_selection() == STAY, "and has come again"
        assert await lane.next_selection() is None, "it may leave"
        assert gate.raised == []

    asyncio.run(run())


def test_a_short_stay_is_let_out_and_an_unknown_one_is_not() -> None:
    async def run() -> None:
        unknown = Car(9, 0, NOW_S, False)
        gate = FakeGate(car(stay_s=200), unknown)
        lane = ParkingExit(gate, TARIFF)
        assert await lane.next_selection() is None
        assert gate.raised == [7]
        assert await lane.next_selection() is None
        assert (gate.raised, gate.notices) == ([7], [words.NOT_PAID])

    asyncio.run(run())


def test_a_display_that_fails_takes_nothing_back_of_an_arm_that_is_up() -> None:
    class Dark(FakeGate):
        async def notice(self, words: int) -> None:
            raise OperatingError("device_no_reply")

    gate = Dark()
    asyncio.run(ParkingExit(gate, TARIFF).dispense(STAY.item))
    assert gate.raised == [7]


def test_a_car_with_a_mandate_pays_by_it_first_and_any_other_by_a_code() -> None:
    shop = profile(kind="parking", methods=("mandate", "merchant_qr"), is_attended=False)
    wishes = wishes_of(shop, TARIFF, {7: "mdt_7"}, STAY, 0)
    assert [(wish.method, wish.mandate_id) for wish in wishes] == [
        ("mandate", "mdt_7"),
        ("merchant_qr", "mdt_7"),
    ]
    assert [wish.method for wish in wishes_of(shop, TARIFF, {}, STAY, 0)] == ["merchant_qr"]


def exit_bench(path: Path) -> Bench:
    return Bench(path, kind="parking", methods=("mandate",), is_attended=False, gives_once=True)


def stay(bench: Bench) -> StartSale:
    [wish] = wishes_of(bench.profile, TARIFF, {7: "mdt_" + "0" * 26}, STAY, 0)
    return wish


def raised(bench: Bench) -> list[str]:
    return [one.item for one in bench.others if isinstance(one, DispenseItem)]


def test_the_debit_names_the_cars_mandate_and_explains_the_stay(tmp_path: Path) -> None:
    bench = exit_bench(tmp_path / "journal.db")
    bench.feed(stay(bench))
    body = opened(bench.sent_of("payment.create")[-1]).body
    assert body["mandate_id"] == "mdt_" + "0" * 26
    assert body["explanation"]["lines"][0]["quantity"] == 60
    assert body["description"] == "停车费 Parking", "its payer reads either language"
    bench.power_cut()


@pytest.mark.parametrize("state", ["unknown", "processing", "awaiting_payer", "declined"])
def test_the_arm_stays_down_for_everything_but_a_capture(tmp_path: Path, state: str) -> None:
    bench = exit_bench(tmp_path / "journal.db")
    bench.feed(stay(bench))
    bench.answer(bench.result(state))
    bench.wait(60_000)
    assert raised(bench) == []
    bench.power_cut()


def test_after_a_power_cut_the_arm_is_told_again_and_the_sale_ends(tmp_path: Path) -> None:
    bench = exit_bench(tmp_path / "journal.db")
    bench.feed(stay(bench))
    bench.answer(bench.result("captured"))
    bench.wait(0)
    assert raised(bench) == [STAY.item]
    bench.power_cut()
    bench.boot()
    assert raised(bench) == [STAY.item] * 2, "the exit raises it once"
    sale = bench.agent.recent(1)[0]
    bench.feed(ItemGiven(sale.payment_id))
    assert bench.agent.recent(1)[0].delivery is Delivery.GIVEN
    bench.power_cut()


def test_a_power_cut_before_the_arm_was_told_gives_the_money_back(tmp_path: Path) -> None:
    bench = exit_bench(tmp_path / "journal.db")
    bench.feed(stay(bench))
    bench.agent.feed(AnswerArrived(bench.result("captured")))
    bench.power_cut()
    bench.boot()
    assert raised(bench) == []
    assert bench.agent.recent(1)[0].state == "reversing"
    bench.power_cut()


def test_an_arm_that_refuses_gives_the_money_back(tmp_path: Path) -> None:
    bench = exit_bench(tmp_path / "journal.db")
    bench.feed(stay(bench))
    bench.answer(bench.result("captured"))
    bench.wait(0)
    bench.feed(ItemFailed(bench.agent.recent(1)[0].payment_id, "item_not_given"))
    assert bench.agent.recent(1)[0].state == "reversing"
    bench.power_cut()


def test_a_stay_whose_arm_nobody_knows_of_is_not_paid_again_but_told_again(tmp_path: Path) -> None:
    bench = exit_bench(tmp_path / "journal.db")
    bench.feed(stay(bench))
    bench.answer(bench.result("captured"))
    bench.wait(0)
    paid = bench.agent.recent(1)[0].payment_id
    bench.feed(stay(bench))
    assert raised(bench) == [STAY.item], "it is being told"
    bench.feed(ItemFailed(paid, "device_disconnected"))
    assert bench.agent.recent(1)[0].delivery is Delivery.UNCERTAIN
    bench.feed(stay(bench))
    assert raised(bench) == [STAY.item] * 2
    assert len(bench.sent_of("payment.create")) == 1
    bench.feed(ItemGiven(paid))
    [sale] = bench.agent.recent(5)
    assert (sale.state, sale.delivery, sale.error_code) == ("paid", Delivery.GIVEN, None)
    bench.feed(stay(bench))
    assert len(bench.sent_of("payment.create")) == 2, "what was given is sold again"
    bench.power_cut()
