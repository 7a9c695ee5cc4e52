"""The sandbox institutions: their own books, first answers, and every fault switch."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from starlette.testclient import TestClient

from backend.channels import iso20022, signed_http
from backend.channels.iso20022 import CreditTransfer, Instruction
from backend.channels.model import TopUpOrder
from backend.sandbox.app import Institutions, build_app
from backend.sandbox.bank import CHANNEL_ACCOUNT, Bank
from backend.sandbox.institution.books import VAULT_ACCOUNT
from protocol.crypto.keys import generate
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.day_files import read_rows

DAY = date(2026, 9, 30)
NOW = 1_790_726_400_000
OURS, THEIRS = generate("ES256"), generate("ES256")


class FixedClock:
    def now_ms(self) -> int:
        return NOW


@pytest.fixture
def bank() -> Iterator[Bank]:
    bank = Bank(":memory:")
    bank.open_account("RESERVE", "Tillway reserve", Money(0, "CNY"), day=DAY)
    bank.open_account("CARD-1", "Alice", Money(10_000, "CNY"), day=DAY)
    bank.open_account("SHOP", "Shop", Money(0, "CNY"), day=DAY)
    yield bank
    bank.close()


def instruction(message_id: str = "M1", *, amount: int = 300, to: str = "SHOP") -> Instruction:
    transfer = CreditTransfer(f"E-{message_id}", Money(amount, "CNY"), "Shop", to)
    return Instruction(message_id, NOW, DAY, "Tillway", "RESERVE", (transfer,))


def execute(bank: Bank, order: Instruction) -> iso20022.StatusReport:
    data = iso20022.write_instruction(order)
    return iso20022.read_status_report(bank.execute(order, data, day=DAY, at_ms=NOW))


def fund_reserve(bank: Bank, amount: int = 1000) -> None:
    bank.top_up(TopUpOrder("t0", "CARD-1", Money(amount, "CNY")), day=DAY)
    bank.settle_channel("RESERVE", day=DAY, booked_on=DAY)


def test_a_top_up_moves_money_once_however_often_it_is_asked(bank: Bank) -> None:
    order = TopUpOrder("t1", "CARD-1", Money(700, "CNY"))
    first = bank.top_up(order, day=DAY)
    assert (first.state, bank.top_up(order, day=DAY)) == ("succeeded", first)
    assert bank.balance("CARD-1") == Money(9_300, "CNY")
    with pytest.raises(CallerError) as caught:
        bank.top_up(dataclasses.replace(order, amount=Money(701, "CNY")), day=DAY)
    assert caught.value.code == "idempotency_conflict"


def test_a_top_up_the_account_cannot_pay_fails_with_a_reason(bank: Bank) -> None:
    assert bank.top_up(TopUpOrder("t1", "CARD-1", Money(10_001, "CNY")), day=DAY).reason == "AM04"
    assert bank.top_up(TopUpOrder("t2", "NOBODY", Money(1, "CNY")), day=DAY).reason == "AC01"
    assert bank.top_up(TopUpOrder("t3", "CARD-1", Money(1, "USD")), day=DAY).reason == "AM03"
    assert bank.balance("CARD-1") == Money(10_000, "CNY")


def test_the_channel_pays_its_day_into_the_reserve_once(bank: Bank) -> None:
    fund_reserve(bank, 1000)
    bank.settle_channel("RESERVE", day=DAY, booked_on=DAY)
    assert bank.balance("RESERVE") == Money(1000, "CNY")
    assert bank.balance(CHANNEL_ACCOUNT) == Money(0, "CNY")


def test_a_payout_is_carried_out_once_and_answered_the_same(bank: Bank) -> None:
    fund_reserve(bank)
    first = execute(bank, instruction())
    assert [item.status for item in first.transfers] == ["ACSC"]
    assert execute(bank, instruction()) == first
    assert bank.status("M1") == first
    assert bank.balance("SHOP") == Money(300, "CNY")
    with pytest.raises(CallerError):
        execute(bank, instruction(amount=301))


def test_a_payout_to_nowhere_or_without_cover_is_rejected_with_a_reason(bank: Bank) -> None:
    fund_reserve(bank)
    assert execute(bank, instruction("M2", to="NOBODY")).transfers[0].reason == "AC01"
    assert execute(bank, instruction("M3", amount=1001)).transfers[0].reason == "AM04"
    assert bank.balance("RESERVE") == Money(1000, "CNY")


def test_a_statement_explains_the_balance_and_the_books_stay_balanced(bank: Bank) -> None:
    fund_reserve(bank)
    execute(bank, instruction())
    page = bank.statement("RESERVE", day=DAY, at_ms=NOW)
    assert iso20022.read_statement(iso20022.write_statement(page)) == page
    assert [entry.amount.amount_minor for entry in page.entries] == [1000, -300]
    later = bank.statement("RESERVE", day=date(2026, 10, 1), at_ms=NOW)
    assert (later.opening, later.entries) == (Money(700, "CNY"), ())
    accounts = ("RESERVE", "CARD-1", "SHOP", CHANNEL_ACCOUNT, VAULT_ACCOUNT)
    assert sum(bank.balance(number).amount_minor for number in accounts) == 0


def test_reopening_an_account_under_another_name_is_refused(bank: Bank) -> None:
    bank.open_account("SHOP", "Shop", Money(0, "CNY"), day=DAY)
    with pytest.raises(CallerError):
        bank.open_account("SHOP", "Somebody else", Money(0, "CNY"), day=DAY)


# Over HTTP


class Peer:
    """Somebody who signs requests and checks the answers' signatures."""

    def __init__(self, world: Institutions) -> None:
        self.http = TestClient(build_app(world))
        self.keys = signed_http.by_kid(THEIRS.public)

    def ask(
        self, method: str, path: str, body: bytes = b"", *, key: Any = OURS
    ) -> tuple[int, bytes]:
        headers = signed_http.request_headers(key, method=method, path=path, body=body)
        answer = self.http.request(method, path, content=body, headers=headers)
        if answer.status_code in {200, 404}:
            signed_http.check_response(
                self.keys,
                answer.headers,
                status=answer.status_code,
                request_signature=headers[signed_http.SIGNATURE_HEADER],
                digest=sha256(answer.content).hexdigest(),
            )
        return answer.status_code, answer.content

    def control(self, path: str, **body: Any) -> Any:
        answer = self.http.post(f"/control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def peer(bank: Bank) -> Peer:
    world = Institutions(
        bank=bank,
        clock=FixedClock(),
        key=THEIRS,
        peers=signed_http.by_kid(OURS.public),
        reserve_account="RESERVE",
    )
    return Peer(world)


def topup_body(topup_id: str = "t1", amount_minor: Any = 500) -> bytes:
    return json.dumps(
        {"topup_id": topup_id, "account": "CARD-1", "amount_minor": amount_minor, "currency": "CNY"}
    ).encode()


def test_the_whole_day_goes_over_http_with_signatures_both_ways(peer: Peer) -> None:
    assert peer.ask("POST", "/channel/topups", topup_body())[0] == 200
    day = peer.control("clock", advance_ms=0)["day"]
    assert peer.ask("POST", f"/channel/days/{day}/settlement")[0] == 200
    file = read_rows(peer.ask("GET", f"/channel/days/{day}/file")[1])
    assert [row.reference for row in file] == ["t1"]
    order = iso20022.write_instruction(instruction())
    report = iso20022.read_status_report(peer.ask("POST", "/bank/instructions", order)[1])
    assert report.transfers[0].status == "ACSC"
    page = iso20022.read_statement(peer.ask("GET", f"/bank/accounts/RESERVE/statements/{day}")[1])
    assert page.closing == Money(200, "CNY")


def test_a_request_that_a_stranger_signed_or_that_was_changed_is_refused(peer: Peer) -> None:
    assert peer.ask("POST", "/channel/topups", topup_body(), key=generate("ES256"))[0] == 401
    headers = signed_http.request_headers(OURS, method="POST", path="/channel/topups", body=b"x")
    answer = peer.http.post("/channel/topups", content=topup_body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", topup_body(amount_minor=0),
                                  topup_body(amount_minor=1.5)])  # fmt: skip
def test_a_bad_top_up_is_refused_with_its_code(peer: Peer, body: bytes) -> None:
    status, content = peer.ask("POST", "/channel/topups", body)
    assert (status, json.loads(content)["code"]) == (400, "field_invalid")


def test_what_never_arrived_is_not_found(peer: Peer) -> None:
    assert peer.ask("GET", "/channel/topups/none")[0] == 404
    assert peer.ask("GET", "/bank/instructions/none")[0] == 404


def test_a_dropped_answer_was_committed_all_the_same(peer: Peer) -> None:
    peer.control("faults", drop_answer_after_commit=1)
    assert peer.ask("POST", "/channel/topups", topup_body())[0] == 504
    status, content = peer.ask("GET", "/channel/topups/t1")
    assert (status, json.loads(content)["state"]) == (200, "succeeded")


def test_each_fault_strikes_as_often_as_it_was_armed(peer: Peer) -> None:
    peer.control("faults", be_down=1)
    assert peer.ask("GET", "/channel/topups/none")[0] == 503
    assert peer.ask("GET", "/channel/topups/none")[0] == 404
    peer.control("faults", bad_signature=1)
    with pytest.raises(CallerError):
        peer.ask("GET", "/channel/topups/none")
    peer.control("faults", reject_payout=1)
    order = iso20022.write_instruction(instruction())
    report = iso20022.read_status_report(peer.ask("POST", "/bank/instructions", order)[1])
    assert report.transfers[0].reason == "AC01"


@pytest.mark.parametrize(
    ("fault", "amounts"),
    [
        ("amount_off_by_one", [501, 600]),
        ("row_missing", [500]),
        ("row_twice", [500, 600, 500]),
    ],
)
def test_a_faulty_file_is_whole_but_wrong(peer: Peer, fault: str, amounts: list[int]) -> None:
    peer.ask("POST", "/channel/topups", topup_body("t1", 500))
    peer.ask("POST", "/channel/topups", topup_body("t2", 600))
    day = peer.control("clock", advance_ms=0)["day"]
    peer.control("faults", **{fault: 1})
    file = read_rows(peer.ask("GET", f"/channel/days/{day}/file")[1])
    assert [row.amount.amount_minor for row in file] == amounts
