"""A payment between two shards: charged, credited or given back; once, and provably."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from backend.db.command import Command
from backend.ledger.rules import Event, top_up
from backend.shards import service
from backend.shards.model import Refusal
from backend.shards.relay import Relay
from backend.shards.service import Settle, receive
from protocol.errors import CallerError, OperatingError
from tests.support.books import DATE, Post
from tests.support.shards import Shards, Shops, open_shards, order

ANN, BOB = "usr_0", "usr_1"  # on shards 0 and 2
HERE, THERE, CLOSED = "mch_4", "mch_1", "mch_2"  # on shards 0, 2 and 2
FUNDS = 50_000


@pytest.fixture
def shards(urls: list[str]) -> Iterator[Shards]:
    with open_shards(urls, shops=Shops(frozenset({CLOSED}))) as shards:
        shards.fund(ANN, FUNDS)
        shards.fund(BOB, FUNDS)
        yield shards
        report = shards.report()
        assert report.breaks == []
        assert [shard.breaks for shard in report.shards] == [[], [], []]


def test_the_payer_is_charged_at_once_and_the_merchant_credited_by_the_relay(
    shards: Shards,
) -> None:
    paid = order("pay_1", ANN, THERE)
    shards.pay(paid)
    assert (shards.balance(ANN), shards.balance(THERE, "MPEND")) == (FUNDS - 1_000, 0)
    assert shards.stage(paid) == "charged"
    assert shards.report().under_way_minor == {"CNY": 1_000}
    asyncio.run(shards.carry())
    assert (shards.balance(ANN), shards.balance(THERE, "MPEND")) == (FUNDS - 1_000, 994)
    assert shards.stage(paid) == "credited"
    assert shards.report().under_way_minor == {}


def test_a_payment_at_home_crosses_nothing(shards: Shards) -> None:
    assert shards.pay(order("pay_1", ANN, HERE)) is True
    assert shards.balance(HERE, "MPEND") == 994
    assert shards.report().crossings == 0


def test_a_repetition_gets_the_first_crossing_and_other_content_is_a_conflict(
    shards: Shards,
) -> None:
    paid = order("pay_1", ANN, THERE)
    first = shards.pay(paid)
    assert shards.pay(paid) == first
    asyncio.run(shards.carry())
    assert shards.pay(paid) == first
    for other in (replace(paid, amount_minor=1_001), replace(paid, owner=CLOSED)):
        with pytest.raises(CallerError, match="idempotency_conflict"):
            shards.pay(other)
    asyncio.run(shards.carry())
    assert shards.balance(ANN) == FUNDS - 1_000


def test_a_refused_payment_gives_the_money_back(shards: Shards) -> None:
    refused = order("pay_1", ANN, CLOSED)
    shards.pay(refused)
    assert shards.balance(ANN) == FUNDS - 1_000
    asyncio.run(shards.carry())
    assert shards.stage(refused) == "returned"
    assert (shards.balance(ANN), shards.balance(CLOSED, "MPEND")) == (FUNDS, 0)


def test_an_id_that_the_merchant_s_shard_used_for_another_payer_comes_back(shards: Shards) -> None:
    """The same payment id with another payer lands on another payer's shard, which cannot know:
    the merchant's shard is the one where they meet."""
    shards.pay(order("pay_1", BOB, THERE))
    again = order("pay_1", ANN, THERE)
    shards.pay(again)
    asyncio.run(shards.carry())
    assert shards.stage(again) == "returned"
    assert (shards.balance(ANN), shards.balance(BOB)) == (FUNDS, FUNDS - 1_000)
    assert shards.balance(THERE, "MPEND") == 994


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount_minor": FUNDS + 1}, "insufficient_balance"),
        ({"fee_minor": 1_001}, "amount_invalid"),
        ({"currency": "XXX"}, "account_unknown"),
        ({"details": "x" * 10_000}, "field_invalid"),
    ],
)
def test_what_the_other_side_would_refuse_is_refused_before_the_charge(
    shards: Shards, wrong: dict[str, object], code: str
) -> None:
    with pytest.raises(CallerError, match=code):
        shards.pay(replace(order("pay_1", ANN, THERE), **wrong))  # type: ignore[arg-type]
    assert shards.balance(ANN) == FUNDS
    assert shards.stage(order("pay_1", ANN, THERE)) is None


def test_when_too_much_is_under_way_the_payer_is_not_charged(
    shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "CROSSINGS_UNDER_WAY_MAX", 2)
    for number in range(2):
        shards.pay(order(f"pay_{number}", ANN, THERE))
    with pytest.raises(OperatingError, match="busy"):
        shards.pay(order("pay_2", ANN, THERE))
    asyncio.run(shards.carry())
    shards.pay(order("pay_2", ANN, THERE))


def test_no_shard_posts_to_another_s_account(shards: Shards) -> None:
    astray = top_up(
        Event("top_1", "CNY", DATE), user_id=ANN, channel_id="NUCC", settlement_date=DATE,
        amount_minor=1,
    )  # fmt: skip
    with pytest.raises(OperatingError, match="internal"):
        shards.home(BOB).writer.apply([Post(astray)])[0].value()
    assert shards.balance(ANN) == FUNDS


def test_the_caller_waits_until_the_merchant_is_credited(shards: Shards) -> None:
    async def pay(paid_id: str, owner: str) -> None:
        crossing = shards.pay(order(paid_id, ANN, owner))
        relay = shards.home(ANN).relay
        waiting = asyncio.create_task(relay.ended(crossing))
        await asyncio.sleep(0)
        assert not waiting.done()
        await shards.carry()
        await waiting
        await relay.ended(crossing)  # and anybody who asks later

    asyncio.run(pay("pay_1", THERE))
    for asked in range(2):
        with pytest.raises(CallerError, match="merchant_unknown"):
            asyncio.run(pay(f"pay_2{asked}", CLOSED))


def test_who_asks_after_the_end_is_told_why_it_was_refused(shards: Shards) -> None:
    crossing = shards.pay(order("pay_1", ANN, CLOSED))
    asyncio.run(shards.carry())
    with pytest.raises(CallerError, match="merchant_unknown"):
        asyncio.run(shards.home(ANN).relay.ended(crossing))


def test_what_is_carried_twice_counts_once(shards: Shards) -> None:
    """Two relays of one shard, or one that did not hear that its commit had succeeded."""
    ann, there = shards.home(ANN), shards.home(THERE)
    crossings = [shards.pay(order("pay_1", ANN, THERE)), shards.pay(order("pay_2", ANN, CLOSED))]
    for _ in range(2):
        arriving = receive(Shops(frozenset({CLOSED})), ann.place.number, crossings)
        assert there.writer.apply([arriving])[0].value() == 2
    refused = Refusal(2, "pay_2", "merchant_unknown")
    for _ in range(2):
        settling = Settle(there.place.number, 2, (refused,))
        assert ann.writer.apply([settling])[0].value() == 2
    assert (shards.balance(ANN), shards.balance(THERE, "MPEND")) == (FUNDS - 1_000, 994)


def test_a_lane_takes_no_crossing_before_the_one_that_is_missing(shards: Shards) -> None:
    shards.pay(order("pay_1", ANN, THERE))
    second = shards.pay(order("pay_2", ANN, THERE))
    early = receive(Shops(), shards.home(ANN).place.number, [second])
    with pytest.raises(OperatingError, match="gap"):
        shards.home(THERE).writer.apply([early])[0].value()


def test_a_relay_does_not_take_another_shard_for_its_peer(shards: Shards) -> None:
    first, second, third = shards.all[0].asked

    async def read(question: Callable[[], Any]) -> Any:
        return question()

    relay = Relay(
        shards.all[0].place, submit=_never, run_read=read, own=first, payee=Shops(),
        peers={1: third, 2: second},
    )  # fmt: skip
    with pytest.raises(OperatingError, match="another shard"):
        asyncio.run(relay.step())


async def _never(_command: Command) -> None:
    raise AssertionError


def test_a_database_that_was_put_back_is_noticed(urls: list[str]) -> None:
    """A backup of the payer's shard, older than what the payee's shard has credited."""
    with open_shards(urls) as shards:
        shards.fund(ANN, FUNDS)
        shards.pay(order("pay_1", ANN, THERE))
    file = urls[0].removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as connection:
        backup = connection.serialize()
    with open_shards(urls) as shards:
        shards.pay(order("pay_2", ANN, THERE))
        asyncio.run(shards.carry())
    for left in ("", "-wal", "-shm"):
        Path(file + left).unlink(missing_ok=True)
    Path(file).write_bytes(backup)
    with open_shards(urls) as shards:
        with pytest.raises(OperatingError, match="restored"):
            asyncio.run(shards.carry())
        assert not shards.report().is_whole


def test_what_a_peer_claims_to_have_and_we_never_sent_settles_nothing(shards: Shards) -> None:
    with pytest.raises(OperatingError, match="internal"):
        shards.home(ANN).writer.apply([Settle(2, 1, ())])[0].value()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE shard_crossing SET amount_minor = amount_minor + 1",
        "UPDATE shard_crossing SET owner = 'mch_2'",
        "DELETE FROM shard_crossing WHERE seq = 1",
        "UPDATE shard_lane SET received_seq = received_seq - 1 WHERE received_seq > 0",
        "UPDATE shard_lane SET sent_seq = sent_seq + 1 WHERE sent_seq > 0",
        "DELETE FROM shard_lane",
        "INSERT INTO shard_refusal VALUES (0, 1, 'pay_1', 'merchant_unknown', 0)",
        "UPDATE shard_place SET epoch = 2",
    ],
)
def test_a_changed_crossing_lane_or_place_is_found(urls: list[str], change: str) -> None:
    with open_shards(urls) as shards:
        shards.fund(ANN, FUNDS)
        shards.pay(order("pay_1", ANN, THERE))
        shards.pay(order("pay_2", ANN, THERE))
        asyncio.run(shards.carry())
        assert shards.report().is_whole
        number = 2 if "received" in change or "refusal" in change else 0
        with shards.all[number].engine.connect() as connection:
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER shard_crossing_no_{verb}")
            connection.exec_driver_sql(change)
            connection.commit()
        report = shards.report()
        assert report.breaks
        assert all(shard.is_whole for shard in report.shards)


def test_a_crossing_cannot_be_changed_while_the_guards_stand(shards: Shards) -> None:
    shards.pay(order("pay_1", ANN, THERE))
    with shards.home(ANN).engine.connect() as connection:
        for change in (
            "UPDATE shard_crossing SET amount_minor = 1",
            "DELETE FROM shard_crossing",
            (
                "INSERT OR REPLACE INTO shard_crossing SELECT 'pay_2', peer, seq, user_id,"
                " owner, 1, 0, currency, business_date, details, at_ms FROM shard_crossing"
            ),
        ):
            with pytest.raises(DBAPIError, match="append-only"):
                connection.exec_driver_sql(change)
