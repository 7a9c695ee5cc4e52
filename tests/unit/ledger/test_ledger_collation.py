"""The ledger's answers are the same where text is sorted by bytes and where it is sorted as people
do: ``:`` before digits, capital letters among the small ones."""

import itertools
from collections.abc import Iterator
from operator import methodcaller

import psycopg
import pytest

from backend.db.migrate import upgrade
from backend.ledger.rules import Event, balance_paid
from tests.support.books import DATE, Books, open_books
from tests.support.postgres import Cluster

_numbers = itertools.count(1)
EVENTS = ("pay_1", "pay_10", "pay_1.fee", "pay_12", "Pay_1")


@pytest.fixture(params=["sqlite", "C", "en-US", "zh-CN"])
def sorted_books(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Books]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('books') / 'books.db'}"
    else:
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        locale = None if request.param == "C" else request.param
        try:
            url = cluster.create_database(f"sorted_{next(_numbers)}", icu_locale=locale)
        except (psycopg.errors.SyntaxError, psycopg.errors.FeatureNotSupported) as missing:
            pytest.skip(f"no ICU on this server: {missing}")
    upgrade(url)
    with open_books(url) as books:
        for user in ("ann", "Ann", "ann_1", "anna"):
            books.fund(user, 100_000)
        for name in EVENTS:
            books.post(
                balance_paid(Event(name, "CNY", DATE), user_id="ann", merchant_id="shop",
                             amount_minor=100, fee_minor=1)
            )  # fmt: skip
        yield books


@pytest.mark.postgres
def test_the_transfers_of_an_event_are_its_own_and_all(sorted_books: Books) -> None:
    for name in EVENTS:
        rows = sorted_books.read(methodcaller("transfers", event_id=name, limit=99))
        assert sorted(row["id"] for row in rows) == [f"{name}:{leg}" for leg in (1, 2, 3)]


@pytest.mark.postgres
def test_a_prefix_finds_the_accounts_that_begin_with_it(sorted_books: Books) -> None:
    def found(prefix: str) -> set[str]:
        rows = sorted_books.read(lambda ledger: list(ledger.accounts(prefix)))
        return {row["id"].removeprefix("C:CUST:") for row in rows}

    everybody = {"ann:CNY", "Ann:CNY", "ann_1:CNY", "anna:CNY"}
    assert found("C:CUST:") == everybody
    assert found("C:CUST:ann") == everybody - {"Ann:CNY"}
    assert found("C:CUST:ann_") == {"ann_1:CNY"}
    assert found("C:CUST:ann:") == {"ann:CNY"}
    assert sorted_books.report().breaks == []
