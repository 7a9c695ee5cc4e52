"""What stands in LONG ends: given back to its payer, or assigned by a person."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

import pytest

from backend.channels.day_file import DayRow
from backend.channels.model import NUCC, ChannelAnswer, RefundOrder
from backend.reconciliation.assignee import Assignee
from backend.reconciliation.breaks import BreakStep
from backend.reconciliation.cases import MoveBreak
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.channel_world import CARD_TOKEN
from tests.support.clearing import World, clearing_world
from tests.support.shop import MERCHANT
from tests.support.wallet_http import OPERATOR, client_of
from tests.unit.clearing.conftest import pays_with
from tests.unit.clearing.test_breaks_over_days import DAY, NEXT_DAY, Files, cases, events, run

pytestmark = pytest.mark.asyncio
LONG = "C:LONG:CNY"


@pytest.fixture
def world(lite_url: str) -> Iterator[World]:
    with clearing_world(lite_url) as world:
        world.near.open("CARD-1", 100_000)
        world.channels[NUCC].book.bind(CARD_TOKEN, "CARD-1")
        yield world


async def taken_for_nothing(world: World) -> tuple[str, Files]:
    """A payment that the channel has in its file, though it told us that it was reversed."""
    payer, shop = pays_with(world, "card", CARD_TOKEN), world.shop
    world.channels[NUCC].mishaps = ["lost"]
    payment_id = str(shop.pay(payer, 700)["payment_id"])
    await world.runner.run_due()
    for _ in range(12):
        shop.clock.at_ms += 61_000
        await world.runner.settle(date.max)
    assert shop.ask("payment.query", {"payment_id": payment_id})["state"] == "reversed"
    files = Files(world)
    row = DayRow("payment", payment_id, "C", Money(700, "CNY"))
    files.changes[DAY] = lambda rows: [*rows, row]
    return payment_id, files


async def test_what_was_taken_for_a_payment_that_failed_goes_back_once(world: World) -> None:
    payment_id, files = await taken_for_nothing(world)
    asked: list[str] = []

    async def refund(order: RefundOrder) -> ChannelAnswer:
        asked.append(order.refund_id)
        return ChannelAnswer(order.refund_id, "succeeded", "", "R1", NEXT_DAY.isoformat())

    files.channel.refund = refund  # type: ignore[method-assign]
    report = await run(world, DAY)
    assert (report["state"], report["reconciliation"]["kinds"]) == ("closed", ["LONG_STATUS"])
    assert events(world) == ["BreakPosted", "BreakGivenBack"]
    assert cases(world, "resolved") == [("LONG_STATUS", payment_id)]
    await world.runner.settle(date.max)
    await world.day_end.run(DAY)
    await world.runner.settle(date.max)
    assert asked == [f"{payment_id}.back"]
    assert world.shop.balance(LONG) == 0
    assert world.shop.balance(f"C:CH:{NUCC}.{DAY}:CNY") == 0
    assert world.shop.balance(f"C:CH:{NUCC}.{NEXT_DAY}:CNY") == -700
    assert world.shop.verify().is_whole


async def test_what_the_channel_will_not_have_back_is_stranded_in_sight_of_people(
    world: World,
) -> None:
    payment_id, _ = await taken_for_nothing(world)
    await run(world, DAY)
    await world.runner.settle(date.max)
    [saga] = world.shop.rows(f"SELECT state FROM saga WHERE saga_id = '{payment_id}.back'")
    assert saga["state"] == "stranded"
    assert world.shop.balance(LONG) == 700


async def unheard_of(world: World) -> dict[str, Any]:
    """A posted break about 700 fen of which we know nothing."""
    await world.payer(10_000)
    files = Files(world)
    files.changes[DAY] = lambda rows: [*rows, DayRow("payment", "pay_x", "C", Money(700, "CNY"))]
    await run(world, DAY)
    [row] = world.shop.rows("SELECT * FROM reconciliation_case")
    return row


@pytest.mark.parametrize("kind", ["payer", "merchant"])
async def test_a_person_assigns_what_is_long(world: World, kind: Any) -> None:
    row = await unheard_of(world)
    owner_id = world.shop.add_payer() if kind == "payer" else MERCHANT
    assign = MoveBreak(
        follows=row,
        step=BreakStep.ASSIGN,
        booked_on=f"{NEXT_DAY}",
        actor="operator:li",
        words="by fax",
        to=Assignee(kind, owner_id),
    )
    world.shop.do(assign)
    with pytest.raises(CallerError, match="break_state"):
        world.shop.do(assign)
    account = f"C:CUST:{owner_id}:CNY" if kind == "payer" else f"C:MPEND:{MERCHANT}:CNY"
    assert (world.shop.balance(LONG), world.shop.balance(account)) == (0, 700)
    report = await run(world, DAY)
    assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0)
    assert world.shop.balance(LONG) == 0
    assert world.shop.verify().is_whole


async def test_nobody_of_an_unknown_id_gets_anything(world: World) -> None:
    row = await unheard_of(world)
    kinds: tuple[Literal["payer", "merchant"], ...] = ("payer", "merchant")
    for kind in kinds:
        with pytest.raises(CallerError, match=f"{kind}_unknown"):
            world.shop.do(
                MoveBreak(
                    follows=row,
                    step=BreakStep.ASSIGN,
                    booked_on=f"{DAY}",
                    to=Assignee(kind, "nobody"),
                )
            )
    assert world.shop.balance(LONG) == 700


async def test_an_operator_lists_looks_and_assigns_over_http(world: World) -> None:
    row = await unheard_of(world)
    payer = world.shop.add_payer()
    name = row["break_id"]
    with client_of(world.shop) as http:
        assert http.get("/operator/v1/breaks").status_code == 401
        [listed] = http.get("/operator/v1/breaks", headers=OPERATOR).json()["breaks"]
        assert (listed["break_id"], listed["age_days"]) == (name, 0)
        path, body = f"/operator/v1/breaks/{name}/resolve", {"by": "li", "words": "by fax"}
        for wrong in (
            body | {"words": "fax"},
            body | {"assign": "payer"},
            body | {"assign": "payer", "owner_id": payer, "write_off": True},
        ):
            assert http.post(path, headers=OPERATOR, json=wrong).status_code >= 400
        wanted = body | {"assign": "payer", "owner_id": payer}
        said = http.post(path, headers=OPERATOR, json=wanted).json()
        assert said["break"]["state"] == "resolved"
        shown = http.get(f"/operator/v1/breaks/{name}", headers=OPERATOR).json()
        assert [one["event"] for one in shown["timeline"]] == ["BreakPosted", "BreakAssigned"]
        assert shown["timeline"][-1]["actor"] == "operator:li"
    assert world.shop.payer_balance(payer) == 700
