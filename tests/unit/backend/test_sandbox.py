"""The sandbox institutions: their own books, first answers, and every fault switch."""

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from starlette.testclient import TestClient

from backend.channels import iso20022, signed_http
from backend.channels.iso20022 import CreditTransfer, Instruction
from backend.sandbox.app import Institutions, build_app
from backend.sandbox.bank import Bank
from backend.sandbox.institution.books import VAULT_ACCOUNT
from protocol.crypto.keys import generate
from protocol.errors import CallerError
from protocol.money import Money

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
    bank.move("STL-1", "CARD-1", "RESERVE", Money(amount, "CNY"), DAY, "settlement")


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
    accounts = ("RESERVE", "CARD-1", "SHOP", VAULT_ACCOUNT)
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


def an_order() -> bytes:
    return iso20022.write_instruction(instruction())


def test_the_bank_is_asked_over_http_with_signatures_both_ways(bank: Bank, peer: Peer) -> None:
    fund_reserve(bank)
    day = peer.control("clock", advance_ms=0)["day"]
    report = iso20022.read_status_report(peer.ask("POST", "/bank/instructions", an_order())[1])
    assert report.transfers[0].status == "ACSC"
    page = iso20022.read_statement(peer.ask("GET", f"/bank/accounts/RESERVE/statements/{day}")[1])
    assert page.closing == Money(700, "CNY")


def test_a_request_that_a_stranger_signed_or_that_was_changed_is_refused(peer: Peer) -> None:
    assert peer.ask("POST", "/bank/instructions", an_order(), key=generate("ES256"))[0] == 401
    headers = signed_http.request_headers(OURS, method="POST", path="/bank/instructions", body=b"x")
    answer = peer.http.post("/bank/instructions", content=an_order(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")


def test_what_never_arrived_is_not_found(peer: Peer) -> None:
    assert peer.ask("GET", "/bank/instructions/none")[0] == 404


def test_a_dropped_answer_was_committed_all_the_same(peer: Peer) -> None:
    peer.control("faults", drop_answer_after_commit=1)
    assert peer.ask("POST", "/bank/instructions", an_order())[0] == 504
    status, content = peer.ask("GET", "/bank/instructions/M1")
    assert (status, iso20022.read_status_report(content).original_message_id) == (200, "M1")


def test_each_fault_strikes_as_often_as_it_was_armed(peer: Peer) -> None:
    peer.control("faults", be_down=1)
    assert peer.ask("GET", "/bank/instructions/none")[0] == 503
    assert peer.ask("GET", "/bank/instructions/none")[0] == 404
    peer.control("faults", bad_signature=1)
    with pytest.raises(CallerError):
        peer.ask("GET", "/bank/instructions/none")
    peer.control("faults", reject_payout=1)
    order = iso20022.write_instruction(instruction())
    report = iso20022.read_status_report(peer.ask("POST", "/bank/instructions", order)[1])
    assert report.transfers[0].reason == "AC01"
