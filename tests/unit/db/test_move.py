"""A shop that has grown takes its books from SQLite to PostgreSQL, and goes on with them."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlmodel import Field

from backend.db.engine import postgres_line
from backend.db.migrate import upgrade
from backend.db.move import move
from backend.db.tables import TEXT, BackendTable
from protocol.errors import CallerError, OperatingError
from tests.kit.command_line import tillway
from tests.kit.patience import PATIENCE_S
from tests.support.migrated import migrated_sqlite
from tests.support.postgres import Cluster
from tests.support.shop import MERCHANT, Shop, shop_of_two

pytestmark = pytest.mark.postgres
NAME = "grown"
PAYERS = "SELECT payer_id, name, route FROM payer ORDER BY payer_id"
QUOTED = 'a\ttab, a \\N, a "quote", 一行\n两行'
HEAD = "SELECT seq, hash FROM ledger_group ORDER BY seq"


class ForeignDiary(BackendTable, table=True):
    """What another part of a process has declared, and no database of a shop's has."""

    __tablename__ = "foreign_diary"
    id: str = Field(primary_key=True, sa_type=TEXT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A closed shop's database: two payers, payments, a refund, and a name that needs care."""
    file = tmp_path / "backend.db"
    with shop_of_two(migrated_sqlite(file)) as shop:
        ann, bob = shop.add_payer(balance_minor=5_000), shop.add_payer(name=QUOTED)
        paid = shop.pay(ann, 1_200)
        shop.refund(paid["payment_id"], 200)
        shop.pay(bob, 100)
    return file


@pytest.fixture
def target(postgres_cluster: Cluster, postgres_template: str) -> Iterator[str]:
    """With the schema and no rows, as a backend leaves it that was started once too early."""
    yield postgres_cluster.create_database(NAME, template=postgres_template)
    postgres_cluster.drop_database(NAME)


@pytest.fixture
def empty(postgres_cluster: Cluster) -> Iterator[str]:
    yield postgres_cluster.create_database(NAME)
    postgres_cluster.drop_database(NAME)


def test_the_books_go_on_where_they_were(file: Path, target: str) -> None:
    old = Shop(f"sqlite:///{file}")
    payers = {row["payer_id"]: row for row in old.rows(PAYERS)}
    head = old.rows(HEAD)
    old.close()

    moved = move(f"sqlite:///{file}", target)

    assert moved.tables > 100
    assert moved.rows > 50
    shop = Shop(target, first_id=1_000)
    assert shop.rows(HEAD) == head
    assert {row["payer_id"]: row for row in shop.rows(PAYERS)} == payers
    assert QUOTED in {row["name"] for row in payers.values()}
    report = shop.verify()
    assert report.is_whole
    shop.routes = {payer: int(row["route"]) for payer, row in payers.items()}
    ann = next(payer for payer, row in payers.items() if row["name"] != QUOTED)
    assert shop.payer_balance(ann) == 4_000
    shop.clock.at_ms += 60_000
    assert shop.pay(ann, 700)["state"] == "captured"
    assert shop.payer_balance(ann) == 3_300
    assert shop.verify().is_whole
    shop.close()


def test_every_row_of_every_table_arrives(
    file: Path, target: str, postgres_cluster: Cluster
) -> None:
    moved = move(f"sqlite:///{file}", target)
    with closing(sqlite3.connect(file)) as old, psycopg.connect(postgres_cluster.dsn(NAME)) as new:
        listed = old.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        tables = sorted(name for (name,) in listed if name != "alembic_version")
        assert len(tables) == moved.tables
        count = 0
        for table in tables:
            names = [row[1] for row in old.execute(f"PRAGMA table_info({table})")]
            question = f"SELECT {', '.join(names)} FROM {table}"  # our own names
            had = sorted(map(repr, old.execute(question).fetchall()))
            assert sorted(map(repr, new.execute(question.encode()).fetchall())) == had, table
            count += len(had)
    assert count == moved.rows


def test_a_file_that_a_backend_has_open_is_left_alone(file: Path, target: str) -> None:
    shop = Shop(f"sqlite:///{file}")
    shop.rows(PAYERS)
    with pytest.raises(CallerError, match="database_in_use"):
        move(f"sqlite:///{file}", target)
    shop.close()
    assert move(f"sqlite:///{file}", target).rows > 50


def test_a_database_that_holds_data_is_left_alone(file: Path, target: str) -> None:
    move(f"sqlite:///{file}", target)
    with pytest.raises(CallerError, match="database_not_empty"):
        move(f"sqlite:///{file}", target)


def test_what_does_not_arrive_as_it_was_keeps_nothing(
    file: Path, target: str, postgres_cluster: Cluster
) -> None:
    with psycopg.connect(postgres_cluster.dsn(NAME), autocommit=True) as operator:
        operator.execute(
            "CREATE FUNCTION shorten() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN NEW.name := left(NEW.name, 1); RETURN NEW; END$$"
        )
        operator.execute(
            "CREATE TRIGGER shorten BEFORE INSERT ON merchant"
            " FOR EACH ROW EXECUTE FUNCTION shorten()"
        )
        with pytest.raises(OperatingError, match="merchant"):
            move(f"sqlite:///{file}", target)
        operator.execute("DROP TRIGGER shorten ON merchant")
        assert operator.execute("SELECT count(*) FROM payment").fetchone() == (0,)
    assert move(f"sqlite:///{file}", target).rows > 50


def test_a_backend_that_starts_meanwhile_waits(
    file: Path, target: str, postgres_cluster: Cluster
) -> None:
    with (
        psycopg.connect(postgres_cluster.dsn(NAME)) as rival,
        psycopg.connect(postgres_cluster.dsn(NAME), autocommit=True) as looker,
        ThreadPoolExecutor() as pool,
    ):
        rival.execute("LOCK TABLE merchant IN SHARE MODE")
        moving = pool.submit(move, f"sqlite:///{file}", target)
        wait_for_lock(looker, "relation")
        starting = pool.submit(upgrade, target)
        wait_for_lock(looker, "advisory")
        assert not starting.done()
        rival.rollback()
        assert moving.result(PATIENCE_S).rows > 50
        starting.result(PATIENCE_S)


def wait_for_lock(looker: psycopg.Connection[tuple[Any, ...]], kind: str) -> None:
    """Until somebody waits for a lock of this kind."""
    deadline = time.monotonic() + PATIENCE_S
    asked = "SELECT count(*) FROM pg_locks WHERE locktype = %s AND NOT granted"
    while looker.execute(asked, [kind]).fetchone() == (0,):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("sqlite:///{folder}/none.db", "there is no database"),
        ("{target}", "not SQLite's"),
        ("sqlite:///{folder}/other.db", "not a database|another release"),
    ],
)
def test_what_is_no_file_of_ours_is_refused(
    source: str, wanted: str, target: str, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE notes (id TEXT)")
    with pytest.raises(CallerError, match=wanted):
        move(source.format(folder=tmp_path, target=target), target)


def test_only_postgresql_is_moved_to(file: Path, tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="not PostgreSQL's"):
        move(f"sqlite:///{file}", f"sqlite:///{tmp_path / 'new.db'}")


def test_a_server_that_is_not_there_is_named_in_a_sentence(file: Path) -> None:
    with pytest.raises(CallerError, match=r"config_invalid.*PostgreSQL: "):
        move(f"sqlite:///{file}", "postgresql+psycopg://nobody@127.0.0.1:1/none")


def test_the_command_names_two_files(file: Path, empty: str, tmp_path: Path) -> None:
    old, new = tmp_path / "backend.toml", tmp_path / "grown.toml"
    old.write_text(f'state_dir = "{tmp_path}"\n')
    new.write_text(f'state_dir = "{tmp_path}"\ndatabase_url = "{empty}"\n')
    done = tillway("backend", "move", "--config", str(old), "--to", str(new))
    assert done.returncode == 0, done.stderr
    assert '"rows": ' in done.stdout
    shop = Shop(empty)
    assert MERCHANT in {row["merchant_id"] for row in shop.rows("SELECT * FROM merchant")}
    shop.close()
    again = tillway("backend", "move", "--config", str(old), "--to", str(new))
    assert again.returncode != 0
    assert "database_not_empty" in again.stderr
    assert "新数据库中已有数据" in again.stderr


@pytest.mark.parametrize(("which", "option"), [("backend", "--config"), ("grown", "--to")])
def test_one_database_of_several_is_not_moved_alone(
    file: Path, empty: str, tmp_path: Path, which: str, option: str
) -> None:
    old, new = tmp_path / "backend.toml", tmp_path / "grown.toml"
    old.write_text(f'state_dir = "{tmp_path}"\n')
    new.write_text(f'state_dir = "{tmp_path}"\ndatabase_url = "{empty}"\n')
    with (tmp_path / f"{which}.toml").open("a") as config:
        config.write(f'ledger_shards = ["sqlite:///{file}", "{empty}"]\n')
    done = tillway("backend", "move", "--config", str(old), "--to", str(new))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"database_sharded ({option}: ledger_shards names 2)" in done.stderr
    with psycopg.connect(**postgres_line(empty)) as connection:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert connection.execute(tables).fetchone() == (0,)
