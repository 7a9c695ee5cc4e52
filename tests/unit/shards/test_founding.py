"""Databases that were founded together, in one order, and nothing else."""

from pathlib import Path

import pytest

from backend.db.migrate import upgrade
from backend.shards.founding import found, own_place
from protocol.errors import CallerError
from tests.support.books import ManualClock, open_books
from tests.support.shards import founded
from tests.unit.shards.conftest import addresses


@pytest.fixture
def empty_urls(tmp_path: Path) -> list[str]:
    return addresses(tmp_path)


def test_every_database_knows_its_number_and_the_same_map(urls: list[str]) -> None:
    founded(urls)
    places = [own_place(url, urls) for url in urls]
    assert [place.number for place in places] == [0, 1, 2]
    assert len({place.map for place in places}) == 1


def test_founding_again_changes_nothing(urls: list[str]) -> None:
    founded(urls)
    before = own_place(urls[1], urls)
    found(urls, founding="another", clock=ManualClock())
    assert own_place(urls[1], urls) == before


def test_a_founding_that_was_interrupted_is_finished(urls: list[str]) -> None:
    founded(urls)
    Path(urls[2].removeprefix("sqlite:///")).unlink()
    founded(urls)
    assert own_place(urls[2], urls).map == own_place(urls[0], urls).map


def test_another_order_is_refused_at_the_start(urls: list[str]) -> None:
    founded(urls)
    with pytest.raises(CallerError, match="another order"):
        own_place(urls[0], [urls[1], urls[0], urls[2]])


@pytest.mark.parametrize("count", [1, 2])
def test_another_count_is_refused_at_the_start(urls: list[str], count: int) -> None:
    founded(urls)
    with pytest.raises(CallerError, match="one of 3 shards"):
        own_place(urls[0], urls[:count])
    with pytest.raises(CallerError, match="one of 3 shards"):
        founded(urls[:count])


def test_a_shard_of_another_founding_is_refused(urls: list[str], tmp_path: Path) -> None:
    founded(urls)
    others = [f"sqlite:///{tmp_path / f'other{number}.db'}" for number in range(3)]
    found(others, founding="another", clock=ManualClock())
    with pytest.raises(CallerError, match="another founding"):
        founded([urls[0], others[1], urls[2]])


def test_a_database_that_was_never_founded_is_no_shard(empty_urls: list[str]) -> None:
    upgrade(empty_urls[0])
    with pytest.raises(CallerError, match="tillway shards found"):
        own_place(empty_urls[0], empty_urls)
    with pytest.raises(CallerError, match="not among the shards"):
        own_place(empty_urls[0], empty_urls[1:])


def test_a_database_with_money_can_be_the_only_shard_but_not_one_of_many(
    empty_urls: list[str],
) -> None:
    upgrade(empty_urls[0])
    with open_books(empty_urls[0]) as books:
        books.fund("usr_1", 100)
    with pytest.raises(CallerError, match="money moved there"):
        founded(empty_urls)
    founded(empty_urls[:1])
    assert own_place(empty_urls[0], empty_urls[:1]).map.count == 1


@pytest.mark.parametrize(
    "wrong", [[], ["mysql://h/d"], ["sqlite:///a.db", "sqlite:///a.db"]], ids=len
)
def test_addresses_that_cannot_be_shards_are_refused_without_being_shown(wrong: list[str]) -> None:
    with pytest.raises(CallerError, match="config_invalid") as refused:
        founded(wrong)
    assert not any(url in str(refused.value) for url in wrong)
