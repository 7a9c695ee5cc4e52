"""The adapter and the switch over a real TCP line, with every fault."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio

from backend.channels.model import PayOrder, RefundOrder
from backend.channels.ports import NotSentError
from backend.channels.unionpay_line import Line
from backend.sandbox.institution.signed import deliver_late
from protocol.errors import CallerError, OperatingError
from protocol.money import Money
from tests.support.iso8583_messages import TID
from tests.support.shop import START_MS
from tests.support.unionpay_world import (
    OPENING_MINOR,
    TOKEN,
    UnionPayWorld,
    adapter_of,
    unionpay_world,
)

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[UnionPayWorld]:
    async with unionpay_world(tmp_path) as world:
        yield world


def an_order(number: int = 1, amount_minor: int = 1_000) -> PayOrder:
    return PayOrder(f"pay_{number:026d}", TOKEN, Money(amount_minor, "CNY"), START_MS)


def a_refund(order: PayOrder, number: int = 1, amount_minor: int = 400) -> RefundOrder:
    return RefundOrder(
        f"rfd_{number:026d}", order.order_id, Money(amount_minor, "CNY"), at_ms=START_MS
    )


async def test_a_payment_signs_on_by_itself_and_is_answered(world: UnionPayWorld) -> None:
    answer = await world.adapter.pay(an_order())
    assert (answer.state, answer.settlement_date) == ("succeeded", "2026-11-23")
    assert len(answer.reference) == 12
    assert await world.adapter.pay(an_order()) == answer
    assert world.left_minor() == OPENING_MINOR - 1_000


async def test_many_orders_at_once_get_each_its_own_answer(world: UnionPayWorld) -> None:
    orders = [an_order(number, 100 + number) for number in range(1, 33)]
    answers = await asyncio.gather(*(world.adapter.pay(order) for order in orders))
    assert [answer.order_id for answer in answers] == [order.order_id for order in orders]
    assert {answer.state for answer in answers} == {"succeeded"}
    assert len({answer.reference for answer in answers}) == 32
    assert world.left_minor() == OPENING_MINOR - sum(100 + n for n in range(1, 33))


async def test_a_lost_answer_is_unknown_and_the_same_bytes_get_it(world: UnionPayWorld) -> None:
    await world.adapter.echo()
    world.arm(drop_answer_after_commit=1)
    with pytest.raises(OperatingError, match="timeout"):
        await world.adapter.pay(an_order())
    assert (await world.adapter.pay(an_order())).state == "succeeded"
    assert world.left_minor() == OPENING_MINOR - 1_000


async def test_what_the_switch_did_twice_moved_once(world: UnionPayWorld) -> None:
    world.arm(duplicate=1)
    assert (await world.adapter.pay(an_order())).state == "succeeded"
    assert world.left_minor() == OPENING_MINOR - 1_000


async def test_a_late_order_whose_reversal_came_first_takes_nothing(world: UnionPayWorld) -> None:
    world.arm(arrive_late=1)
    with pytest.raises(OperatingError):
        await world.adapter.pay(an_order())
    assert (await world.adapter.reverse(an_order())).state == "reversed"
    assert await deliver_late(world.switch.house) == 1
    assert (await world.adapter.pay(an_order())).state == "reversed"
    assert world.left_minor() == OPENING_MINOR


async def test_an_answer_with_a_bad_mac_counts_for_nothing(world: UnionPayWorld) -> None:
    await world.adapter.echo()
    world.arm(bad_signature=1)
    with pytest.raises(OperatingError, match="mac_invalid"):
        await world.adapter.pay(an_order())
    assert world.left_minor() == OPENING_MINOR - 1_000
    assert (await world.adapter.reverse(an_order())).state == "reversed"
    assert world.left_minor() == OPENING_MINOR


async def test_an_unknown_status_stays_unknown_until_it_is_reversed(world: UnionPayWorld) -> None:
    world.arm(unknown_status=1)
    with pytest.raises(OperatingError, match="says 96"):
        await world.adapter.pay(an_order())
    assert (await world.adapter.reverse(an_order())).state == "reversed"
    assert world.left_minor() == OPENING_MINOR


async def test_a_line_that_is_cut_is_made_again(world: UnionPayWorld) -> None:
    await world.adapter.echo()
    world.arm(be_down=1)
    with pytest.raises(OperatingError):
        await world.adapter.pay(an_order())
    assert (await world.adapter.pay(an_order())).state == "succeeded"


async def test_a_slow_switch_is_not_waited_for_without_end(world: UnionPayWorld) -> None:
    await world.adapter.echo()
    world.arm(be_slow=1)
    with pytest.raises(OperatingError, match="timeout"):
        await world.adapter.pay(an_order())
    other = await world.adapter.pay(an_order(2))
    assert other.state == "succeeded"


async def test_past_the_cut_off_is_the_next_day(world: UnionPayWorld) -> None:
    world.arm(delay_past_cutoff=1)
    assert (await world.adapter.pay(an_order())).settlement_date == "2026-11-24"
    assert (await world.adapter.pay(an_order(2))).settlement_date == "2026-11-23"


async def test_the_day_ends_at_23_in_china(world: UnionPayWorld) -> None:
    world.shop.clock.at_ms = START_MS + 11 * 3_600_000 - 1  # 22:59:59 in China
    assert (await world.adapter.pay(an_order())).settlement_date == "2026-11-23"
    world.shop.clock.at_ms += 1
    assert (await world.adapter.pay(an_order(2))).settlement_date == "2026-11-24"


async def test_a_switch_that_forgot_our_session_makes_us_sign_on_again(
    world: UnionPayWorld,
) -> None:
    await world.adapter.echo()
    world.switch.house.books.db.execute("DELETE FROM cup_session")
    assert (await world.adapter.pay(an_order())).state == "succeeded"
    await world.adapter.sign_off()
    assert (await world.adapter.pay(an_order(2))).state == "succeeded"


async def test_another_process_that_signed_on_makes_us_sign_on_again(world: UnionPayWorld) -> None:
    other = adapter_of(world.shop, world.port, timeout_ms=world.timeout_ms)
    await world.adapter.echo()
    await other.echo()
    assert (await world.adapter.pay(an_order())).state == "succeeded"
    await other.close()


async def test_after_a_restart_a_reversal_names_its_original(world: UnionPayWorld) -> None:
    world.arm(drop_answer_after_commit=1)
    with pytest.raises(OperatingError):
        await world.adapter.pay(an_order())
    await world.restart()
    assert (await world.adapter.reverse(an_order())).state == "reversed"
    assert world.left_minor() == OPENING_MINOR


async def test_killed_between_storing_and_sending_the_number_is_used_once(
    world: UnionPayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.adapter.echo()

    class KilledError(Exception):
        """The process ends here."""

    async def die(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(Line, "ask", die)
        with pytest.raises(KilledError):
            await world.adapter.pay(an_order())
    stored = world.shop.rows("SELECT batch, stan, local_date FROM unionpay_trace")
    await world.restart()
    assert (await world.adapter.pay(an_order(2))).state == "succeeded"
    assert (await world.adapter.pay(an_order())).state == "succeeded"
    row = world.shop.rows("SELECT * FROM unionpay_trace ORDER BY stan")[0]
    assert {name: row[name] for name in stored[0]} == stored[0]
    told = world.switch.traces.by_own_id(an_order().order_id)
    assert told is not None
    assert (told.batch, told.stan) == (row["batch"], row["stan"])


async def test_after_a_cut_session_and_answers_are_as_before(
    world: UnionPayWorld,
) -> None:
    first = await world.adapter.pay(an_order())
    await world.lines.close()
    with suppress(OperatingError):  # unless the line's end has been noticed
        await world.adapter.pay(an_order())
    assert await world.adapter.pay(an_order()) == first


async def test_nobody_listening_means_that_nothing_was_sent(world: UnionPayWorld) -> None:
    adapter = adapter_of(world.shop, 1, timeout_ms=300)
    with pytest.raises(NotSentError):
        await adapter.pay(an_order())
    with pytest.raises(OperatingError) as second:  # of a second try nobody knows any more
        await adapter.pay(an_order())
    assert not isinstance(second.value, NotSentError)
    await adapter.close()


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (an_order(amount_minor=OPENING_MINOR + 1), "AM04"),
        (replace(an_order(), token="tok_of_nobody"), "AC01"),
    ],
)
async def test_an_issuer_that_says_no_gives_a_reason(
    world: UnionPayWorld, order: PayOrder, reason: str
) -> None:
    answer = await world.adapter.pay(order)
    assert (answer.state, answer.reason) == ("refused", reason)
    assert world.left_minor() == OPENING_MINOR


async def test_other_content_under_the_same_id_is_not_sent(world: UnionPayWorld) -> None:
    await world.adapter.pay(an_order())
    with pytest.raises(OperatingError, match="idempotency_conflict"):
        await world.adapter.pay(an_order(amount_minor=1_001))
    assert world.left_minor() == OPENING_MINOR - 1_000


async def test_refunds_sum_to_the_payment_at_most(world: UnionPayWorld) -> None:
    await world.adapter.pay(an_order())
    first = a_refund(an_order(), 1, 600)
    answer = await world.adapter.refund(first)
    assert answer.state == "succeeded"
    assert await world.adapter.refund(first) == answer
    refused = await world.adapter.refund(a_refund(an_order(), 2, 401))
    assert (refused.state, refused.reason) == ("refused", "above the original's amount")
    assert (await world.adapter.refund(a_refund(an_order(), 3, 400))).state == "succeeded"
    assert world.left_minor() == OPENING_MINOR


async def test_a_settled_payment_is_not_reversed_but_refunded(world: UnionPayWorld) -> None:
    paid = await world.adapter.pay(an_order())
    world.next_day()
    answer = await world.adapter.reverse(an_order())
    assert (answer.state, answer.settlement_date) == ("refused", paid.settlement_date)
    assert (await world.adapter.refund(a_refund(an_order()))).state == "succeeded"
    assert world.left_minor() == OPENING_MINOR - 600


async def test_a_refund_of_what_was_never_sent_is_unknown(world: UnionPayWorld) -> None:
    with pytest.raises(OperatingError):
        await world.adapter.refund(a_refund(an_order()))


async def test_a_batch_that_agrees_is_closed_and_the_next_begins(world: UnionPayWorld) -> None:
    await world.adapter.pay(an_order())
    await world.adapter.pay(an_order(2))
    await world.adapter.reverse(an_order(2))
    await world.adapter.refund(a_refund(an_order()))
    with pytest.raises(CallerError, match="day_not_closed"):
        await world.adapter.settle(date(2026, 11, 23))
    world.next_day()
    await world.adapter.settle(date(2026, 11, 23))
    assert world.switch.traces.batch(TID, 1) == ("1", 0)
    terminal = world.shop.rows("SELECT batch, settled_batch FROM unionpay_terminal")
    assert terminal == [{"batch": 2, "settled_batch": 1}]
    order = world.switch.outbox.find("STL-CUP-20261123")
    assert order is not None
    assert (order.amount.amount_minor, order.creditor) == (600, "RESERVE-TILLWAY")


async def test_a_batch_that_differs_is_told_one_by_one(world: UnionPayWorld) -> None:
    for number in range(1, 19):
        await world.adapter.pay(an_order(number, 100))
    world.arm(drop_answer_after_commit=1)
    with pytest.raises(OperatingError):
        await world.adapter.pay(an_order(20, 500))
    world.next_day()
    await world.adapter.settle(date(2026, 11, 23))
    assert world.switch.traces.batch(TID, 1) == ("2", 18)


async def test_every_batch_of_a_busy_day_is_compared(world: UnionPayWorld) -> None:
    await world.adapter.pay(an_order(1))
    with world.shop._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE unionpay_terminal SET next_stan = 999")
    await world.adapter.pay(an_order(2))
    await world.adapter.pay(an_order(3))
    world.next_day()
    await world.adapter.settle(date(2026, 11, 23))
    assert [world.switch.traces.batch(TID, number) for number in (1, 2)] == [("1", 0), ("1", 0)]


async def test_a_day_of_more_refunds_than_payments_is_asked_of_our_reserve(
    world: UnionPayWorld,
) -> None:
    await world.adapter.pay(an_order())
    world.next_day()
    await world.adapter.refund(a_refund(an_order()))
    world.next_day()
    order = world.switch.outbox.find("STL-CUP-20261124")
    assert order is not None
    assert (order.debtor, order.amount.amount_minor) == ("RESERVE-TILLWAY", 400)


async def test_the_channel_offers_no_query_and_no_payout(world: UnionPayWorld) -> None:
    with pytest.raises(CallerError, match="channel_unavailable"):
        await world.adapter.query(an_order())


async def test_a_line_on_which_nothing_comes_is_given_up_and_made_again(
    world: UnionPayWorld,
) -> None:
    lines: list[asyncio.StreamWriter] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(writer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    adapter = adapter_of(world.shop, server.sockets[0].getsockname()[1], timeout_ms=50)
    for _ in range(2):
        with pytest.raises(OperatingError):
            await adapter.pay(an_order())
    assert len(lines) == 2
    await adapter.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "garbage", [b"\x00\x00", b"\xff\xff", b"\x00\x20" + bytes(32), b"GET / HTTP/1.1\r\n\r\n"]
)
async def test_garbage_ends_its_own_line_and_no_other(world: UnionPayWorld, garbage: bytes) -> None:
    await world.adapter.echo()
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(garbage)
    assert await reader.read() == b""
    writer.close()
    assert (await world.adapter.pay(an_order())).state == "succeeded"
