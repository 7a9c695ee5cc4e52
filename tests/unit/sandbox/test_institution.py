"""What every institution is made of: books that balance, a clock, faults, an outbox."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi import Request, Response
from starlette.testclient import TestClient

from backend.channels import signed_http
from backend.channels.address import Address
from backend.channels.day_file import DayRow
from backend.sandbox.institution import signed
from backend.sandbox.institution.books import VAULT_ACCOUNT, Books
from backend.sandbox.institution.control import add_control
from backend.sandbox.institution.faults import COMMON, Faults, spoil_rows
from backend.sandbox.institution.house import Answer, House, furnish
from backend.sandbox.institution.own_clock import OwnClock, china_day
from backend.sandbox.institution.settling import (
    SettlementOrder,
    SettlementOutbox,
    SettlementWord,
)
from backend.sandbox.institution.state_files import (
    KnownKeys,
    Neighbours,
    own_key,
    write_address,
)
from backend.sandbox.remote import duration_ms
from protocol.clock import DAY_MS
from protocol.crypto.keys import generate
from protocol.errors import CallerError, OperatingError
from protocol.money import Money

pytestmark = pytest.mark.anyio
DAY = date(2026, 9, 30)
NOW = 1_790_726_400_000
OURS, THEIRS = generate("ES256"), generate("ES256")


class FixedClock:
    def now_ms(self) -> int:
        return NOW


@pytest.fixture
def books() -> Iterator[Books]:
    books = Books(":memory:")
    yield books
    books.close()


@pytest.fixture
def house(books: Books) -> House:
    return furnish(
        "netsunion",
        books,
        clock=FixedClock(),
        key=THEIRS,
        peers=signed_http.by_kid(OURS.public),
        faults=("refuse_order",),
    )


def yuan(minor: int) -> Money:
    return Money(minor, "CNY")


# Books


def move_all(books: Books, *references: str) -> None:
    with books.transaction():
        for reference in references:
            books.move(reference, "A", "B", yuan(1), DAY, "")


def test_a_day_of_an_account_is_its_opening_its_movements_and_its_closing(books: Books) -> None:
    books.open_account("A", "Alice", yuan(1000), day=DAY)
    books.open_account("B", "Bob", yuan(0), day=DAY)
    later = date(2026, 10, 1)
    with books.transaction():
        books.move("M1", "A", "B", yuan(300), later, "lunch")
    page = books.account_day("A", later)
    assert (page.opening, page.closing) == (yuan(1000), yuan(700))
    assert [(m.reference, m.amount, m.other) for m in page.movements] == [("M1", yuan(-300), "B")]
    assert sum(books.balance(n).amount_minor for n in books.numbers()) == 0
    assert books.balance(VAULT_ACCOUNT) == yuan(-1000)


def test_a_reference_moves_once_and_a_failed_transaction_leaves_nothing(books: Books) -> None:
    books.open_account("A", "Alice", yuan(1000), day=DAY)
    books.open_account("B", "Bob", yuan(0), day=DAY)
    with books.transaction():
        books.move("M1", "A", "B", yuan(1), DAY, "")
    with pytest.raises(sqlite3.IntegrityError):
        move_all(books, "M2", "M1")
    assert (books.has_moved("M1"), books.has_moved("M2")) == (True, False)
    assert books.balance("B") == yuan(1)


def test_an_account_is_asked_before_it_pays(books: Books) -> None:
    books.open_account("A", "Alice", yuan(10), day=DAY)
    assert books.refusal("A", yuan(10)) == ""
    assert books.refusal("A", yuan(11)) == "AM04"
    assert books.refusal("A", Money(1, "USD")) == "AM03"
    assert books.refusal("NOBODY", yuan(1)) == "AC01"


# Clock


def test_a_clock_that_was_put_forward_stays_so_after_a_restart(tmp_path: Path) -> None:
    books = Books(tmp_path / "books.db")
    OwnClock(FixedClock(), books).advance(2 * DAY_MS)
    books.close()
    again = Books(tmp_path / "books.db")
    clock = OwnClock(FixedClock(), again)
    assert clock.now_ms() == NOW + 2 * DAY_MS
    with pytest.raises(CallerError):
        clock.advance(-1)
    again.close()


def test_chinas_day_begins_at_sixteen_hours_of_greenwich() -> None:
    midnight = 1_790_697_600_000
    assert china_day(midnight - 1) == date(2026, 9, 29)
    assert china_day(midnight) == DAY


def test_a_time_is_written_in_days_hours_minutes_and_seconds() -> None:
    assert duration_ms("1d2h") == 26 * 3_600_000
    assert duration_ms("90s") == 90_000
    for wrong in ("", "2", "h", "-1h", "1w"):
        with pytest.raises(CallerError):
            duration_ms(wrong)


# Faults


def test_a_fault_strikes_as_often_as_it_was_armed() -> None:
    faults = Faults(("refuse_order",))
    faults.arm({"refuse_order": 2})
    faults.arm({"be_down": 1})
    assert [faults.strikes("refuse_order") for _ in range(3)] == [True, True, False]
    assert faults.as_dict()["be_down"] == 1


@pytest.mark.parametrize("counts", [{"no_such": 1}, {"be_down": -1}, {"be_down": 1001}])
def test_a_wrong_switch_arms_none(counts: dict[str, int]) -> None:
    faults = Faults()
    with pytest.raises(CallerError):
        faults.arm({"be_slow": 1, **counts})
    assert set(faults.as_dict().values()) == {0}


@pytest.mark.parametrize(
    ("fault", "amounts"),
    [
        ("amount_off_by_one", [501, 600]),
        ("row_missing", [500]),
        ("row_twice", [500, 600, 500]),
    ],
)
def test_a_files_fault_waits_for_a_day_with_rows(fault: str, amounts: list[int]) -> None:
    faults = Faults()
    faults.arm({fault: 1})
    assert spoil_rows(faults, []) == []
    rows = [DayRow("payment", "p1", "a", yuan(500)), DayRow("payment", "p2", "a", yuan(600))]
    assert [row.amount.amount_minor for row in spoil_rows(faults, rows)] == amounts
    assert spoil_rows(faults, rows) == rows


def test_a_request_that_is_delayed_is_booked_past_the_cut_off(house: House) -> None:
    house.faults.arm({"delay_past_cutoff": 1})
    assert [house.booking_ms(), house.booking_ms()] == [NOW + DAY_MS, NOW]


# Signed lines


class Peer:
    """Someone who signs, and checks what comes back."""

    def __init__(self, house: House) -> None:
        self.done: list[bytes] = []
        app = signed.new_app("test")

        @app.post("/act")
        async def act(request: Request) -> Response:
            return await signed.answer_signed(house, request, self._act)

        add_control(app, house)
        self.http = TestClient(app)
        self.key = OURS

    def _act(self, body: bytes) -> Answer:
        self.done.append(body)
        return 200, b"done", "text/plain"

    def post(self, body: bytes = b"x") -> int:
        headers = signed_http.request_headers(self.key, method="POST", path="/act", body=body)
        answer = self.http.post("/act", content=body, headers=headers)
        if answer.status_code == 200:
            signed_http.check_response(
                signed_http.by_kid(THEIRS.public),
                answer.headers,
                status=200,
                request_signature=headers[signed_http.SIGNATURE_HEADER],
                digest=sha256(answer.content).hexdigest(),
            )
        return answer.status_code

    def arm(self, **counts: int) -> None:
        assert self.http.post("/control/faults", json=counts).status_code == 200


@pytest.fixture
def peer(house: House) -> Peer:
    return Peer(house)


def test_a_strangers_request_does_nothing(peer: Peer) -> None:
    peer.key = generate("ES256")
    assert (peer.post(), peer.done) == (401, [])


@pytest.mark.parametrize(
    ("fault", "status", "times"),
    [
        ("be_down", 503, 0),
        ("arrive_late", 504, 0),
        ("drop_answer_after_commit", 504, 1),
        ("duplicate", 200, 2),
        ("be_slow", 200, 1),
    ],
)
def test_a_fault_strikes_one_request_only(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, fault: str, status: int, times: int
) -> None:
    monkeypatch.setattr(signed, "SLOW_ANSWER_S", 0)
    peer.arm(**{fault: 1})
    assert (peer.post(), len(peer.done)) == (status, times)
    assert (peer.post(), len(peer.done)) == (200, times + 1)


def test_a_bad_signature_is_noticed(peer: Peer) -> None:
    peer.arm(bad_signature=1)
    with pytest.raises(CallerError):
        peer.post()


def test_a_late_request_arrives_when_it_is_let(peer: Peer) -> None:
    peer.arm(arrive_late=1)
    peer.post(b"late")
    peer.post(b"early")
    assert peer.http.post("/control/late").json() == {"delivered": 1}
    assert peer.done == [b"early", b"late"]


def test_control_says_the_time_and_every_switch(peer: Peer, house: House) -> None:
    passed: list[int] = []

    async def pass_time() -> None:
        passed.append(house.clock.now_ms())

    house.time_passes = pass_time
    assert peer.http.get("/control/clock").json() == {"now_ms": NOW, "day": "2026-09-30"}
    said = peer.http.post("/control/clock", json={"advance_ms": DAY_MS}).json()
    assert (said["day"], passed) == ("2026-10-01", [NOW + DAY_MS])
    assert set(peer.http.get("/control/faults").json()) == {*COMMON, "refuse_order"}
    assert peer.http.post("/control/faults", json={"nonsense": 1}).status_code == 400
    wrong = peer.http.post("/control/faults", json={"be_slow": "often"})
    assert wrong.status_code == 400
    assert (wrong.json()["code"], wrong.json()["detail"]) == ("field_invalid", "body.be_slow")
    assert peer.http.get("/healthz").json() == {"status": "ok", "name": "netsunion"}


# Settling


class FakeAgent:
    def __init__(self, *words: SettlementWord | None) -> None:
        self.words = list(words)
        self.told: list[str] = []

    async def settle(self, order: SettlementOrder) -> SettlementWord:
        self.told.append(order.reference)
        word = self.words.pop(0) if self.words else SettlementWord("settled")
        if word is None:
            raise OperatingError("timeout", "no answer")
        return word


def order(reference: str, minor: int = 5) -> SettlementOrder:
    return SettlementOrder(reference, "NUCC", "TILLWAY", yuan(minor), DAY)


async def test_what_is_to_settle_is_told_until_it_is_answered(books: Books) -> None:
    outbox = SettlementOutbox(books)
    with books.transaction():
        outbox.add(order("S1"))
        outbox.add(order("S2"))
        outbox.add(order("S1"))
    agent = FakeAgent(None, SettlementWord("waiting"), SettlementWord("refused", "AM04"))
    assert await outbox.tell(agent) == 2
    assert await outbox.tell(agent) == 1
    assert await outbox.tell(agent) == 0
    assert agent.told == ["S1", "S1", "S2", "S1"]
    assert outbox.word("S1") == SettlementWord("settled")
    assert outbox.word("S2") == SettlementWord("refused", "AM04")


async def test_a_reference_settles_one_amount(books: Books) -> None:
    outbox = SettlementOutbox(books)
    with books.transaction():
        outbox.add(order("S1"))
    with pytest.raises(CallerError), books.transaction():
        outbox.add(order("S1", minor=6))


async def test_what_was_not_committed_is_not_told(books: Books) -> None:
    outbox = SettlementOutbox(books)
    books.db.execute("BEGIN IMMEDIATE")
    outbox.add(order("S1"))
    books.db.execute("ROLLBACK")
    assert await outbox.tell(FakeAgent()) == 0


# State files


def test_a_key_is_known_before_its_institution_runs(tmp_path: Path) -> None:
    key = own_key(tmp_path / "fund")
    assert own_key(tmp_path / "fund").public == key.public
    assert (tmp_path / "fund" / "institution.key").stat().st_mode & 0o077 == 0
    found = Neighbours(tmp_path).find("fund")
    assert found.key == key.public
    with pytest.raises(OperatingError):
        found.url()
    write_address(tmp_path / "fund", Address("fund", key.public, ports={"http": 9, "tcp": 8}))
    found = Neighbours(tmp_path).find("fund")
    assert (found.url(), found.port("tcp")) == ("http://127.0.0.1:9", 8)


def test_neighbours_know_each_other_and_whom_they_were_told(tmp_path: Path) -> None:
    known = KnownKeys(signed_http.by_kid(OURS.public), Neighbours(tmp_path))
    near = own_key(tmp_path / "netsunion")
    assert known.get(near.public.kid.hex()) == near.public
    assert known.get(OURS.public.kid.hex()) == OURS.public
    assert known.get(THEIRS.public.kid.hex()) is None
    assert len(known) == 2


@pytest.mark.parametrize("text", ["{}", "nonsense", '{"ports":{"http":"x"},"key":"","host":"h"}'])
def test_a_broken_address_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "fund").mkdir()
    (tmp_path / "fund" / "address.json").write_text(text)
    with pytest.raises(CallerError, match="config_invalid"):
        Neighbours(tmp_path).find("fund")


def test_who_was_never_set_up_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OperatingError):
        Neighbours(tmp_path).find("fund")
    assert json.dumps(Neighbours(tmp_path).names()) == "[]"
