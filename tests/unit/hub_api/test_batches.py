"""A hub's batch: who is heard, what each item is answered, what is refused whole."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from backend.bootstrap import Backend
from backend.devices.limits import KEY_OVERLAP_MS
from backend.devices.model import REQUESTS_OF, DeviceCommand, DeviceKind
from backend.devices.service import RotateKey
from backend.hub_api.ingest import request_of
from backend.hub_api.limits import RECEIVED_AGE_MS_MAX
from backend.payments.confirm import ConfirmByPayer
from backend.payments.limits import CREATE_AGE_MS_MAX
from backend.risk.devices.repository import ReadingRepository
from backend.wallet.model import hash_token
from backend.wallet.service import CreatePayer
from protocol.crypto import generate
from protocol.envelope import unseal
from protocol.errors import CallerError, TillwayError
from protocol.limits import CLOCK_SKEW_MS_MAX
from protocol.messages import REQUESTS, DeviceFingerprint
from protocol.messages.requests import FingerprintValue
from tests.kit.hub_world import until
from tests.support.backend import (
    HUB,
    MERCHANT,
    NOW_MS,
    TILL,
    Machine,
    StepClock,
    answers_in,
    change,
    code_of,
    enrol,
    initialised,
    make_backend,
    mint,
)
from tests.support.shop import confirmed_top_up

HELLO = {"software": "1.0", "profile": "test", "started_at_ms": NOW_MS}


class Shop:
    """A backend with one hub and one till."""

    def __init__(self, backend: Backend, clock: StepClock) -> None:
        self.backend = backend
        self.clock = clock
        self.hub = Machine(HUB, kind=DeviceKind.HUB)
        self.till = Machine(TILL)

    async def codes(self, *envelopes: bytes, **changes: Any) -> list[str]:
        data = await self.backend.ingest_batch(HUB, self.hub.batch(envelopes, **changes))
        return [code_of(answer) for answer in answers_in(self.backend, data)]

    async def refusal(self, hub: str, data: bytes) -> str:
        with pytest.raises(TillwayError) as refused:
            await self.backend.ingest_batch(hub, data)
        return refused.value.code


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    settings, _ = initialised(tmp_path)
    clock = StepClock()
    backend = make_backend(settings, clock=clock)
    await backend.start()
    found = Shop(backend, clock)
    await enrol(backend, found.hub, found.till)
    yield found
    await backend.stop()


@pytest.mark.asyncio
async def test_each_item_is_answered_in_order_under_one_signature(shop: Shop) -> None:
    sent = [shop.till.envelope("device.hello", HELLO) for _ in range(20)]
    data = await shop.backend.ingest_batch(HUB, shop.hub.batch(sent))
    answers = answers_in(shop.backend, data)
    assert [answer.request_id for answer in answers] == [
        mint("req", number, TILL) for number in range(1, 21)
    ]
    assert {answer.message_type for answer in answers} == {"pong"}
    assert answers[0].body == {"now_ms": NOW_MS}
    assert answers[0].trace_id == "trace-1"


@pytest.mark.asyncio
async def test_one_bad_item_does_not_harm_its_neighbours(shop: Shop) -> None:
    good = shop.till.envelope("device.hello", HELLO)
    codes = await shop.codes(good, b"garbage", shop.till.envelope("device.hello", {}), good)
    assert codes == ["done", "envelope_malformed", "field_invalid", "done"]


@pytest.mark.asyncio
async def test_a_device_nobody_enrolled_is_unknown(shop: Shop) -> None:
    assert await shop.codes(Machine("till-9").envelope("device.hello", HELLO)) == ["device_unknown"]


@pytest.mark.asyncio
async def test_a_device_cannot_speak_for_another(shop: Shop) -> None:
    other = Machine("till-2")
    await enrol(shop.backend, other)
    forged = Machine(TILL, key=other.key).envelope("device.hello", HELLO)
    assert await shop.codes(forged) == ["device_unknown"]


@pytest.mark.asyncio
async def test_a_changed_envelope_is_refused(shop: Shop) -> None:
    sent = bytearray(shop.till.envelope("device.hello", HELLO))
    sent[-1] ^= 1
    assert await shop.codes(bytes(sent)) == ["signature_invalid"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("command", "code"),
    [(DeviceCommand.SUSPEND, "device_suspended"), (DeviceCommand.REVOKE, "device_revoked")],
)
async def test_a_suspended_or_revoked_device_is_refused_at_once(
    shop: Shop, command: DeviceCommand, code: str
) -> None:
    assert await shop.codes(shop.till.envelope("device.hello", HELLO)) == ["done"]
    await change(shop.backend, TILL, command)
    assert await shop.codes(shop.till.envelope("device.hello", HELLO)) == [code]


@pytest.mark.asyncio
async def test_a_resumed_device_is_heard_again(shop: Shop) -> None:
    await change(shop.backend, TILL, DeviceCommand.SUSPEND)
    await change(shop.backend, TILL, DeviceCommand.RESUME)
    assert await shop.codes(shop.till.envelope("device.hello", HELLO)) == ["done"]


@pytest.mark.asyncio
async def test_after_a_rotation_the_old_key_is_heard_for_a_while_and_then_refused(
    shop: Shop,
) -> None:
    shop.till.clock = shop.hub.clock = shop.clock
    old = shop.till.key
    shop.till.key = generate()
    await shop.backend.writer.submit(RotateKey(tid=TILL, key=shop.till.new_key, actor="test"))

    def both() -> list[bytes]:
        new, sent = shop.till.key, [shop.till.envelope("device.hello", HELLO)]
        shop.till.key = old
        sent.append(shop.till.envelope("device.hello", HELLO))
        shop.till.key = new
        return sent

    shop.clock.at_ms += KEY_OVERLAP_MS - 1
    assert await shop.codes(*both()) == ["done", "done"]
    shop.clock.at_ms += 1
    assert await shop.codes(*both()) == ["done", "signature_invalid"]


@pytest.mark.asyncio
async def test_a_hub_that_has_rotated_its_key_signs_with_no_older_one(shop: Shop) -> None:
    shop.till.clock = shop.hub.clock = shop.clock
    old = shop.hub.key
    shop.hub.key = generate()
    await shop.backend.writer.submit(RotateKey(tid=HUB, key=shop.hub.new_key, actor="test"))
    shop.hub.key, new = old, shop.hub.key
    sent = shop.till.envelope("device.hello", HELLO)
    assert await shop.codes(sent) == ["done"]
    shop.clock.at_ms += KEY_OVERLAP_MS
    assert await shop.refusal(HUB, shop.hub.batch([sent])) == "signature_invalid"
    shop.hub.key = new
    assert await shop.codes(shop.till.envelope("device.hello", HELLO)) == ["done"]


@pytest.mark.asyncio
async def test_the_key_before_the_last_is_refused_at_once(shop: Shop) -> None:
    first = shop.till.envelope("device.hello", HELLO)
    for _ in range(2):
        shop.till.key = generate()
        await shop.backend.writer.submit(RotateKey(tid=TILL, key=shop.till.new_key, actor="test"))
    assert await shop.codes(first) == ["signature_invalid"]


@pytest.mark.asyncio
async def test_a_device_of_another_store_is_unknown_to_this_hub(shop: Shop) -> None:
    elsewhere = Machine("till-7", store="store-2")
    await enrol(shop.backend, elsewhere)
    assert await shop.codes(elsewhere.envelope("device.hello", HELLO)) == ["device_unknown"]


@pytest.mark.asyncio
async def test_a_device_that_names_another_store_is_refused(shop: Shop) -> None:
    await enrol(shop.backend, Machine("till-7", store="store-2"))
    sent = shop.till.envelope("device.hello", HELLO, store="store-2")
    assert await shop.codes(sent) == ["identity_mismatch"]


@pytest.mark.asyncio
async def test_a_store_nobody_opened_is_unknown(shop: Shop) -> None:
    sent = shop.till.envelope("device.hello", HELLO, store="store-9")
    assert await shop.codes(sent) == ["store_unknown"]


@pytest.mark.asyncio
async def test_a_type_nobody_knows_is_refused(shop: Shop) -> None:
    assert await shop.codes(shop.till.envelope("payment.guess", {})) == ["message_type_unknown"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("off_ms", "code"),
    [(0, "done"), (CLOCK_SKEW_MS_MAX, "done"), (CLOCK_SKEW_MS_MAX + 1, "envelope_stale")],
)
async def test_freshness_is_judged_by_the_time_of_receipt(
    shop: Shop, off_ms: int, code: str
) -> None:
    sent = shop.till.envelope("device.hello", HELLO, sent_at_ms=NOW_MS - off_ms)
    shop.clock.at_ms = NOW_MS + RECEIVED_AGE_MS_MAX
    assert await shop.codes(sent) == [code]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("now_ms", "code"),
    [
        (NOW_MS + RECEIVED_AGE_MS_MAX, "done"),
        (NOW_MS + RECEIVED_AGE_MS_MAX + 1, "envelope_stale"),
        (NOW_MS - CLOCK_SKEW_MS_MAX, "done"),
        (NOW_MS - CLOCK_SKEW_MS_MAX - 1, "envelope_stale"),
    ],
)
async def test_a_time_of_receipt_must_be_plausible(shop: Shop, now_ms: int, code: str) -> None:
    sent = shop.till.envelope("device.hello", HELLO)
    shop.clock.at_ms = now_ms
    assert await shop.codes(sent) == [code]


@pytest.mark.asyncio
async def test_a_batch_with_a_wrong_hub_signature_is_refused_whole(shop: Shop) -> None:
    impostor = Machine(HUB, kind=DeviceKind.HUB)
    sent = impostor.batch([shop.till.envelope("device.hello", HELLO)])
    assert await shop.refusal(HUB, sent) == "signature_invalid"


@pytest.mark.asyncio
async def test_a_hub_cannot_speak_for_another(shop: Shop) -> None:
    other = Machine("hub-2", store="store-2", kind=DeviceKind.HUB)
    await enrol(shop.backend, other)
    sent = shop.hub.batch([shop.till.envelope("device.hello", HELLO)])
    assert await shop.refusal("hub-2", sent) == "identity_mismatch"
    signed_by_other = Machine(HUB, key=other.key).batch([b"x"])
    assert await shop.refusal(HUB, signed_by_other) == "signature_invalid"


@pytest.mark.asyncio
async def test_a_till_cannot_act_as_a_hub(shop: Shop) -> None:
    sent = shop.till.batch([shop.till.envelope("device.hello", HELLO)])
    assert await shop.refusal(TILL, sent) == "identity_mismatch"


@pytest.mark.asyncio
async def test_a_revoked_hub_is_refused_whole(shop: Shop) -> None:
    await change(shop.backend, HUB, DeviceCommand.REVOKE)
    sent = shop.hub.batch([shop.till.envelope("device.hello", HELLO)])
    assert await shop.refusal(HUB, sent) == "device_revoked"


@pytest.mark.asyncio
async def test_more_batches_than_the_bound_are_told_to_come_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.hub_api.batches.BATCHES_OPEN_PER_HUB_MAX", 1)
    sent = [shop.hub.batch([shop.till.envelope("device.hello", HELLO)]) for _ in range(3)]
    outcomes = await asyncio.gather(
        *[shop.backend.ingest_batch(HUB, one) for one in sent], return_exceptions=True
    )
    refused = [one.code for one in outcomes if isinstance(one, TillwayError)]
    assert "busy" in refused
    assert any(isinstance(one, bytes) for one in outcomes)
    assert await shop.codes(shop.till.envelope("device.hello", HELLO)) == ["done"]


@pytest.mark.asyncio
async def test_every_refusal_is_counted_by_its_code(shop: Shop) -> None:
    await shop.codes(b"garbage", shop.till.envelope("payment.guess", {}))
    text = shop.backend.metrics.render().decode()
    assert 'outcome="envelope_malformed",type="unknown"' in text
    assert 'outcome="message_type_unknown",type="unknown"' in text


@pytest.mark.asyncio
async def test_revoking_twice_changes_nothing_and_nothing_undoes_it(shop: Shop) -> None:
    first = await change(shop.backend, TILL, DeviceCommand.REVOKE)
    assert await change(shop.backend, TILL, DeviceCommand.REVOKE) == first
    with pytest.raises(CallerError) as refused:
        await change(shop.backend, TILL, DeviceCommand.RESUME)
    assert refused.value.code == "device_state"


@pytest.mark.asyncio
async def test_a_clock_put_forward_makes_no_payment_late(tmp_path: Path) -> None:
    """The hubs' and the tills' clocks stay where they are; what waits is still told from what does
    not."""
    settings, _ = initialised(tmp_path, clock_control=True)
    clock = StepClock()
    backend = make_backend(settings, clock=clock)
    await backend.start()
    shop = Shop(backend, clock)
    await enrol(backend, shop.hub, shop.till)
    backend.operator.advance(30 * 24 * 3_600_000)
    states = []
    for number in (1, 2):
        data = shop.hub.batch([shop.till.envelope("payment.create", create(number))])
        clock.at_ms = NOW_MS + (number - 1) * (CREATE_AGE_MS_MAX + 1)
        (answer,) = answers_in(backend, await backend.ingest_batch(HUB, data))
        states.append(answer.body["state"])
    assert states == ["awaiting_payer", "declined"]
    await backend.stop()


QR = {"method": "merchant_qr", "amount_minor": 100, "currency": "CNY", "merchant_id": MERCHANT,
      "till": "1"}  # fmt: skip


def create(number: int) -> dict[str, Any]:
    return QR | {"payment_id": mint("pay", number), "attempt_id": mint("att", number)}


def refund(number: int) -> dict[str, Any]:
    return {"refund_id": mint("rfd", number), "payment_id": mint("pay", number),
            "amount_minor": 1, "currency": "CNY", "till": "1"}  # fmt: skip


async def pay(shop: Shop, *numbers: int) -> None:
    """Somebody pays these codes."""
    payer_id = mint("pyr", 1)
    payer = CreatePayer(
        payer_id=payer_id,
        name="李雷",
        key_suite="Ed25519",
        key_public=generate("Ed25519").public.public,
        pin_salt=b"s" * 16,
        pin_hash=b"h" * 32,
        token_hash=hash_token("a token"),
    )
    for command in (payer, *confirmed_top_up(mint("top", 1), payer_id, 1_000)):
        await shop.backend.writer.submit(command)
    for number in numbers:
        confirm = ConfirmByPayer(
            payment_id=mint("pay", number),
            attempt_id=mint("att", 100 + number),
            payer_id=payer_id,
            is_pin_verified=True,
            rules=shop.backend.services.rules,
        )
        await shop.backend.writer.submit(confirm)


@pytest.mark.asyncio
async def test_a_hub_makes_no_request_of_its_own(shop: Shop) -> None:
    sent = [
        shop.hub.envelope("device.hello", HELLO),
        shop.hub.envelope("payment.create", create(1)),
        shop.hub.envelope("payment.query", {"payment_id": mint("pay", 1)}),
        shop.hub.envelope("payment.close", {"payment_id": mint("pay", 1)}),
        shop.hub.envelope("payment.reverse", {"payment_id": mint("pay", 1)}),
        shop.hub.envelope("refund.create", refund(1)),
        shop.hub.envelope("refund.query", {"refund_id": mint("rfd", 1)}),
    ]
    assert await shop.codes(*sent) == ["not_authorized"] * len(sent)


@pytest.mark.asyncio
async def test_a_thing_sees_and_touches_its_own_payments_only(shop: Shop) -> None:
    thing = Machine("vend-1", kind=DeviceKind.THING)
    await enrol(shop.backend, thing)
    sent = [
        shop.till.envelope("payment.create", create(1)),
        thing.envelope("payment.create", create(2)),
        thing.envelope("device.hello", HELLO),
    ]
    assert await shop.codes(*sent) == ["done"] * 3
    types = ("payment.query", "payment.close", "payment.reverse")
    other = [thing.envelope(one, {"payment_id": mint("pay", 1)}) for one in types]
    assert await shop.codes(*other) == ["payment_not_found"] * 3
    own = [thing.envelope(one, {"payment_id": mint("pay", 2)}) for one in types]
    assert await shop.codes(*own) == ["done"] * 3


@pytest.mark.asyncio
async def test_a_thing_gives_back_of_its_own_payments_only(shop: Shop) -> None:
    """What was paid ahead at a charger and not used goes back by itself (`hub.ocpp.paying`)."""
    thing = Machine("charger-1", kind=DeviceKind.THING)
    await enrol(shop.backend, thing)
    sent = [
        shop.till.envelope("payment.create", create(1)),
        thing.envelope("payment.create", create(2)),
    ]
    assert await shop.codes(*sent) == ["done"] * 2
    await pay(shop, 1, 2)
    sent = [
        shop.till.envelope("refund.create", refund(1)),
        thing.envelope("refund.create", refund(2)),
    ]
    assert await shop.codes(*sent) == ["done"] * 2
    sent = [
        thing.envelope("refund.create", {**refund(3), "payment_id": mint("pay", 1)}),
        thing.envelope("refund.query", {"refund_id": mint("rfd", 1)}),
        thing.envelope("refund.query", {"refund_id": mint("rfd", 2)}),
    ]
    assert await shop.codes(*sent) == ["payment_not_found", "refund_not_found", "done"]


def test_each_kind_of_device_has_its_list_and_every_request_is_on_one() -> None:
    assert set(REQUESTS_OF) == set(DeviceKind)
    assert set().union(*REQUESTS_OF.values()) == set(REQUESTS)


@pytest.mark.asyncio
async def test_what_a_device_says_of_itself_is_judged_and_its_requests_are_bound_to_it(
    shop: Shop,
) -> None:
    attrs: dict[str, FingerprintValue] = {
        "cpu_serial": "10000000c0ffee",
        "boot_count": 3,
        "modules": ["a"],
        "tpm_ek_hash": None,
    }
    digest = DeviceFingerprint(attrs=attrs).digest
    said = shop.till.envelope("device.fingerprint", {"attrs": attrs})
    assert await shop.codes(said) == ["done"]
    readings = ReadingRepository(shop.backend.services.reader)

    def is_judged() -> bool:
        standing = readings.standing(TILL)
        return standing is not None and standing["verdict"] == "same"

    await until(is_judged)  # by the backend's own task
    pay = shop.till.envelope("payment.create", create(1), fingerprint=digest)
    asked = request_of(unseal(pay).envelope, MERCHANT, shop.clock.now_ms())
    assert asked.fingerprint == digest
    assert await shop.codes(pay) == ["done"]
