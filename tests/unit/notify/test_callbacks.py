"""Callbacks: written with the payment, signed, tried again by the table, then a dead letter."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from backend.merchants.service import ChangeMerchant
from backend.notify.database_queue import DatabaseQueue
from backend.notify.deliverer import CallbackDeliverer
from backend.notify.http_sender import HttpSender
from backend.notify.limits import (
    CALLBACK_ASIDE_MS,
    CALLBACK_GAPS_MS,
    CALLBACK_LEASE_MS,
    CALLBACKS_AT_ONCE_MAX,
    CALLBACKS_PER_MERCHANT_MAX,
)
from backend.notify.model import (
    DeadLetterFilter,
    Tried,
    is_genuine,
    is_public_address,
    signed_headers,
)
from backend.notify.repository import CallbackRepository
from backend.notify.service import (
    ClaimCallbacks,
    ClaimQueued,
    HandBack,
    NoteDelivered,
    NoteFailed,
    NoteQueued,
    ReplayCallback,
    Ticket,
)
from backend.notify.states import TRANSITIONS, CallbackState, Step, next_state
from backend.observability.metrics import Metrics
from backend.payments.confirm import ConfirmByPayer
from protocol.crypto.keys import generate
from tests.kit.patience import PATIENCE_S
from tests.support.callbacks import PutCallback
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop
from tests.support.wallet_http import CountingEntropy, services_of

KEY = generate("SM2-SM3")
URL = "https://shop.example/notify"


class FakeSender:
    """Answers what the test says and remembers what was sent."""

    def __init__(self, error: str = "") -> None:
        self.error = error
        self.sent: list[tuple[str, bytes, Mapping[str, str]]] = []

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Tried:
        self.sent.append((url, body, headers))
        return Tried(self.error)


def deliverer_of(shop: Shop, sender: Any) -> CallbackDeliverer:
    services = services_of(shop)
    return CallbackDeliverer(
        queue=DatabaseQueue(
            submit=services.submit,
            run_read=services.run_read,
            repository=CallbackRepository(shop.reader),
            clock=shop.clock,
        ),
        sender=sender,
        signing_key=KEY,
        clock=shop.clock,
        entropy=CountingEntropy(),
        metrics=Metrics(),
    )


def pay_with_callback(shop: Shop, url: str = URL) -> dict[str, Any]:
    shop.do(ChangeMerchant(merchant_id=MERCHANT, notify_url=url))
    return shop.pay(shop.add_payer(balance_minor=1_000), 500)


def state(shop: Shop) -> dict[str, Any]:
    (row,) = shop.rows("SELECT state, failed_tries, last_error FROM outbox_callback")
    return row


@pytest.mark.asyncio
async def test_a_paid_payment_is_told_once_and_signed(shop: Shop) -> None:
    paid = pay_with_callback(shop)
    sender = FakeSender()
    deliverer = deliverer_of(shop, sender)
    assert await deliverer.deliver_due() == 1
    assert await deliverer.deliver_due() == 0
    ((url, body, headers),) = sender.sent
    told = json.loads(body)
    assert (url, told["event_type"]) == (URL, "payment.captured")
    assert told["resource"]["payment_id"] == paid["payment_id"]
    now_ms = shop.clock.at_ms
    assert is_genuine(headers, body, key=KEY.public, now_ms=now_ms)
    assert not is_genuine(headers, body + b" ", key=KEY.public, now_ms=now_ms)
    assert not is_genuine(headers, body, key=KEY.public, now_ms=now_ms + 301_000)
    assert not is_genuine(headers, body, key=generate("SM2-SM3").public, now_ms=now_ms)
    assert not is_genuine({}, body, key=KEY.public, now_ms=now_ms)
    assert state(shop)["state"] == "delivered"


@pytest.mark.asyncio
async def test_a_failed_callback_follows_the_table_and_ends_as_a_dead_letter(shop: Shop) -> None:
    pay_with_callback(shop)
    sender = FakeSender("status 500")
    deliverer = deliverer_of(shop, sender)
    for gap_ms in CALLBACK_GAPS_MS:
        assert await deliverer.deliver_due() == 1
        shop.clock.at_ms += gap_ms - 1
        assert await deliverer.deliver_due() == 0
        shop.clock.at_ms += 1
    assert await deliverer.deliver_due() == 1
    assert state(shop) == {"state": "dead", "failed_tries": 16, "last_error": "status 500"}
    (dead,) = CallbackRepository(shop.reader).dead_letters(DeadLetterFilter())
    assert shop.do(ReplayCallback(callback_id=dead["callback_id"], actor="me")) == "pending"
    sender.error = ""
    assert await deliverer.deliver_due() == 1
    assert state(shop)["state"] == "delivered"
    assert shop.do(ReplayCallback(callback_id=dead["callback_id"], actor="me")) == "delivered"


class FaultySender(FakeSender):
    """Has a bug that one address brings to light."""

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Tried:
        if url == URL:
            raise KeyError(url)
        return await super().send(url, body, headers)


@pytest.mark.asyncio
async def test_a_callback_that_meets_a_bug_is_a_failed_try_and_stops_no_other(shop: Shop) -> None:
    shop.do(PutCallback(number=1, url=URL))
    shop.do(PutCallback(number=2, merchant_id=OTHER_MERCHANT, url="https://other.example/"))
    assert await deliverer_of(shop, FaultySender()).deliver_due() == 2
    rows = shop.rows("SELECT state, failed_tries, last_error FROM outbox_callback ORDER BY state")
    assert [tuple(row.values()) for row in rows] == [
        ("delivered", 0, ""),
        ("pending", 1, "KeyError"),
    ]


def test_the_gaps_sum_to_a_day() -> None:
    assert (len(CALLBACK_GAPS_MS), sum(CALLBACK_GAPS_MS)) == (15, (24 * 60 + 4) * 60_000)


@pytest.mark.asyncio
async def test_a_deliverer_that_dies_leaves_the_callback_to_the_next(shop: Shop) -> None:
    pay_with_callback(shop)
    rows = CallbackRepository(shop.reader).due(shop.clock.at_ms)
    due = tuple(row["callback_id"] for row in rows)
    assert len(shop.do(ClaimCallbacks(callback_ids=due))) == 1
    assert shop.do(ClaimCallbacks(callback_ids=due)) == []
    sender = FakeSender()
    assert await deliverer_of(shop, sender).deliver_due() == 0
    shop.clock.at_ms += CALLBACK_LEASE_MS
    assert await deliverer_of(shop, sender).deliver_due() == 1


def test_a_declined_payment_and_a_merchant_without_address_leave_no_callback(shop: Shop) -> None:
    shop.pay(shop.add_payer(balance_minor=1_000), 500)
    shop.do(ChangeMerchant(merchant_id=MERCHANT, notify_url=URL))
    shop.pay(shop.add_payer(), 500)
    assert shop.rows("SELECT * FROM outbox_callback") == []


def test_refunds_and_reversals_are_told_too(shop: Shop) -> None:
    paid = pay_with_callback(shop)
    other = shop.pay(shop.add_payer(balance_minor=1_000), 500)
    shop.refund(paid["payment_id"], 100)
    shop.refund(paid["payment_id"], 400)
    shop.ask("payment.reverse", {"payment_id": other["payment_id"]})
    rows = shop.rows("SELECT event_type FROM outbox_callback ORDER BY event_type")
    assert [row["event_type"] for row in rows] == [
        "payment.captured", "payment.captured", "payment.reversed",
        "refund.succeeded", "refund.succeeded",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("address", "is_public"),
    [("8.8.8.8", True), ("127.0.0.1", False), ("10.0.0.1", False), ("169.254.169.254", False),
     ("::1", False), ("::ffff:10.0.0.1", False), ("2001:4860:4860::8888", True),
     ("224.0.0.1", False), ("2130706433", False), ("0.0.0.0", False), ("fe80::1%eth0", False)],
)  # fmt: skip
def test_private_addresses_are_told_from_public_ones(address: str, is_public: bool) -> None:
    assert is_public_address(address) is is_public


@asynccontextmanager
async def merchant_server(handler: Any) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/notify", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/notify"
    await runner.cleanup()


@pytest.mark.asyncio
async def test_a_real_server_gets_a_genuine_callback(shop: Shop) -> None:
    seen: list[bool] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        seen.append(is_genuine(request.headers, body, key=KEY.public, now_ms=shop.clock.at_ms))
        return web.Response(status=204)

    sender = HttpSender(allows_private_addresses=True)
    async with merchant_server(take) as url:
        pay_with_callback(shop, url)
        assert await deliverer_of(shop, sender).deliver_due() == 1
    await sender.close()
    assert (seen, state(shop)["state"]) == ([True], "delivered")


@pytest.mark.asyncio
async def test_redirects_and_long_answers_are_not_followed_or_read() -> None:
    reached: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        reached.append(request.path)
        raise web.HTTPFound("/elsewhere")

    async def flood(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 3_000_000)

    sender = HttpSender(allows_private_addresses=True)
    async with merchant_server(redirect) as url:
        assert (await sender.send(url, b"{}", {})).error == "status 302"
    async with merchant_server(flood) as url:
        assert (await sender.send(url, b"{}", {})).error == ""
    lost = await sender.send(url, b"{}", {})
    assert (lost.error, lost.status) == ("ClientConnectorError", None)
    await sender.close()
    assert reached == ["/notify"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://[::1]:9/", "http://localhost:9/", "http://2130706433/",
            "file:///etc/passwd", "http://0x7f.1:9/"],
)  # fmt: skip
async def test_callbacks_stay_out_of_private_networks(url: str) -> None:
    sender = HttpSender()
    tried = await sender.send(url, b"{}", {})
    assert tried.error in {"address refused", "ClientConnectorDNSError"}
    await sender.close()


def test_headers_name_the_key_and_the_suite() -> None:
    headers = signed_headers(b"{}", key=KEY, now_ms=1_000_000, nonce="ab")
    assert headers["Tillway-Serial"] == KEY.kid.hex()
    assert (headers["Tillway-Signature-Type"], headers["Tillway-Timestamp"]) == ("SM2-SM3", "1000")


class HangingSender(FakeSender):
    """One address never answers."""

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Tried:
        tried = await super().send(url, body, headers)
        if url == URL:
            await asyncio.Event().wait()
        return tried


@pytest.mark.asyncio
async def test_a_merchant_whose_server_hangs_delays_nobody_else(shop: Shop) -> None:
    shop.do(ChangeMerchant(merchant_id=MERCHANT, notify_url=URL))
    shop.do(ChangeMerchant(merchant_id=OTHER_MERCHANT, notify_url="https://other.example/"))
    payer = shop.add_payer(balance_minor=10_000)
    for _ in range(CALLBACKS_AT_ONCE_MAX + 1):
        shown = shop.show_qr(1)
        shop.do(ConfirmByPayer(payment_id=shown["payment_id"], attempt_id=shop.id("att"),
                               payer_id=payer, is_pin_verified=True, rules=shop.rules))  # fmt: skip
        shop.clock.at_ms += 61_000
    body = shop.create_body("pay_code", 5, pay_code=shop.code(payer), merchant_id=OTHER_MERCHANT)
    shop.ask("payment.create", body, merchant_id=OTHER_MERCHANT)
    sender = HangingSender()
    task = asyncio.create_task(deliverer_of(shop, sender).run())
    delivered = "SELECT merchant_id FROM outbox_callback WHERE state = 'delivered'"
    async with asyncio.timeout(PATIENCE_S):
        while not shop.rows(delivered):  # noqa: ASYNC110  # the row is the event
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert shop.rows(delivered) == [{"merchant_id": OTHER_MERCHANT}]
    hanging = [url for url, _, _ in sender.sent if url == URL]
    assert len(hanging) == CALLBACKS_PER_MERCHANT_MAX


def test_every_step_of_a_callback_is_in_the_table_or_changes_nothing() -> None:
    legal = {
        (state, step): found
        for state in CallbackState
        for step in Step
        if (found := next_state(state, step)) is not None
    }
    assert legal == {key: found.value for key, found in TRANSITIONS.items()}
    assert {state for state, _ in legal} == set(CallbackState) - {CallbackState.DELIVERED}


def test_a_copy_of_a_used_ticket_is_dropped(shop: Shop) -> None:
    """Whatever came between: a claim, a failure, the end."""
    put = shop.do(PutCallback(number=1))
    ticket = Ticket(put, MERCHANT, 0)

    def verdict(one: Ticket) -> str:
        [(found, _)] = shop.do(ClaimQueued(tickets=(one,)))
        return str(found)

    assert [found for found, _ in shop.do(ClaimQueued(tickets=(ticket, ticket)))] == ["try", "drop"]
    due_ms = shop.do(NoteFailed(callback_id=put, tried=Tried("timeout")))["next_try_ms"]
    assert verdict(ticket) == "drop"
    assert shop.do(NoteQueued(confirmed=((put, due_ms),))) == 1
    assert (verdict(ticket), verdict(ticket._replace(failed_tries=1))) == ("drop", "try")
    assert shop.do(NoteQueued(confirmed=((put, due_ms),))) == 0, "it is claimed"
    shop.do(NoteDelivered(callback_id=put, tried=Tried()))
    assert verdict(ticket._replace(failed_tries=1)) == "drop"
    assert verdict(Ticket("evt_nobody", MERCHANT, 0)) == "bury"


def test_a_ticket_handed_back_before_it_was_noted_is_not_believed_queued(shop: Shop) -> None:
    put = shop.do(PutCallback(number=1))
    due_ms = shop.clock.at_ms
    assert shop.do(HandBack(tickets=(Ticket(put, MERCHANT, 0),))) == 1
    assert shop.do(NoteQueued(confirmed=((put, due_ms),))) == 0
    [row] = shop.rows("SELECT state, next_try_ms FROM outbox_callback")
    assert row == {"state": "pending", "next_try_ms": due_ms + CALLBACK_ASIDE_MS}
