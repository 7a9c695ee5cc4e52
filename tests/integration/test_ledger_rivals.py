"""Several writers on one PostgreSQL: no update is lost, no floor is broken, chains stay whole."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.ledger.rules import Event, balance_paid
from tests.support.books import DATE, Post, open_books
from tests.support.postgres import Cluster

ROUNDS, GROUP = 12, 8
pytestmark = pytest.mark.postgres


def pay(name: str, *, user_id: str = "ann", amount_minor: int = 100) -> Post:
    return Post(
        balance_paid(Event(name, "CNY", DATE), user_id=user_id, merchant_id="shop",
                     amount_minor=amount_minor, fee_minor=1)
    )  # fmt: skip


@pytest.fixture
def shared_url(
    postgres_cluster: Cluster, postgres_template: str, request: pytest.FixtureRequest
) -> str:
    return postgres_cluster.create_database(
        f"rivals_{abs(hash(request.node.nodeid))}", template=postgres_template
    )


@pytest.mark.parametrize("chains", [("main", "main"), ("east", "west")])
def test_two_writers_never_overdraw_or_lose_an_update(
    shared_url: str, chains: tuple[str, str]
) -> None:
    funded = 100 * ROUNDS * GROUP  # half of what both will try to spend
    with open_books(shared_url, chains[0]) as first, open_books(shared_url, chains[1]) as second:
        first.fund("ann", funded)

        def spend(number: int) -> list[str]:
            books = (first, second)[number]
            codes = []
            for turn in range(ROUNDS):
                group = [pay(f"pay_{number}_{turn}_{item}") for item in range(GROUP)]
                codes += [getattr(one.error, "code", "ok") for one in books.writer.apply(group)]
            return codes

        with ThreadPoolExecutor(2) as pool:
            codes = [code for codes in pool.map(spend, (0, 1)) for code in codes]
        assert set(codes) == {"ok", "insufficient_balance"}
        assert codes.count("ok") == ROUNDS * GROUP
        assert first.balance("C:CUST:ann:CNY") == 0
        assert first.balance("C:MPEND:shop:CNY") == 99 * ROUNDS * GROUP
        assert first.report().breaks == []


def test_the_same_payment_sent_to_two_writers_posts_once(shared_url: str) -> None:
    with open_books(shared_url) as first, open_books(shared_url) as second:
        first.fund("ann", 10_000)

        def submit(number: int) -> list[bool]:
            books = (first, second)[number]
            return [bool(books.writer.apply([pay(f"pay_{n}")])[0].value()) for n in range(30)]

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(submit, (0, 1)))
        assert all(sorted(pair) == [False, True] for pair in zip(*answers, strict=True))
        assert first.balance("C:CUST:ann:CNY") == 10_000 - 30 * 100
        assert first.report().breaks == []


def test_a_writer_survives_the_loss_of_its_connection(shared_url: str) -> None:
    with open_books(shared_url) as books, open_books(shared_url) as other:
        books.fund("ann", 1_000)
        with other.engine.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND query LIKE '%%COMMIT%%'"
            )
        lost = books.writer.apply([pay("pay_1")])[0]
        assert getattr(lost.error, "code", None) == "internal"
        assert books.writer.apply([pay("pay_1")])[0].value() is True
        assert books.report().breaks == []
