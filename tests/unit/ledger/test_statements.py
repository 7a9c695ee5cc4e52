"""Statements and balances at any time, against a ledger kept in plain lists beside it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.event import listens_for

from backend.db.engine import open_engine
from backend.ledger import model
from backend.ledger.chart import account
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.model import Transfer
from backend.ledger.projection import next_step
from backend.ledger.rules import (
    Event,
    balance_held,
    balance_paid,
    hold_expired,
    hold_posted,
    hold_voided,
    merchant_settled,
)
from backend.ledger.statements import Balance, Place, Statement, Statements
from protocol.errors import CallerError, OperatingError
from tests.support.books import DATE, START_MS, Books, open_books
from tests.support.migrated import migrated_sqlite

ANN, SHOP, MDR = "C:CUST:ann:CNY", "C:MPEND:shop:CNY", "O:MDR:CNY"
EVER = START_MS + 10**9


def event(name: str) -> Event:
    return Event(name, "CNY", DATE)


def pay(name: str, amount_minor: int, fee_minor: int = 6) -> list[Transfer]:
    return balance_paid(
        event(name), user_id="ann", merchant_id="shop", amount_minor=amount_minor,
        fee_minor=fee_minor,
    )  # fmt: skip


def hold(name: str, amount_minor: int, expires_at_ms: int = EVER) -> Transfer:
    (held,) = balance_held(
        event(name), user_id="ann", merchant_id="shop", amount_minor=amount_minor,
        expires_at_ms=expires_at_ms,
    )  # fmt: skip
    return held


def ask(books: Books, question: Callable[[Statements], Any]) -> Any:
    return books.derived(lambda ledger, derived: question(Statements(ledger, derived)))


def balance_at(books: Books, account_id: str, at_ms: int) -> Balance:
    found: Balance = ask(books, lambda statements: statements.balance(account_id, at_ms))
    return found


def page(
    books: Books, account_id: str, from_ms: int, to_ms: int, after: Place | None, limit: int
) -> Statement:
    found: Statement = ask(
        books,
        lambda statements: statements.statement(
            account_id, from_ms, to_ms, after=after, limit=limit
        ),
    )
    return found


def test_a_balance_at_any_time_is_what_it_was_then(books: Books) -> None:
    books.fund("ann", 10_000)
    books.clock.ms += 1_000
    books.post(pay("pay_1", 1_000))
    books.clock.ms += 1_000
    held = hold("hld_1", 3_000)
    books.post([held])
    books.clock.ms += 1_000
    books.post(hold_posted(event("cap_1"), held, amount_minor=2_000))
    wanted = {
        START_MS - 1: (0, 0),
        START_MS: (10_000, 10_000),
        START_MS + 999: (10_000, 10_000),
        START_MS + 1_000: (9_000, 9_000),
        START_MS + 2_000: (9_000, 6_000),
        START_MS + 3_000: (7_000, 7_000),
        EVER: (7_000, 7_000),
    }
    for _ in range(2):
        assert {at_ms: balance_at(books, ANN, at_ms) for at_ms in wanted} == wanted
        assert balance_at(books, SHOP, EVER) == (2_994, 2_994)
        assert balance_at(books, "C:CUST:nobody:CNY", EVER) == (0, 0)
        books.follow()
    with pytest.raises(CallerError, match="account_unknown"):
        balance_at(books, "C:CUST:CNY", EVER)


def test_a_statement_shows_each_transfer_and_ties_out(books: Books) -> None:
    books.fund("ann", 10_000)
    books.clock.ms += 1_000
    books.post(pay("pay_1", 1_000))
    first, second = hold("hld_1", 3_000), hold("hld_2", 500, START_MS + 1_500)
    books.post([first])
    books.post([second])
    books.clock.ms += 1_000
    books.post(hold_voided(event("void_1"), first))
    books.post(hold_expired(event("exp_1"), second))
    shown = page(books, ANN, START_MS + 1, START_MS + 2_000, None, 10)
    assert (shown.opening, shown.closing) == ((10_000, 10_000), (9_000, 5_500))
    assert [
        (one.transfer_id, one.rule, one.counter_account, one.amount_minor,
         one.available_change_minor, one.balance_minor, one.available_minor, one.at_ms)
        for one in shown.entries
    ] == [
        ("pay_1:1", "balance_paid", SHOP, -1_000, -1_000, 9_000, 9_000, START_MS + 1_000),
        ("hld_1:1", "balance_held", SHOP, 0, -3_000, 9_000, 6_000, START_MS + 1_000),
        ("hld_2:1", "balance_held", SHOP, 0, -500, 9_000, 5_500, START_MS + 1_000),
    ]  # fmt: skip
    assert shown.next_after is None
    last = page(books, ANN, START_MS + 2_000, EVER, None, 10)
    assert [(one.kind, one.available_minor) for one in last.entries] == [
        ("void", 8_500), ("expire", 9_000),
    ]  # fmt: skip
    assert last.opening == shown.closing


@dataclass
class Kept:
    """The same history in plain lists: per chain its groups, each with a time and transfers."""

    groups: dict[str, list[tuple[int, list[Transfer]]]] = field(default_factory=dict)
    holds: dict[str, Transfer] = field(default_factory=dict)

    def add(self, chain: str, at_ms: int, transfers: list[Transfer]) -> None:
        self.groups.setdefault(chain, []).append((at_ms, transfers))
        self.holds |= {one.id: one for one in transfers if one.kind == "pending"}

    def balance(self, account_id: str, at_ms: int) -> Balance:
        sums = dict.fromkeys(model.BALANCES, 0)
        for groups in self.groups.values():
            as_of_ms = 0
            for group_ms, transfers in groups:
                as_of_ms = max(as_of_ms, group_ms)
                if as_of_ms > at_ms:
                    break
                for one in transfers:
                    self._move(sums, account_id, one)
        row = {"side": account(account_id).side, **sums}
        return Balance(model.balance(row), model.available(row))

    def _move(self, sums: dict[str, int], account_id: str, one: Transfer) -> None:
        side = {one.debit: "debits", one.credit: "credits"}.get(account_id)
        if side is None:
            return
        if one.kind in {"posted", "post"}:
            sums[f"{side}_posted"] += one.amount_minor
        if one.kind == "pending":
            sums[f"{side}_pending"] += one.amount_minor
        if one.kind in {"post", "void", "expire"}:
            sums[f"{side}_pending"] -= self.holds[one.refers_to or ""].amount_minor


def play(east: Books, west: Books, rng: random.Random) -> Kept:
    """A day of two backends with a chain each, whose clocks jump, followed now and then."""
    kept = Kept()
    open_holds: list[Transfer] = []
    for number in range(50):
        chain, books = rng.choice([("east", east), ("west", west)])
        books.clock.ms += rng.choice([-700, 0, 1, 50, 900])
        batch: list[Transfer]
        match rng.randrange(6):
            case 0:
                batch = [hold(f"hld_{number}", rng.randrange(1, 900))]
                open_holds.append(batch[0])
            case 1 if open_holds:
                held = open_holds.pop(rng.randrange(len(open_holds)))
                part = rng.randrange(1, held.amount_minor + 1)
                batch = hold_posted(event(f"cap_{number}"), held, amount_minor=part)
                if rng.random() < 0.4:
                    batch = hold_voided(event(f"void_{number}"), held)
            case 2 if number > 20:
                batch = merchant_settled(event(f"stl_{number}"), merchant_id="shop",
                                         amount_minor=rng.randrange(1, 50))  # fmt: skip
            case _:
                batch = pay(f"pay_{number}", rng.randrange(100, 900), rng.randrange(3))
        books.post(batch)
        kept.add(chain, books.clock.ms, batch)
        if rng.random() < 0.2:
            books.follow(steps_max=rng.randrange(3))
    return kept


@pytest.mark.parametrize("seed", [1])
def test_any_account_at_any_time_agrees_with_the_history(migrated_url: str, seed: int) -> None:
    rng = random.Random(seed)
    with open_books(migrated_url, "east") as east, open_books(migrated_url, "west") as west:
        east.fund("ann", 10**7)
        kept = play(east, west, rng)
        kept.groups.setdefault("east", []).insert(
            0, (START_MS, [Transfer("f:1", 1, "C:CH:x:CNY", ANN, 10**7, "CNY", "", "posted",
                                    None, None, DATE)])
        )  # fmt: skip
        times = [rng.randrange(START_MS - 900, START_MS + 20_000) for _ in range(12)]
        for _ in range(2):
            ask(east, lambda statements: agree(statements, kept, times, rng))
            east.follow()
        assert east.report().is_whole


def agree(statements: Statements, kept: Kept, times: list[int], rng: random.Random) -> None:
    """Each balance at each time, and statements of any period."""
    for at_ms in times:
        for account_id in (ANN, SHOP, MDR, "C:MAVAIL:shop:CNY"):
            assert statements.balance(account_id, at_ms) == kept.balance(account_id, at_ms)
    for account_id in (ANN, SHOP):
        check_pages(statements, account_id, kept, rng)


def check_pages(statements: Statements, account_id: str, kept: Kept, rng: random.Random) -> None:
    """Pages of any size show every entry once, and add up from opening to closing."""
    from_ms, to_ms = sorted(rng.randrange(START_MS - 500, START_MS + 15_000) for _ in range(2))
    after, running = None, kept.balance(account_id, from_ms - 1)
    seen: list[str] = []
    while True:
        limit = rng.randrange(1, 4)
        shown = statements.statement(account_id, from_ms, to_ms, after=after, limit=limit)
        assert shown.opening == kept.balance(account_id, from_ms - 1)
        assert shown.closing == kept.balance(account_id, to_ms - 1)
        for one in shown.entries:
            running = Balance(
                running.balance_minor + one.amount_minor,
                running.available_minor + one.available_change_minor,
            )
            assert running == (one.balance_minor, one.available_minor)
            seen.append(one.transfer_id)
        if shown.next_after is None:
            break
        after = Place.from_text(shown.next_after)
    assert running == shown.closing
    assert len(set(seen)) == len(seen)
    whole = statements.statement(account_id, from_ms, to_ms, after=None, limit=1_000)
    assert [one.transfer_id for one in whole.entries] == seen


def test_following_twice_or_by_two_writes_the_same_rows_once(books: Books) -> None:
    books.fund("ann", 10_000)
    books.post(pay("pay_1", 1_000))
    step = books.derived(next_step)
    assert books.writer.apply([step])[0].value() is True
    assert books.writer.apply([step])[0].value() is False
    assert books.report().is_whole


def test_a_step_knows_how_much_it_leaves(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.ledger.projection.FOLLOW_TRANSFERS_PER_STEP_MAX", 5)
    books.fund("ann", 10_000)
    for number in range(3):
        books.post(pay(f"pay_{number}", 1_000))
    left = []
    while (step := books.derived(next_step)) is not None:
        left.append(step.left)
        books.writer.apply([step])[0].value()
    assert left == sorted(left, reverse=True)
    assert left[0] > left[-1] == 0


def test_what_is_far_behind_says_busy(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    books.fund("ann", 10_000)
    books.post(pay("pay_1", 1_000))
    monkeypatch.setattr("backend.ledger.statements.TAIL_TRANSFERS_MAX", 3)
    with pytest.raises(OperatingError, match="busy"):
        balance_at(books, ANN, EVER)
    books.follow()
    assert balance_at(books, ANN, EVER).balance_minor == 9_000


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.x.main", "-1.2.3.main", "1." + "9" * 30])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CallerError, match="field_invalid"):
        Place.from_text(text)
    place = Place(5, "ma.in", 7, 2)
    assert Place.from_text(place.to_text()) == place


def test_the_last_balances_are_searched_and_no_table_is_read_through(tmp_path: Path) -> None:
    """By SQLite's own plan: a follower that scanned would cost more with every payment stored."""
    engine = open_engine(migrated_sqlite(tmp_path / "backend.db"))
    asked: list[tuple[str, Any]] = []

    @listens_for(engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    with engine.connect() as connection:
        DerivedRepository(connection).latest_balances("main", [ANN, SHOP])
        [(statement, values)] = asked
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    engine.dispose()
    assert {step[3].split()[0] for step in plan} == {"SEARCH", "CORRELATED"}
