"""The sandbox's payment channels: first answers, tombstones, refunds up to the order, faults."""

import json
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from starlette.testclient import TestClient

from backend.channels import signed_http
from backend.channels.model import PayOrder, RefundOrder
from backend.sandbox.app import Institutions, build_app
from backend.sandbox.bank import Bank
from backend.sandbox.cards import card_day
from backend.sandbox.institution import signed
from backend.sandbox.institution.orders import OrderBook
from protocol.crypto.keys import generate
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.day_files import read_rows

DAY = date(2026, 9, 30)
NOON = 1_790_740_800_000
OURS, THEIRS = generate("ES256"), generate("ES256")
RESERVE = "RESERVE"


class FixedClock:
    def now_ms(self) -> int:
        return NOON


@pytest.fixture
def world() -> Iterator[Institutions]:
    bank = Bank(":memory:")
    peers = signed_http.by_kid(OURS.public)
    world = Institutions(
        bank=bank, clock=FixedClock(), key=THEIRS, peers=peers, reserve_account=RESERVE
    )
    bank.open_account(RESERVE, "reserve", yuan(0), day=DAY)
    for name in ("card", "fund"):
        bank.open_account(f"{name}-1", "李雷", yuan(100), day=DAY)
        world.channels.books[name].bind(f"tok_{name}", f"{name}-1")
    yield world
    bank.close()


def yuan(amount: int) -> Money:
    return Money(amount * 100, "CNY")


@pytest.fixture
def book(world: Institutions) -> OrderBook:
    return world.channels.books["card"]


def order(order_id: str = "o1", amount: int = 30) -> PayOrder:
    return PayOrder(order_id, "tok_card", yuan(amount))


def left(world: Institutions, account: str = "card-1") -> int:
    return world.bank.balance(account).amount_minor // 100


def test_an_order_is_paid_once_and_other_content_is_a_conflict(
    world: Institutions, book: OrderBook
) -> None:
    first = book.pay(order(), day=DAY)
    assert (first.state, book.pay(order(), day=date(2026, 10, 1))) == ("succeeded", first)
    assert left(world) == 70
    with pytest.raises(CallerError) as caught:
        book.pay(order(amount=31), day=DAY)
    assert caught.value.code == "idempotency_conflict"


def test_a_reversal_gives_back_once_and_is_the_order_s_end(
    world: Institutions, book: OrderBook
) -> None:
    book.pay(order(), day=DAY)
    first = book.reverse("o1", day=DAY)
    assert (first.state, book.reverse("o1", day=DAY)) == ("reversed", first)
    assert book.pay(order(), day=DAY).state == "reversed"
    assert left(world) == 100


def test_a_reversal_before_its_order_leaves_a_tombstone(
    world: Institutions, book: OrderBook
) -> None:
    assert book.reverse("o1", day=DAY).state == "reversed"
    assert book.pay(order(), day=DAY).state == "reversed"
    assert left(world) == 100
    assert book.rows(DAY) == []


def test_a_settled_or_refunded_order_is_not_reversed(world: Institutions, book: OrderBook) -> None:
    book.pay(order("o1"), day=DAY)
    book.pay(order("o2"), day=DAY)
    book.refund(RefundOrder("r2", "o2", yuan(1)), day=DAY)
    assert book.reverse("o2", day=DAY).reason == "refunded"
    book.settle(RESERVE, "CARD-TRANSIT", day=DAY, booked_on=DAY)
    refused = book.reverse("o1", day=date(2026, 10, 1))
    assert (refused.state, refused.reason, refused.settlement_date) == (
        "refused", "settled", DAY.isoformat(),
    )  # fmt: skip
    assert left(world) == 41


def test_refunds_sum_to_the_order_at_most(world: Institutions, book: OrderBook) -> None:
    book.pay(order(), day=DAY)
    answers = [book.refund(RefundOrder(f"r{n}", "o1", yuan(10)), day=DAY) for n in range(4)]
    assert [answer.state for answer in answers] == ["succeeded"] * 3 + ["refused"]
    assert book.refund(RefundOrder("r0", "o1", yuan(10)), day=DAY) == answers[0]
    with pytest.raises(CallerError):
        book.refund(RefundOrder("r0", "o1", yuan(9)), day=DAY)
    assert book.refund(RefundOrder("r9", "nothing", yuan(1)), day=DAY).state == "refused"
    assert left(world) == 100


def test_a_day_is_settled_once_with_what_went_both_ways(
    world: Institutions, book: OrderBook
) -> None:
    book.pay(order(amount=30), day=DAY)
    book.refund(RefundOrder("r1", "o1", yuan(5)), day=DAY)
    for _ in range(2):
        assert book.settle(RESERVE, "CARD-TRANSIT", day=DAY, booked_on=DAY) == 2_500
    assert left(world, RESERVE) == 25


def test_the_card_s_day_ends_an_hour_before_china_s() -> None:
    before, after = 1_790_780_399_000, 1_790_780_400_000  # 22:59:59 and 23:00:00
    assert (card_day(before), card_day(after)) == (date(2026, 9, 30), date(2026, 10, 1))


class Peer:
    """Us, towards the sandbox, over HTTP with signatures both ways."""

    def __init__(self, world: Institutions) -> None:
        self.http = TestClient(build_app(world))

    def ask(self, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
        body = json.dumps(content).encode() if content is not None else b""
        headers = signed_http.request_headers(OURS, method=method, path=path, body=body)
        response = self.http.request(method, path, content=body, headers=headers)
        if response.status_code in {200, 404}:
            signed_http.check_response(
                signed_http.by_kid(THEIRS.public),
                response.headers,
                status=response.status_code,
                request_signature=headers[signed_http.SIGNATURE_HEADER],
                digest=sha256(response.content).hexdigest(),
            )
        return response

    def pay(self, channel: str = "card", order_id: str = "o1") -> Any:
        content = {
            "order_id": order_id,
            "token": f"tok_{channel}",
            "amount_minor": 3_000,
            "currency": "CNY",
        }
        return self.ask("POST", f"/{channel}/orders", content)

    def fault(self, **counts: int) -> None:
        assert self.http.post("/control/faults", json=counts).status_code == 200


@pytest.fixture
def peer(world: Institutions) -> Peer:
    return Peer(world)


@pytest.mark.parametrize("channel", ["card", "fund"])
def test_orders_reversals_and_refunds_go_over_http(
    world: Institutions, peer: Peer, channel: str
) -> None:
    assert peer.ask("GET", f"/{channel}/orders/o1").status_code == 404
    paid = peer.pay(channel).json()
    assert (paid["state"], paid["day"]) == ("succeeded", "2026-09-30")
    assert peer.ask("GET", f"/{channel}/orders/o1").json() == paid
    wanted = {"refund_id": "r1", "order_id": "o1", "amount_minor": 100, "currency": "CNY"}
    refunded = peer.ask("POST", f"/{channel}/refunds", wanted).json()
    assert peer.ask("GET", f"/{channel}/refunds/r1").json() == refunded
    assert peer.ask("POST", f"/{channel}/orders/o1/reversal", {}).json()["state"] == "refused"
    file = read_rows(peer.ask("GET", f"/{channel}/days/{DAY}/file").content)
    assert [(row.kind, row.signed_minor) for row in file] == [
        ("payment", 3_000),
        ("refund", -100),
    ]
    assert left(world, f"{channel}-1") == 71


@pytest.mark.parametrize("channel", ["card", "fund"])
def test_a_chargeback_takes_its_money_out_of_the_day_s_file(
    world: Institutions, peer: Peer, channel: str
) -> None:
    peer.pay(channel)
    case = {"channel": channel, "case_id": "dsp_1", "order_id": "o1", "amount_minor": 1_000}
    for _ in range(2):
        said = peer.http.post("/control/chargebacks", json=case)
        assert said.json() == {"case_id": "dsp_1", "day": "2026-09-30"}
    too_much = case | {"case_id": "dsp_2", "amount_minor": 2_001}
    assert peer.http.post("/control/chargebacks", json=too_much).status_code == 400
    file = read_rows(peer.ask("GET", f"/{channel}/days/{DAY}/file").content)
    assert [(row.kind, row.reference, row.signed_minor) for row in file] == [
        ("payment", "o1", 3_000),
        ("chargeback", "dsp_1", -1_000),
    ]
    assert left(world, f"{channel}-1") == 80


def test_an_unsigned_or_malformed_order_moves_nothing(world: Institutions, peer: Peer) -> None:
    assert peer.http.post("/card/orders", content=b"{}").status_code == 401
    assert peer.ask("POST", "/card/orders", {"order_id": "o1"}).status_code == 400
    assert left(world) == 100


def test_an_order_that_runs_twice_is_paid_once(world: Institutions, peer: Peer) -> None:
    peer.fault(duplicate=1)
    assert peer.pay().json()["state"] == "succeeded"
    assert left(world) == 70


def test_a_late_order_finds_its_tombstone(world: Institutions, peer: Peer) -> None:
    peer.fault(arrive_late=1)
    assert peer.pay().status_code == 504
    assert peer.ask("POST", "/card/orders/o1/reversal", {}).json()["state"] == "reversed"
    assert peer.http.post("/control/late").json() == {"delivered": 1}
    assert peer.ask("GET", "/card/orders/o1").json()["state"] == "reversed"
    assert left(world) == 100


def test_refusals_silence_and_slowness_can_be_switched_on(
    world: Institutions, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed, "SLOW_ANSWER_S", 0)
    peer.fault(refuse_order=1, be_slow=1)
    assert peer.pay(order_id="o1").json()["state"] == "refused"
    peer.fault(drop_answer_after_commit=1)
    assert peer.pay(order_id="o2").status_code == 504
    assert peer.ask("GET", "/card/orders/o2").json()["state"] == "succeeded"
    peer.fault(be_down=1)
    assert peer.pay(order_id="o3").status_code == 503
    assert left(world) == 70


def test_the_card_s_day_is_settled_when_it_is_over_and_the_fund_s_on_the_day_itself(
    world: Institutions, peer: Peer
) -> None:
    peer.pay("card")
    peer.pay("fund")
    assert peer.ask("POST", f"/card/days/{DAY}/settlement").status_code == 400
    world.advance(86_400_000)
    for channel in ("card", "fund"):
        answer = peer.ask("POST", f"/{channel}/days/{DAY}/settlement")
        assert answer.json() == {"net_minor": 3_000}
    first = world.bank.statement(RESERVE, day=DAY, at_ms=0)
    second = world.bank.statement(RESERVE, day=date(2026, 10, 1), at_ms=0)
    assert [entry.reference for entry in first.entries] == ["STL-ADVBANK-20260930"]
    assert [entry.reference for entry in second.entries] == ["STL-NUCC-20260930"]
