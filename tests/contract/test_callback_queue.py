"""What both queues of callbacks promise: the one in the database and the one in RabbitMQ."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from backend.notify import rabbit_queue
from backend.notify.limits import (
    CALLBACK_LEASE_MS,
    CALLBACK_QUEUED_MS_MAX,
    CALLBACKS_PER_MERCHANT_MAX,
)
from backend.notify.model import Tried
from backend.notify.service import ReplayCallback
from tests.kit.patience import PATIENCE_S
from tests.support.callback_world import GAPS_MS, Queues, Taker, until
from tests.support.callbacks import PutCallback
from tests.support.migrated import migrated_sqlite
from tests.support.rabbitmq import Broker
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop

pytestmark = pytest.mark.asyncio
_numbers = count(1)
_RABBITMQ = pytest.param(
    "rabbitmq", marks=[pytest.mark.rabbitmq, pytest.mark.xdist_group("rabbitmq")]
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    url = migrated_sqlite(tmp_path / "backend.db")
    shop = Shop(url)
    yield shop
    shop.close()


@pytest.fixture(params=["database", _RABBITMQ])
def queues(request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Queues:
    monkeypatch.setattr(rabbit_queue, "QUEUE_AGAIN_S", 0.1)
    url = None
    if request.param == "rabbitmq":
        url = request.getfixturevalue("rabbitmq_broker").url
    return Queues(shop, url, f"contract{next(_numbers)}")


async def test_a_committed_callback_is_taken_once_and_delivered(queues: Queues) -> None:
    async with queues.taker() as taker:
        put = queues.shop.do(PutCallback(number=1))
        taker.queue.wake()
        assert await taker.take_one() == put
        assert await taker.queue.take({}) == []
        await taker.queue.note_delivered(put, Tried())
        assert queues.states() == ["delivered"]


async def test_a_failed_one_comes_after_its_gap_and_after_the_last_is_dead(queues: Queues) -> None:
    shop = queues.shop
    async with queues.taker() as taker:
        put = shop.do(PutCallback(number=1))
        taker.queue.wake()
        for gap_ms in GAPS_MS:
            assert await taker.take_one() == put
            assert await taker.queue.note_failed(put, Tried("status 500")) == "pending"
            shop.clock.at_ms += gap_ms - 1
            assert await taker.queue.take({}) == []
            shop.clock.at_ms += 1
        assert await taker.take_one() == put
        assert await taker.queue.note_failed(put, Tried("status 500")) == "dead"
        assert await taker.queue.take({}) == []
        shop.do(ReplayCallback(callback_id=put, actor="me"))
        taker.queue.wake()
        assert await taker.take_one() == put
        await taker.queue.note_delivered(put, Tried())
    tries = shop.rows("SELECT outcome FROM outbox_try ORDER BY number")
    assert [one["outcome"] for one in tries] == ["failed", "failed", "failed", "replayed"]
    assert queues.states() == ["delivered"]


async def test_a_merchant_with_many_callbacks_gets_few_slots_and_others_theirs(
    queues: Queues,
) -> None:
    shop = queues.shop
    for number in range(12):
        shop.do(PutCallback(number=number))
    shop.do(PutCallback(number=99, merchant_id=OTHER_MERCHANT))
    async with queues.taker() as taker:
        taken: Counter[str] = Counter()
        while OTHER_MERCHANT not in taken:
            taken.update(row["merchant_id"] for row in await taker.take(taken))
        assert taken == {MERCHANT: CALLBACKS_PER_MERCHANT_MAX, OTHER_MERCHANT: 1}
        assert await taker.queue.take(taken) == []


async def test_every_callback_of_a_burst_is_delivered_once(queues: Queues) -> None:
    wanted = {queues.shop.do(PutCallback(number=number)) for number in range(30)}
    told: Counter[str] = Counter()
    async with queues.taker() as taker:
        while set(told) != wanted:
            for row in await taker.take():
                told[row["callback_id"]] += 1
                await taker.queue.note_delivered(row["callback_id"], Tried())
            queues.shop.clock.at_ms += 1_000
    assert set(told.values()) == {1}


async def test_what_a_dead_taker_had_is_taken_by_another_after_its_lease(queues: Queues) -> None:
    put = queues.shop.do(PutCallback(number=1))
    async with queues.taker() as taker:
        assert await taker.take_one() == put
        await taker.die()
    async with queues.taker() as other:
        assert await other.queue.take({}) == []
        queues.shop.clock.at_ms += CALLBACK_LEASE_MS
        other.queue.wake()
        assert await other.take_one() == put


async def test_two_takers_do_not_take_the_same(queues: Queues) -> None:
    wanted = [queues.shop.do(PutCallback(number=n, merchant_id=f"mch_{n}")) for n in range(20)]
    async with queues.taker() as one, queues.taker() as other:
        taken: list[str] = []

        async def work(taker: Taker) -> None:
            while len(taken) < len(wanted):
                for row in await taker.queue.take({}):
                    taken.append(row["callback_id"])
                await asyncio.sleep(0)

        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(work(one))
            tasks.create_task(work(other))
    assert sorted(taken) == sorted(wanted)


@pytest.mark.rabbitmq
@pytest.mark.xdist_group("rabbitmq")
async def test_going_from_one_queue_to_the_other_loses_nothing(
    shop: Shop, rabbitmq_broker: Broker
) -> None:
    queues = Queues(shop, rabbitmq_broker.url, "switch")
    put = shop.do(PutCallback(number=1))
    async with queues.taker():
        await until(lambda: queues.states() == ["queued"])
    async with queues.taker(is_embedded=True) as embedded:
        assert await embedded.queue.take({}) == []
        shop.clock.at_ms += CALLBACK_QUEUED_MS_MAX
        assert await embedded.take_one() == put
        assert await embedded.queue.note_failed(put, Tried("timeout")) == "pending"
    shop.clock.at_ms += GAPS_MS[0]
    async with queues.taker() as taker:
        assert await taker.take_one() == put
        await taker.queue.note_delivered(put, Tried())
        await until(lambda: queues.states() == ["delivered"])
