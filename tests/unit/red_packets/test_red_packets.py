"""Red packets over the wallet's interface: sent with the PIN, claimed once, given back."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from backend.ledger.rules.legs import Event, posted
from backend.payments.expiry import expire_red_packets
from backend.red_packets.giving import GiveRedPacket
from backend.red_packets.limits import LIFE_MS
from backend.red_packets.model import RedPacketKind, check_split, split
from backend.wallet.service import SetPayerStatus
from protocol.errors import CallerError
from tests.support.books import Post
from tests.support.disputes import settle
from tests.support.shop import MERCHANT, Shop, bugs_in
from tests.support.wallet_http import client_of, services_of
from tests.unit.wallet.test_wallet_http import PIN, Phone


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    shop = Shop(migrated_url)
    with capture_logs() as logs:
        yield shop
    shop.close()
    assert not bugs_in(logs)


@pytest.fixture
def http(shop: Shop) -> Iterator[TestClient]:
    with client_of(shop) as client:
        yield client


def _send(phone: Phone, **changes: Any) -> Any:
    wanted = {
        "red_packet_id": phone.shop.id("rpk"), "kind": "equal", "total_minor": 1_000,
        "share_count": 3, "wish": "恭喜发财", "pin": PIN,
    } | changes  # fmt: skip
    return phone.post("red-packets", wanted)


def _code(answer: Any) -> str:
    return str(answer["error"]["code"])


def test_a_packet_is_sent_claimed_once_each_and_taken(shop: Shop, http: TestClient) -> None:
    sender, friends = Phone(shop, http), [Phone(shop, http, balance_minor=0) for _ in range(3)]
    sent = _send(sender)
    assert (sent["state"], sent["left_minor"], sent["wish"]) == ("open", 1_000, "恭喜发财")
    assert "shares" not in sent
    assert sender.get("balance")["balance_minor"] == 49_000
    path = f"red-packets/{sent['red_packet_id']}"
    first = friends[0].post(f"{path}/claim")
    assert friends[0].post(f"{path}/claim") == first
    shares = [first, sender.post(f"{path}/claim"), friends[1].post(f"{path}/claim")]
    assert [share["amount_minor"] for share in shares] == [334, 333, 333]
    assert _code(friends[2].post(f"{path}/claim")) == "red_packet_taken"
    assert friends[0].post(f"{path}/claim") == first
    seen = friends[2].get(path)
    assert (seen["state"], seen["left_minor"], seen["returned_minor"]) == ("taken", 0, 0)
    assert [one["payer_masked"] for one in seen["claims"]] == ["韩**"] * 3
    assert friends[1].get("red-packets")["claimed"] == [shares[2]]
    assert [one["red_packet_id"] for one in sender.get("red-packets")["sent"]] == [
        sent["red_packet_id"]
    ]
    assert shop.balance("C:REDPKT:CNY") == 0


def test_what_nobody_takes_in_a_day_goes_back(shop: Shop, http: TestClient) -> None:
    sender, friend = Phone(shop, http), Phone(shop, http, balance_minor=0)
    path = f"red-packets/{_send(sender, kind='lucky')['red_packet_id']}"
    taken = friend.post(f"{path}/claim")["amount_minor"]
    services = services_of(shop)
    shop.clock.at_ms += LIFE_MS - 1
    assert asyncio.run(expire_red_packets(services)) == 0
    shop.clock.at_ms += 1
    late = Phone(shop, http, balance_minor=0)
    assert _code(late.post(f"{path}/claim")) == "red_packet_expired"
    assert asyncio.run(expire_red_packets(services)) == 1
    assert asyncio.run(expire_red_packets(services)) == 0
    assert _code(late.post(f"{path}/claim")) == "red_packet_expired"
    seen = sender.get(path)
    assert (seen["state"], seen["returned_minor"]) == ("returned", 1_000 - taken)
    assert sender.get("balance")["balance_minor"] == 50_000 - taken
    assert shop.balance("C:REDPKT:CNY") == 0


def test_a_packet_that_cannot_go_back_holds_up_no_other(shop: Shop, http: TestClient) -> None:
    """Somebody has taken out of the books what the first must give back."""
    sender = Phone(shop, http)
    first, second = (_send(sender, total_minor=total)["red_packet_id"] for total in (1_000, 300))
    legs = [("C:REDPKT:CNY", f"C:CUST:{sender.payer_id}:CNY", 900)]
    shop.do(Post(posted(Event("astray", "CNY", "2026-11-23"), "red_packet_expired", legs)))
    shop.clock.at_ms += LIFE_MS
    with capture_logs() as logs:
        assert asyncio.run(expire_red_packets(services_of(shop))) == 1
    [said] = [log for log in logs if log["event"] == "expiry_refused"]
    assert (said["what"], said["count"], said["first"]) == ("red_packet", 1, first)
    states = {one: sender.get(f"red-packets/{one}")["state"] for one in (first, second)}
    assert states == {first: "open", second: "returned"}
    assert shop.balance("C:REDPKT:CNY") == 100


def test_what_is_wrong_with_a_packet_is_said(shop: Shop, http: TestClient) -> None:
    sender, friend = Phone(shop, http), Phone(shop, http, balance_minor=0)
    assert _code(_send(sender, pin="000000")) == "pin_wrong"
    assert _code(_send(sender, total_minor=2)) == "amount_invalid"
    assert _code(_send(sender, total_minor=60_001)) == "amount_invalid"
    assert _code(_send(friend)) == "insufficient_balance"
    assert _code(friend.post(f"red-packets/{shop.id('rpk')}/claim")) == "red_packet_not_found"
    assert _code(friend.get(f"red-packets/{shop.id('rpk')}")) == "red_packet_not_found"
    one = _send(sender, share_count=1)
    assert _code(sender.post(f"red-packets/{one['red_packet_id']}/claim")) == "red_packet_own"
    again = {"red_packet_id": one["red_packet_id"], "share_count": 1}
    assert _send(sender, **again) == one
    assert _code(_send(sender, **again, wish="")) == "idempotency_conflict"
    claim = f"red-packets/{one['red_packet_id']}/claim"
    acts: tuple[tuple[Phone, Callable[[], Any]], ...] = (
        (friend, lambda: friend.post(claim)),
        (sender, lambda: _send(sender)),
    )
    for frozen, act in acts:
        shop.do(SetPayerStatus(payer_id=frozen.payer_id, is_frozen=True))
        assert _code(act()) == "payer_frozen"
    assert sender.get("balance")["balance_minor"] == 49_000


def test_a_merchants_packet_is_for_its_payer_alone(shop: Shop, http: TestClient) -> None:
    receiver, other = Phone(shop, http, balance_minor=0), Phone(shop, http)
    shop.add_merchant()
    shop.pay(shop.add_payer(balance_minor=10_000), 10_000)
    settle(shop)
    wanted: dict[str, Any] = {
        "red_packet_id": shop.id("rpk"), "merchant_id": MERCHANT, "currency": "CNY",
        "receiver_id": receiver.payer_id, "sender_name": "晨光", "wish": "谢谢",
        "rules": shop.rules,
    }  # fmt: skip
    with pytest.raises(CallerError, match="merchant_balance_short"):
        shop.do(GiveRedPacket(amount_minor=10_000, **wanted))
    shop.do(GiveRedPacket(amount_minor=5_000, **wanted))
    path = f"red-packets/{wanted['red_packet_id']}"
    assert _code(other.get(path)) == _code(other.post(f"{path}/claim")) == "red_packet_not_found"
    assert receiver.get("red-packets")["received"][0]["sender_name"] == "晨光"
    assert receiver.post(f"{path}/claim")["amount_minor"] == 5_000
    assert receiver.get("balance")["balance_minor"] == 5_000
    second = wanted | {"red_packet_id": shop.id("rpk")}
    shop.do(GiveRedPacket(amount_minor=4_000, **second))
    shop.clock.at_ms += LIFE_MS
    assert asyncio.run(expire_red_packets(services_of(shop))) == 1
    assert shop.balance(f"C:MAVAIL:{MERCHANT}:CNY") == 9_940 - 5_000


def test_a_lucky_packet_is_decided_by_its_seed_and_never_even_for_long() -> None:
    lucky = RedPacketKind.LUCKY
    shares = split(10_000, 20, lucky, seed=b"one")
    assert shares == split(10_000, 20, lucky, seed=b"one")
    assert shares != split(10_000, 20, lucky, seed=b"two")
    assert len(set(shares)) > 10
    assert split(20, 20, lucky, seed=b"one") == (1,) * 20
    assert split(40_000, 2, lucky, seed=b"one") == (20_000, 20_000)
    for total, count in ((0, 1), (5, 6), (20_001, 1)):
        with pytest.raises(CallerError, match="amount_invalid"):
            check_split(total, count)
    with pytest.raises(CallerError, match="field_invalid"):
        check_split(1_000, 101)


def test_early_claims_get_no_more_on_average_than_late_ones() -> None:
    sums = [0] * 5
    for number in range(2_000):
        shares = split(5_000, 5, RedPacketKind.LUCKY, seed=number.to_bytes(4, "big"))
        sums = [total + share for total, share in zip(sums, shares, strict=True)]
    assert all(abs(total / 2_000 - 1_000) < 50 for total in sums)
