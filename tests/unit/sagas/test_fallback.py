"""A card that two channels serve: the second is asked only when the first certainly has nothing."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from backend.channel_parts import build_runner
from backend.channels.facts import DEFAULT_FACTS
from backend.channels.model import CUP, NUCC, ChannelAnswer
from backend.channels.ports import ChannelPort
from backend.clearing.calendar import Calendar
from backend.clearing.cut_off import CUT_OFFS, SettlementDates
from backend.cli import app
from backend.payments.by_channel import ResolvePayment
from backend.routing.limits import SILENCES_TO_OPEN
from backend.routing.model import Routing
from backend.sagas.model import Ask
from backend.sagas.ports import Word
from tests.support.channel_world import ChannelWorld
from tests.support.wallet_http import OPERATOR, client_of, services_of

pytestmark = pytest.mark.asyncio


def pay(world: ChannelWorld, minor: int = 1_000) -> str:
    answer = world.shop.pay(world.card_payer(NUCC, CUP), minor)
    assert answer["state"] == "processing"
    return str(answer["payment_id"])


def channel_of(world: ChannelWorld, payment_id: str) -> str:
    [row] = world.shop.rows(f"SELECT channel_id FROM payment WHERE payment_id = '{payment_id}'")
    return str(row["channel_id"])


def decisions(world: ChannelWorld, payment_id: str) -> list[dict[str, str]]:
    [row] = world.shop.rows(f"SELECT routing FROM payment WHERE payment_id = '{payment_id}'")
    return [
        {one["channel_id"]: one["passed_over"] for one in decision["considered"]}
        for decision in json.loads(row["routing"])
    ]


async def test_the_preferred_channel_takes_it(world: ChannelWorld) -> None:
    payment_id = pay(world)
    await world.finish()
    assert (world.state(payment_id), channel_of(world, payment_id)) == ("captured", NUCC)
    assert decisions(world, payment_id) == [{NUCC: "", CUP: ""}]
    world.check_quiet()


async def test_what_could_not_be_sent_goes_through_the_other_at_once(world: ChannelWorld) -> None:
    payment_id = pay(world)
    world.card.mishaps = ["unsent"]
    await world.runner.run_due()
    await world.runner.run_due()
    assert (world.state(payment_id), channel_of(world, payment_id)) == ("captured", CUP)
    assert decisions(world, payment_id) == [{NUCC: "", CUP: ""}, {CUP: "", NUCC: "tried"}]
    assert world.timeline(payment_id) == [
        "SagaPlanned", "SagaSent", "SagaRerouted", "SagaSent", "SagaSucceeded",
    ]  # fmt: skip
    assert world.card.book.order(payment_id) is None
    assert world.charged() == 1_000
    day = world.cup.day()
    assert world.shop.balance(f"C:CH:CUP.{day}:CNY") == 1_000
    assert world.shop.balance(f"C:CH:NUCC.{day}:CNY") == 0
    world.check_quiet()


async def test_what_is_unknown_is_settled_with_the_first_before_the_other_is_asked(
    world: ChannelWorld,
) -> None:
    """Lost on its way: asked about, reversed there, and only then sent to the other."""
    payment_id = pay(world)
    world.card.mishaps = ["late", None, "silent"]
    for _ in range(8):
        order = world.card.book.order(payment_id)
        is_undone = order is not None and order.state == "reversed"
        assert is_undone or world.cup.book.order(payment_id) is None
        await world.wait(seconds=3)
    assert (world.state(payment_id), channel_of(world, payment_id)) == ("captured", CUP)
    [late] = world.card.deliver_late()
    assert late is not None
    assert late.state == "reversed"
    assert world.charged() == 1_000
    world.check_quiet()


async def test_what_the_first_took_stays_with_it_whatever_was_lost(world: ChannelWorld) -> None:
    payment_id = pay(world)
    world.card.mishaps = ["silent"]
    await world.finish()
    assert (world.state(payment_id), channel_of(world, payment_id)) == ("captured", NUCC)
    assert world.cup.book.order(payment_id) is None
    assert world.charged() == 1_000


async def test_a_refusal_is_an_answer_and_goes_nowhere_else(world: ChannelWorld) -> None:
    payment_id = pay(world)
    world.card.refuses = 1
    await world.finish()
    assert (world.state(payment_id), channel_of(world, payment_id)) == ("declined", NUCC)
    assert world.cup.book.order(payment_id) is None
    assert not world.shop.rows("SELECT * FROM channel_health")


async def test_what_the_till_has_given_up_goes_nowhere_else(world: ChannelWorld) -> None:
    payment_id = pay(world)
    world.card.mishaps = ["lost"]
    await world.runner.run_due()
    world.shop.ask("payment.reverse", {"payment_id": payment_id})
    await world.finish()
    assert world.state(payment_id) == "reversed"
    assert world.cup.book.order(payment_id) is None
    assert world.charged() == 0
    world.check_quiet()


async def test_where_no_other_knows_the_card_it_is_sent_again_until_its_time_is_over(
    world: ChannelWorld,
) -> None:
    answer = world.shop.pay(world.card_payer(), 1_000)
    world.card.mishaps = ["unsent", "unsent"]
    for _ in range(4):
        await world.wait(seconds=3)
    assert world.state(answer["payment_id"]) == "captured"
    assert world.timeline(answer["payment_id"]).count("SagaPostponed") == 2

    never = world.shop.pay(world.card_payer(), 1_000)
    world.card.mishaps = ["unsent"] * 40
    await world.finish()
    assert world.state(never["payment_id"]) == "declined"
    assert world.charged() == 1_000
    world.check_quiet()


async def test_an_open_breaker_sends_the_next_payment_to_the_other(world: ChannelWorld) -> None:
    world.card.mishaps = ["unsent"] * SILENCES_TO_OPEN
    for _ in range(SILENCES_TO_OPEN):
        pay(world, 100)
    await world.finish()
    payment_id = pay(world)
    assert channel_of(world, payment_id) == CUP
    [decision] = decisions(world, payment_id)
    assert decision == {CUP: "", NUCC: "breaker_open"}
    await world.finish()
    world.shop.clock.at_ms += 700_000
    probe = pay(world)
    beside = pay(world)
    assert (channel_of(world, probe), channel_of(world, beside)) == (NUCC, CUP)
    await world.finish()
    assert channel_of(world, pay(world)) == NUCC


async def test_a_channel_that_cannot_be_asked_is_told_to_reverse(world: ChannelWorld) -> None:
    answer = world.shop.pay(world.card_payer(CUP), 1_000)
    payment_id = answer["payment_id"]
    assert channel_of(world, payment_id) == CUP
    world.cup.mishaps = ["silent"]
    await world.finish()
    assert world.state(payment_id) == "reversed"
    assert world.timeline(payment_id) == [
        "SagaPlanned", "SagaSent", "SagaContactLost", "SagaGivenUp", "SagaReversed",
    ]  # fmt: skip
    assert world.charged() == 0
    world.check_quiet()


async def test_a_refund_without_an_answer_is_sent_again_with_its_own_id(
    world: ChannelWorld,
) -> None:
    answer = world.shop.pay(world.card_payer(CUP), 1_000)
    await world.finish()
    assert world.shop.refund(answer["payment_id"], 400)["state"] == "processing"
    world.cup.mishaps = ["silent", "silent"]
    await world.finish()
    assert world.charged() == 600
    assert world.state(answer["payment_id"]) == "partially_refunded"
    world.check_quiet()


async def test_a_card_that_no_channel_knows_is_declined_and_the_reason_is_kept(
    world: ChannelWorld,
) -> None:
    payer_id = world.card_payer(CUP)
    small = replace(DEFAULT_FACTS[CUP], amount_minor_max=999)
    routing = Routing(facts={**DEFAULT_FACTS, CUP: small})
    world.shop.rules = replace(world.shop.rules, routing=routing)
    answer = world.shop.pay(payer_id, 1_000)
    assert (answer["state"], answer["error"]["code"]) == ("declined", "channel_unavailable")
    assert decisions(world, answer["payment_id"]) == [{CUP: "amount", NUCC: "not_known"}]


async def test_an_operator_is_told_why_and_how_the_channels_are(world: ChannelWorld) -> None:
    payment_id = pay(world)
    world.card.mishaps = ["unsent"]
    await world.finish()
    with client_of(world.shop) as http:
        told = http.get(f"/operator/v1/payments/{payment_id}", headers=OPERATOR).json()
        assert [one["channel_id"] for one in told["routing"]] == [NUCC, CUP]
        channels = http.get("/operator/v1/channels", headers=OPERATOR).json()
        assert channels["preference"]["card"] == [NUCC, CUP]
        first = channels["channels"][0]
        assert (first["channel_id"], first["health"], first["silences"]) == (NUCC, "closed", 1)
        assert "refused" in first["reason"]
        assert http.get("/operator/v1/channels").status_code == 401
    run = CliRunner()
    explained = run.invoke(app, ["routing", "explain", payment_id, "--database", world.shop.url])
    assert explained.exit_code == 0, explained.output
    assert "NUCC: tried, cost 0.000300, breaker closed" in explained.output
    health = run.invoke(app, ["routing", "health", "--database", world.shop.url])
    assert "NUCC" in health.output
    balance = world.shop.add_payer(balance_minor=100)
    paid = world.shop.pay(balance, 100)
    nothing = run.invoke(
        app, ["routing", "explain", paid["payment_id"], "--database", world.shop.url]
    )
    assert nothing.exit_code == 1


async def test_a_word_about_an_earlier_channel_comes_too_late(world: ChannelWorld) -> None:
    payment_id = pay(world)
    world.card.mishaps = ["unsent"]
    await world.runner.run_due()
    assert channel_of(world, payment_id) == CUP
    answer = ChannelAnswer(payment_id, "succeeded", "", "NUCC-1", "2026-11-23")
    word = Word(ask=Ask.SEND, answer=answer, channel_id=NUCC)
    resolve = ResolvePayment(saga_id=payment_id, word=word, rules=world.shop.rules)
    assert world.shop.do(resolve)["state"] == "planned"
    await world.finish()
    assert world.cup.book.order(payment_id) is not None
    assert world.charged() == 1_000
    world.check_quiet()


async def test_what_was_begun_with_a_former_channel_is_carried_on_by_its_heir(
    world: ChannelWorld,
) -> None:
    """Its books stay under the former channel's name."""
    payment_id = pay(world)
    with world.shop._engine.begin() as connection:
        renamed = "UPDATE saga SET channel_id = 'CARD'"
        connection.exec_driver_sql(renamed)
    await world.runner.run_due()
    assert world.sagas(payment_id) == {payment_id: "planned"}
    channels: dict[str, ChannelPort] = {**world.channels}
    heirs = build_runner(services_of(world.shop), channels, {"CARD": NUCC, "OLD": "NOBODY"})
    await heirs.run_due()
    assert world.sagas(payment_id) == {payment_id: "succeeded"}
    assert world.charged() == 1_000
    assert world.shop.balance(f"C:CH:CARD.{world.card.day()}:CNY") == 1_000
    assert world.shop.verify().is_whole


async def test_the_hold_is_made_for_the_day_that_the_channel_is_in(world: ChannelWorld) -> None:
    """After UnionPay's cut-off it is the next one."""
    dates = SettlementDates(Calendar(), CUT_OFFS)
    world.shop.rules = replace(world.shop.rules, settlement_date=dates.planned)
    world.shop.clock.at_ms += (11 * 60 + 30) * 60_000  # 23:30 in China
    world.shop.pay(world.card_payer(CUP), 1_000)
    [saga] = world.shop.rows("SELECT * FROM saga WHERE kind = 'pay'")
    assert saga["planned_date"] == "2026-11-24"
    await world.finish()
    assert world.shop.balance("C:CH:CUP.2026-11-24:CNY") == 1_000
    assert not world.shop.rows("SELECT * FROM ledger_transfer WHERE kind = 'void'")
    world.check_quiet()
