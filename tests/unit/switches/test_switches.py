"""A switch keeps new payments away, through the real way of a payment, and nothing else."""

from collections.abc import Iterator

import pytest

from backend.audit.repository import ActFilter, AuditRepository
from backend.channels.model import CUP, NUCC
from backend.devices.model import DeviceKind
from backend.devices.service import CreateStore, EnrolDevice, NewKey
from backend.switches.desk import SwitchDesk
from backend.switches.model import SwitchKind
from protocol.errors import CATALOGUE, CallerError
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop, shop_of_two
from tests.support.wallet_http import services_of


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    with shop_of_two(migrated_url) as shop:
        yield shop


async def turn(shop: Shop, kind: SwitchKind, subject: str, *, is_stopped: bool) -> None:
    await SwitchDesk(services_of(shop)).turn(
        kind,
        subject,
        is_stopped=is_stopped,
        reason="stolen cards",
        actor="console:ops",
        origin="192.0.2.7",
    )


def enrol(shop: Shop, tid: str) -> None:
    shop.do(CreateStore(store="s1", merchant_id=MERCHANT, name="One"))
    key = NewKey(suite="Ed25519", public_key=bytes(32), kid=b"kid-of-the-till")
    shop.do(
        EnrolDevice(
            tid=tid, kind=DeviceKind.TERMINAL, store="s1", key=key, actor="test", is_active=True
        )
    )


@pytest.mark.asyncio
async def test_a_merchant_is_stopped_and_goes_on(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    before = shop.pay(payer, 500)
    shown = shop.show_qr(700)
    await turn(shop, SwitchKind.MERCHANT, MERCHANT, is_stopped=True)
    refused = shop.pay(payer, 500)
    assert (refused["state"], refused["error"]["code"]) == ("declined", "merchant_stopped")
    assert shop.show_qr(700)["state"] == "declined"
    elsewhere = shop.create_body(
        "pay_code", 300, pay_code=shop.code(payer), merchant_id=OTHER_MERCHANT
    )
    paid = shop.ask("payment.create", elsewhere, merchant_id=OTHER_MERCHANT)
    assert paid["state"] == "captured"
    # What was paid is asked about, given back and undone as ever.
    assert shop.ask("payment.query", {"payment_id": before["payment_id"]})["state"] == "captured"
    assert shop.refund(before["payment_id"], 100)["state"] == "succeeded"
    undone = shop.ask("payment.reverse", {"payment_id": shown["payment_id"]})
    assert undone["state"] in {"reversed", "voided", "closed"}
    await turn(shop, SwitchKind.MERCHANT, MERCHANT, is_stopped=False)
    assert shop.pay(payer, 500)["state"] == "captured"


@pytest.mark.asyncio
async def test_a_device_is_stopped_and_the_one_beside_it_is_not(shop: Shop) -> None:
    enrol(shop, "pos1")
    payer = shop.add_payer(balance_minor=10_000)
    await turn(shop, SwitchKind.DEVICE, "pos1", is_stopped=True)
    refused = shop.pay(payer, 500)
    assert refused["error"]["code"] == "device_stopped"
    body = shop.create_body("pay_code", 500, pay_code=shop.code(payer))
    assert shop.ask("payment.create", body, device="pos2")["state"] == "captured"
    await turn(shop, SwitchKind.DEVICE, "pos1", is_stopped=False)
    assert shop.pay(payer, 500)["state"] == "captured"


@pytest.mark.asyncio
async def test_a_channel_is_stopped_and_another_takes_its_payments(shop: Shop) -> None:
    payer = shop.add_payer()
    shop.add_instrument(payer, "card", token="tok_0123456789abcdef", channels=(NUCC, CUP))
    await turn(shop, SwitchKind.CHANNEL, NUCC, is_stopped=True)
    paid = shop.pay(payer, 500)
    [row] = shop.rows(f"SELECT * FROM payment WHERE payment_id = '{paid['payment_id']}'")
    assert (row["state"], row["channel_id"]) == ("processing", CUP)
    assert '"switched_off"' in row["routing"]
    await turn(shop, SwitchKind.CHANNEL, CUP, is_stopped=True)
    assert shop.pay(payer, 500)["error"]["code"] == "channel_stopped"
    for channel in (NUCC, CUP):
        await turn(shop, SwitchKind.CHANNEL, channel, is_stopped=False)
    assert shop.pay(payer, 500)["state"] == "processing"


@pytest.mark.asyncio
async def test_a_switch_counts_at_once_for_another_process_on_the_database(
    shop: Shop, migrated_url: str
) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    other = Shop(migrated_url, first_id=10_000, clock=shop.clock)
    try:
        await turn(other, SwitchKind.MERCHANT, MERCHANT, is_stopped=True)
        assert shop.pay(payer, 500)["error"]["code"] == "merchant_stopped"
        await turn(shop, SwitchKind.MERCHANT, MERCHANT, is_stopped=False)
    finally:
        other.close()
    assert shop.pay(payer, 500)["state"] == "captured"


@pytest.mark.asyncio
async def test_each_turn_is_one_act_with_who_why_and_what_it_was_before(shop: Shop) -> None:
    for is_stopped in (True, True, False):
        shop.clock.at_ms += 1
        await turn(shop, SwitchKind.MERCHANT, MERCHANT, is_stopped=is_stopped)
    audit = AuditRepository(shop.reader)
    acts = audit.acts(ActFilter(kind="switch"), limit=10)
    assert [(act["number"], act["what"]) for act in acts] == [(2, "start"), (1, "stop")]
    told = '{"actor":"console:ops","category":"other","is_stopped":1,"reason":"stolen cards"}'
    assert (acts[1]["before"], acts[1]["after"]) == ("", told)
    assert (acts[0]["before"], acts[0]["origin"]) == (told, "192.0.2.7")
    assert audit.first_broken() is None


@pytest.mark.asyncio
async def test_what_there_is_not_is_not_stopped_and_nothing_without_a_reason(shop: Shop) -> None:
    desk = SwitchDesk(services_of(shop))
    wrong = (
        (SwitchKind.MERCHANT, "mch_9", "why not", "merchant_unknown"),
        (SwitchKind.DEVICE, "pos9", "why not", "device_unknown"),
        (SwitchKind.CHANNEL, "NOBODY", "why not", "channel_unknown"),
        (SwitchKind.MERCHANT, MERCHANT, "  ", "field_invalid"),
    )
    for kind, subject, reason, code in wrong:
        with pytest.raises(CallerError, match=code):
            await desk.turn(kind, subject, is_stopped=True, reason=reason, actor="ops", origin="")
    assert await desk.all() == []
    assert AuditRepository(shop.reader).acts(ActFilter(), limit=10) == []


@pytest.mark.parametrize("code", ["merchant_stopped", "device_stopped", "channel_stopped"])
def test_each_refusal_says_that_nothing_was_charged(code: str) -> None:
    advice = CATALOGUE[code]
    assert advice.zh
    assert advice.en
