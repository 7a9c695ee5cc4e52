"""Callbacks through a real RabbitMQ: killed brokers, killed relays, rubbish in the queue."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiohttp import web
from structlog.testing import capture_logs

from backend.merchants.service import ChangeMerchant
from backend.notify import rabbit_queue
from backend.notify.deliverer import CallbackDeliverer
from backend.notify.limits import (
    CALLBACK_ASIDE_MS,
    CALLBACK_GAPS_MS,
    CALLBACK_LEASE_MS,
    CALLBACKS_PER_MERCHANT_MAX,
    QUEUE_MESSAGE_BYTES_MAX,
    QUEUE_WAITING_PER_MERCHANT_MAX,
)
from backend.notify.model import Tried, is_genuine
from backend.notify.rabbit_topology import Topology
from backend.notify.service import NoteQueued, ReplayCallback
from protocol.crypto.keys import generate
from protocol.errors import OperatingError
from tests.kit.patience import PATIENCE_S
from tests.support.backend import initialised, make_backend
from tests.support.callback_world import GAPS_MS, Queues, until
from tests.support.callbacks import PutCallback
from tests.support.migrated import migrated_sqlite
from tests.support.rabbitmq import Broker
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop
from tests.support.wallet_http import CountingEntropy, services_of

pytestmark = [pytest.mark.asyncio, pytest.mark.rabbitmq, pytest.mark.xdist_group("rabbitmq")]
_numbers = count(1)
HANGS = "https://hangs.example/"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    url = migrated_sqlite(tmp_path / "backend.db")
    shop = Shop(url)
    shop.add_merchant()
    yield shop
    shop.close()


@pytest.fixture
def queues(shop: Shop, rabbitmq_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Queues:
    monkeypatch.setattr(rabbit_queue, "QUEUE_AGAIN_S", 0.1)
    return Queues(shop, rabbitmq_broker.url, f"test{next(_numbers)}")


class FakeSender:
    """A merchant's server that takes what it gets, unless the test says otherwise."""

    def __init__(self, error: str = "") -> None:
        self.error = error
        self.told: list[str] = []

    async def send(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        is_taken: Callable[[bytes], bool] | None = None,
    ) -> Tried:
        self.told.append(json.loads(body)["id"])
        if url == HANGS:
            await asyncio.Event().wait()
        return Tried(self.error)


@asynccontextmanager
async def delivering(queues: Queues, sender: FakeSender) -> AsyncIterator[CallbackDeliverer]:
    deliverer = CallbackDeliverer(
        queue=queues.make(),
        sender=sender,
        signing_key=generate("Ed25519"),
        clock=queues.shop.clock,
        entropy=CountingEntropy(),
        metrics=queues.metrics,
    )
    task = asyncio.create_task(deliverer.run())
    try:
        yield deliverer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def looking_in(queues: Queues) -> AsyncIterator[AbstractChannel]:
    """A channel of the test's own, with the topology declared."""
    assert queues.broker_url is not None
    async with await aio_pika.connect(queues.broker_url) as connection:
        channel = await connection.channel()
        await Topology(queues.prefix, GAPS_MS).declare(channel)
        yield channel


@contextmanager
def broken(broker: Broker) -> Iterator[None]:
    """The broker is killed; in the end it runs again, for those who come after."""
    broker.kill()
    try:
        yield
    finally:
        if not broker.is_running:
            broker.start()


async def spy_on(channel: AbstractChannel, queues: Queues) -> list[AbstractIncomingMessage]:
    """A copy of everything that the relay puts in from now on."""
    seen: list[AbstractIncomingMessage] = []
    spy = await channel.declare_queue(exclusive=True)
    await spy.bind(f"{queues.prefix}.callbacks", "work")

    async def see(message: AbstractIncomingMessage) -> None:
        seen.append(message)

    await spy.consume(see, no_ack=True)
    return seen


async def buried(channel: AbstractChannel, queues: Queues, wanted: int) -> list[bytes]:
    """The bodies of that many dead messages."""
    dead = await channel.get_queue(f"{queues.prefix}.callbacks.dead")
    found: list[bytes] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < wanted:
            message = await dead.get(fail=False, no_ack=True)
            if message is not None:
                found.append(message.body)
            await asyncio.sleep(0.01)
    return found


async def test_a_callback_goes_by_the_broker_and_only_its_name_does(queues: Queues) -> None:
    sender = FakeSender()
    async with looking_in(queues) as channel:
        seen = await spy_on(channel, queues)
        put = queues.shop.do(PutCallback(number=1, resource={"payer_masked": "李*"}))
        async with delivering(queues, sender):
            await until(lambda: queues.states() == ["delivered"])
            assert b"queue_linked 1.0" in queues.metrics.render()
        assert b"queue_linked 0.0" in queues.metrics.render()
        await until(lambda: seen)
    [message] = seen
    assert message.message_id == put
    assert json.loads(message.body) == {
        "callback_id": put, "merchant_id": MERCHANT, "failed_tries": 0,
    }  # fmt: skip
    assert sender.told == [put]


@pytest.mark.parametrize("is_killed", [False, True], ids=["database fails", "relay killed"])
async def test_between_confirm_and_mark_nothing_is_lost_and_a_copy_has_the_same_id(
    queues: Queues, is_killed: bool
) -> None:
    shop, writer = queues.shop, services_of(queues.shop).submit
    reached = asyncio.Event()

    async def failing(command: Any) -> Any:
        if isinstance(command, NoteQueued):
            reached.set()
            if is_killed:
                await asyncio.Event().wait()
            raise OperatingError("busy")
        return await writer(command)

    put = shop.do(PutCallback(number=1))
    async with looking_in(queues) as channel:
        seen = await spy_on(channel, queues)
        queues.submit = failing
        async with queues.taker():
            await asyncio.wait_for(reached.wait(), PATIENCE_S)
        assert queues.states() == ["pending"]
        queues.submit = None
        async with queues.taker():
            await until(lambda: queues.states() == ["queued"])
        sender = FakeSender()
        async with delivering(queues, sender):
            await until(lambda: queues.states() == ["delivered"])
            await until(lambda: len(seen) >= 2)
        assert {message.message_id for message in seen} == {put}
        assert sender.told == [put]
        work = await channel.get_queue(f"{queues.prefix}.callbacks")
        assert await work.get(fail=False, no_ack=True) is None, "copies were used up"


async def test_a_killed_broker_loses_nothing_and_payments_go_on(
    queues: Queues, rabbitmq_broker: Broker
) -> None:
    """The clock stands still: no promise runs out, so what comes after was kept by the broker."""
    shop, sender = queues.shop, FakeSender(error="status 503")
    queues.gaps_ms = (6_000,)
    shop.do(ChangeMerchant(merchant_id=MERCHANT, notify_url="https://shop.example/notify"))
    payer = shop.add_payer(balance_minor=1_000)
    early = [shop.do(PutCallback(number=n, merchant_id=f"mch_{n}")) for n in range(20)]
    async with delivering(queues, sender) as deliverer:
        await until(lambda: len(sender.told) == len(early))
        sender.error = ""
        await until(lambda: set(queues.states()) == {"queued"})
        with broken(rabbitmq_broker), capture_logs() as logs:
            assert shop.pay(payer, 500)["state"] == "captured"
            deliverer.wake()
            await until(lambda: any(log["event"] == "callback_queue_away" for log in logs))
            assert sorted(queues.states()) == ["pending"] + ["queued"] * len(early)
            await asyncio.to_thread(rabbitmq_broker.start)
            await until(lambda: set(queues.states()) == {"delivered"})
    [paid] = set(sender.told) - set(early)
    assert Counter(sender.told) == Counter([*early, *early, paid])


async def test_what_a_killed_consumer_was_sending_is_sent_by_the_next(queues: Queues) -> None:
    put = queues.shop.do(PutCallback(number=1, url=HANGS))
    first = FakeSender()
    async with delivering(queues, first):
        await until(lambda: first.told == [put])
    second = FakeSender()
    async with delivering(queues, second) as deliverer:
        queues.shop.clock.at_ms += CALLBACK_LEASE_MS
        deliverer.wake()
        await until(lambda: second.told == [put])


async def test_rubbish_goes_to_the_dead_and_blocks_nobody(queues: Queues) -> None:
    unknown = {"callback_id": "evt_nobody", "merchant_id": MERCHANT, "failed_tries": 0}
    rubbish = [b"", b"\xff\x00", b"[1,2,3]", b'{"callback_id":1}', b"[" * 900,
               b"x" * (QUEUE_MESSAGE_BYTES_MAX + 1), json.dumps(unknown).encode(),
               json.dumps({**unknown, "failed_tries": True}).encode(),
               json.dumps({**unknown, "callback_id": "a\0b"}).encode()]  # fmt: skip
    async with looking_in(queues) as channel:
        exchange = await channel.get_exchange(f"{queues.prefix}.callbacks")
        for body in rubbish:
            await exchange.publish(Message(body), "work")
        put = queues.shop.do(PutCallback(number=1))
        sender = FakeSender()
        async with delivering(queues, sender):
            await until(lambda: queues.states() == ["delivered"])
            found = await buried(channel, queues, len(rubbish))
    assert sorted(found) == sorted(rubbish)
    assert sender.told == [put]


async def test_a_dead_letter_is_mirrored_in_the_broker_and_replayed_from_the_database(
    queues: Queues,
) -> None:
    shop, sender = queues.shop, FakeSender(error="status 500")
    put = shop.do(PutCallback(number=1))
    async with looking_in(queues) as channel, delivering(queues, sender) as deliverer:
        await until(lambda: queues.states() == ["dead"])
        assert sender.told == [put] * (len(GAPS_MS) + 1)
        [body] = await buried(channel, queues, 1)
        assert json.loads(body)["callback_id"] == put
        sender.error = ""
        shop.do(ReplayCallback(callback_id=put, actor="me"))
        deliverer.wake()
        await until(lambda: queues.states() == ["delivered"])


async def test_a_merchant_that_hangs_keeps_few_places_and_others_are_told(queues: Queues) -> None:
    shop = queues.shop
    for number in range(3 * QUEUE_WAITING_PER_MERCHANT_MAX):
        shop.do(PutCallback(number=number, url=HANGS))
    sender = FakeSender()
    async with delivering(queues, sender) as deliverer:
        await until(lambda: len(sender.told) == CALLBACKS_PER_MERCHANT_MAX)
        other = shop.do(PutCallback(number=99, merchant_id=OTHER_MERCHANT))
        deliverer.wake()
        await until(lambda: other in sender.told)
        again_ms = shop.clock.at_ms + CALLBACK_ASIDE_MS
        handed_back = f"SELECT count(*) AS n FROM outbox_callback WHERE next_try_ms = {again_ms}"
        over = 2 * QUEUE_WAITING_PER_MERCHANT_MAX - CALLBACKS_PER_MERCHANT_MAX
        await until(lambda: shop.rows(handed_back)[0]["n"] == over)
    assert len(sender.told) == CALLBACKS_PER_MERCHANT_MAX + 1


async def test_a_wrong_password_is_not_told_to_the_log(
    queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    assert queues.broker_url is not None
    queues.broker_url = queues.broker_url.replace("guest@", "opensesame@")
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        async with queues.taker():
            await until(lambda: any(log["event"] == "callback_queue_away" for log in logs))
    assert "opensesame" not in f"{logs}{caplog.text}"


async def test_every_gap_of_the_table_has_its_queue(rabbitmq_broker: Broker) -> None:
    topology = Topology("gaps", CALLBACK_GAPS_MS)
    waits = {
        name: arguments["x-message-ttl"]
        for name, arguments in topology.queues().items()
        if "x-message-ttl" in arguments
    }
    assert waits == {f"gaps.callbacks.retry.{gap_ms}": gap_ms for gap_ms in CALLBACK_GAPS_MS}
    async with await aio_pika.connect(rabbitmq_broker.url) as connection:
        channel = await connection.channel()
        await topology.declare(channel)
        await topology.declare(channel)
        for name in topology.queues():
            await channel.get_queue(name)


async def test_a_backend_configured_for_the_broker_tells_a_real_server(
    tmp_path: Path, rabbitmq_broker: Broker
) -> None:
    seen: asyncio.Queue[bool] = asyncio.Queue()
    settings, _ = initialised(
        tmp_path, queue_url=rabbitmq_broker.url, callbacks_to_private_addresses=True
    )
    backend = make_backend(settings)

    async def take(request: web.Request) -> web.Response:
        key = backend.state.identity.signing_key.public
        now_ms = backend.clock.now_ms()
        body = await request.read()
        seen.put_nowait(is_genuine(request.headers, body, key=key, now_ms=now_ms))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await backend.start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        await backend.writer.submit(PutCallback(number=1, url=url))
        assert await asyncio.wait_for(seen.get(), PATIENCE_S)
    finally:
        await backend.stop()
        await runner.cleanup()
