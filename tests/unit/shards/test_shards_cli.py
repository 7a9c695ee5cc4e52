"""``tillway shards``, and a backend that is told it is one of several."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.bootstrap import Backend
from backend.ledger.rules import Event, top_up
from backend.shards.cli import app
from protocol.errors import CallerError, OperatingError
from tests.support.backend import initialised, make_backend
from tests.support.books import DATE, Post
from tests.support.shards import open_shards, order
from tests.unit.shards.conftest import addresses


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "backend.toml"
    (tmp_path / "shards").mkdir(exist_ok=True)
    file.write_text(f"ledger_shards = {addresses(tmp_path / 'shards')}\n")
    return file


def said(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output


def test_shards_are_founded_found_and_proved(config: Path) -> None:
    assert "3 shards" in said("found", "--config", str(config))[1]
    assert said("where", "usr_1", "--config", str(config)) == (0, "2\n")
    assert said("verify", "--config", str(config))[0] == 0


def test_verify_says_what_is_under_way_and_what_is_broken(urls: list[str], config: Path) -> None:
    with open_shards(urls) as shards:
        shards.fund("usr_0", 10_000)
        shards.pay(order("pay_1", "usr_0", "mch_1"))
        assert "under way: 1000 CNY" in said("verify", "--config", str(config))[1]
        asyncio.run(shards.carry())
        with shards.all[2].engine.connect() as connection:
            connection.exec_driver_sql("DELETE FROM shard_lane")
            connection.commit()
    code, words = said("verify", "--config", str(config))
    assert code == 1
    assert "BROKEN" in words


@pytest.fixture
def backends(tmp_path: Path) -> Iterator[Callable[[str, list[str]], Backend]]:
    """Makes backends on one of several databases."""
    made: list[Backend] = []
    numbers = itertools.count()

    def make(url: str, shards: list[str]) -> Backend:
        folder = tmp_path / f"backend{next(numbers)}"
        settings, _ = initialised(folder, database_url=url, ledger_shards=tuple(shards))
        made.append(make_backend(settings))
        return made[-1]

    yield make
    for backend in made:
        asyncio.run(backend.stop())


def test_a_backend_starts_on_its_shard_only_in_the_order_of_the_founding(
    urls: list[str], backends: Callable[[str, list[str]], Backend]
) -> None:
    with pytest.raises(CallerError, match="another order"):
        backends(urls[0], urls[::-1])
    with pytest.raises(CallerError, match="one of 3 shards"):
        backends(urls[0], urls[:2])
    with pytest.raises(CallerError, match="shard 0 of 3: name them all in ledger_shards"):
        backends(urls[0], [])
    backends(urls[0], urls)


def test_a_backend_on_a_shard_posts_nothing_to_another_shard_s_accounts(
    urls: list[str], backends: Callable[[str, list[str]], Backend]
) -> None:
    backend = backends(urls[0], urls)
    at_home, astray = (
        Post(top_up(Event(f"top_{user}", "CNY", DATE), user_id=user, channel_id="NUCC",
                    settlement_date=DATE, amount_minor=100))
        for user in ("usr_0", "usr_1")
    )  # fmt: skip
    done = backend.writer.apply([at_home, astray])
    assert done[0].value() is True
    assert isinstance(done[1].error, OperatingError)
