"""The backend in one piece, on both databases: a till asks, a payer pays, the books stay whole."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from backend.bootstrap import Backend
from backend.devices.model import DeviceCommand, DeviceKind
from backend.wallet.desk import WalletDesk
from backend.wallet.schemas import Confirmation
from protocol import cbor
from protocol.answers import Answer, unseal
from protocol.crypto import generate
from tests.kit.patience import PATIENCE_S
from tests.support.backend import (
    HUB,
    MERCHANT,
    STORE,
    TILL,
    Machine,
    StepClock,
    answers_in,
    change,
    enrol,
    initialised,
    make_backend,
    mint,
)
from tests.support.shop import confirmed_top_up

PAYER = mint("pyr", 1)


class Shop:
    """A hub, a till, and a payer with a hundred yuan."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.hub = Machine(HUB, kind=DeviceKind.HUB)
        self.till = Machine(TILL)
        self.desk = WalletDesk(backend.services)

    async def open(self) -> None:
        await enrol(self.backend, self.hub, self.till)
        await self.desk.create_payer(
            payer_id=PAYER,
            name="Li Na",
            pin="482913",
            key_suite="SM2-SM3",
            key_public=generate().public.public,
        )
        for command in confirmed_top_up(mint("top", 1), PAYER, 10_000):
            await self.backend.writer.submit(command)

    async def send(self, *envelopes: bytes) -> list[Answer]:
        data = await self.backend.ingest_batch(HUB, self.hub.batch(envelopes))
        return answers_in(self.backend, data)

    async def pushed(self, after: int) -> list[list[Any]]:
        async with asyncio.timeout(PATIENCE_S):
            data = await self.backend.hub.pushes(HUB, after, 25)
        rows: list[list[Any]] = cbor.decode(data, bytes_max=2**20)
        return rows


@pytest_asyncio.fixture
async def shop(tmp_path: Path, migrated_url: str) -> AsyncIterator[Shop]:
    settings, _ = initialised(tmp_path, database_url=migrated_url)
    backend = make_backend(settings, clock=StepClock())
    await backend.start()
    found = Shop(backend)
    await found.open()
    yield found
    report = await backend.operator.verify_ledger()
    assert report["is_whole"], report
    await backend.stop()


def payment(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "payment_id": mint("pay", number),
        "attempt_id": mint("att", number),
        "method": "merchant_qr",
        "amount_minor": 1280,
        "currency": "CNY",
        "merchant_id": MERCHANT,
        "till": "1",
        **changes,
    }


@pytest.mark.asyncio
async def test_a_payment_by_pay_code_is_captured_once_however_often_it_is_sent(shop: Shop) -> None:
    shown = await shop.desk.pay_code(PAYER)
    body = payment(1, method="pay_code", pay_code=shown["pay_code"])
    request_id = mint("req", 77)
    # A retry is a new envelope around the same request; all three are in one group.
    sent = [shop.till.envelope("payment.create", body, request_id=request_id) for _ in range(3)]
    answers = await shop.send(*sent)
    assert [answer.body["state"] for answer in answers] == ["captured"] * 3
    assert (await shop.send(sent[0]))[0].body == answers[0].body
    assert (await shop.desk.balance(PAYER, "CNY"))["balance_minor"] == 10_000 - 1280
    changed = {**body, "amount_minor": 9}
    [conflict] = await shop.send(
        shop.till.envelope("payment.create", changed, request_id=request_id)
    )
    assert conflict.body["error"]["code"] == "idempotency_conflict"


@pytest.mark.asyncio
@pytest.mark.parametrize("command", [DeviceCommand.SUSPEND, DeviceCommand.REVOKE])
async def test_a_till_that_was_stopped_since_still_hears_what_had_been_carried_out(
    shop: Shop, command: DeviceCommand
) -> None:
    shown = await shop.desk.pay_code(PAYER)
    body = payment(1, method="pay_code", pay_code=shown["pay_code"])
    sent = shop.till.envelope("payment.create", body)
    [first] = await shop.send(sent)
    await change(shop.backend, TILL, command)
    [again] = await shop.send(sent)
    assert (again.body, again.body["state"]) == (first.body, "captured")
    [refused] = await shop.send(shop.till.envelope("payment.create", payment(2)))
    assert refused.message_type == "refusal"


@pytest.mark.asyncio
async def test_a_till_learns_by_push_that_its_code_was_paid(shop: Shop) -> None:
    [shown] = await shop.send(shop.till.envelope("payment.create", payment(1)))
    assert shown.body["state"] == "awaiting_payer"
    before = await shop.pushed(0)
    waiting = asyncio.create_task(shop.pushed(before[-1][0]))
    await asyncio.sleep(0)
    word = {"payment_id": mint("pay", 1), "attempt_id": mint("att", 50), "pin": "482913"}
    await shop.desk.confirm(PAYER, Confirmation.model_validate(word))
    [[_, kind, device, sealed]] = await waiting
    answer = unseal(sealed).verify(shop.backend.state.identity.signing_key.public)
    assert (kind, device, answer.device) == ("answer", TILL, TILL)
    assert (answer.message_type, answer.body["state"]) == ("payment.result", "captured")
    assert answer.store == STORE


@pytest.mark.asyncio
async def test_the_day_s_figures_say_what_happened(shop: Shop) -> None:
    shown = await shop.desk.pay_code(PAYER)
    paid = payment(1, method="pay_code", pay_code=shown["pay_code"])
    await shop.send(
        shop.till.envelope("payment.create", paid),
        shop.till.envelope("payment.create", payment(2, amount_minor=500)),
        shop.till.envelope(
            "refund.create",
            {
                "refund_id": mint("rfd", 1),
                "payment_id": mint("pay", 1),
                "amount_minor": 280,
                "currency": "CNY",
                "till": "1",
            },
        ),
    )
    today = await shop.backend.operator.today()
    assert {row["state"]: row["count"] for row in today["by_state"]} == {
        "awaiting_payer": 1,
        "partially_refunded": 1,
    }
    assert today["paid"] == [
        {"currency": "CNY", "count": 1, "amount_minor": 1280, "refunded_minor": 280}
    ]
    assert today["is_balanced"]
    assert today["unknowns"] == []


@pytest.mark.asyncio
async def test_what_was_answered_survives_a_restart(tmp_path: Path, database_url: str) -> None:
    settings, _ = initialised(tmp_path, database_url=database_url)
    first = make_backend(settings)
    await first.start()
    shop = Shop(first)
    await shop.open()
    code = (await shop.desk.pay_code(PAYER))["pay_code"]
    sent = shop.till.envelope("payment.create", payment(1, method="pay_code", pay_code=code))
    [answer] = await shop.send(sent)
    await first.stop()
    shop.backend = second = make_backend(settings)
    await second.start()
    [again] = await shop.send(sent)
    await second.stop()
    assert (again.message_type, again.body) == (answer.message_type, answer.body)
    assert answer.body["state"] == "captured"
