"""A single changed byte in the file itself, at any place in the ledger's pages: verify says so with
exit code 1, or the byte belongs to no value, which a dump of the file proves."""

import random
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.ledger.cli import app
from protocol.errors import CallerError
from tests.support.evidence import populated

FLIPS = 80
Dump = list[tuple[object, ...]]


def used_parts(path: Path) -> list[tuple[int, int]]:
    """Where in the file the ledger's tables lie: of each page its cells, which fill it from the
    end; the rest of a page is free."""
    connection = sqlite3.connect(path)
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    pages = connection.execute(
        "SELECT pageno, unused FROM dbstat WHERE name LIKE 'ledger_%' ORDER BY pageno"
    ).fetchall()
    connection.close()
    return [((page - 1) * size + unused, page * size) for page, unused in pages]


def dump(path: Path) -> Dump | None:
    """Every value of the ledger's tables and its schema, as bytes; None if it cannot be read."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    connection.text_factory = bytes
    try:
        schema = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE tbl_name LIKE 'ledger_%' ORDER BY name"
        ).fetchall()
        tables = [name.decode() for name, sql in schema if sql.startswith(b"CREATE TABLE")]
        found: Dump = [*schema]
        for table in tables:
            found += connection.execute(f"SELECT * FROM {table}").fetchall()
    except sqlite3.Error:
        return None
    finally:
        connection.close()
    return found


def verdict(path: Path) -> tuple[int, str]:
    """Exit code and output of ``ledger verify``; an error of ours is one, a trace never."""
    shown = CliRunner().invoke(app, ["verify", "--database", f"sqlite:///{path}"])
    if isinstance(shown.exception, CallerError):
        return 1, f"{shown.exception}"
    if shown.exception is not None and not isinstance(shown.exception, SystemExit):
        raise shown.exception
    return shown.exit_code, shown.output


@pytest.mark.parametrize(("seed", "is_anywhere"), [(0, False), (1, False), (2, True), (3, True)])
def test_no_byte_of_the_file_changes_unseen(tmp_path: Path, seed: int, is_anywhere: bool) -> None:
    """Of the ledger's cells nearly every byte counts; anywhere in the file also those of free
    space, of other rooms' tables and indexes, and of what tells SQLite where everything is."""
    whole = tmp_path / "whole.db"
    populated(whole)
    before, content = dump(whole), whole.read_bytes()
    parts = [(0, len(content))] if is_anywhere else used_parts(whole)
    assert verdict(whole)[0] == 0
    rng = random.Random(seed)
    found = free = 0
    damaged = tmp_path / "damaged.db"
    for _ in range(FLIPS):
        at = rng.randrange(*rng.choice(parts))
        flipped = content[at] ^ 1 << rng.randrange(8)
        damaged.write_bytes(content[:at] + bytes((flipped,)) + content[at + 1 :])
        code, said = verdict(damaged)
        if code:
            found += 1
            assert "BREAK" in said or "config_invalid" in said, f"{at}: {said}"
        else:
            free += 1
            assert dump(damaged) == before, f"byte {at} changed a value unseen"
    assert found > (0 if is_anywhere else FLIPS * 2 // 3), (found, free)


def test_a_schema_that_is_no_text_any_more_is_called_damage(tmp_path: Path) -> None:
    path = tmp_path / "backend.db"
    populated(path)
    content = bytearray(path.read_bytes())
    content[content.index(b"TEXT", content.index(b"CREATE TABLE ledger_hold"))] |= 0x80
    path.write_bytes(content)
    code, said = verdict(path)
    assert code == 1
    assert said == "config_invalid: not a database of ours: its schema is damaged"


def test_a_list_of_releases_that_cannot_be_read_is_said_in_words(tmp_path: Path) -> None:
    path = tmp_path / "backend.db"
    populated(path)
    connection = sqlite3.connect(path)
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    (page,) = connection.execute(
        "SELECT pageno FROM dbstat WHERE name = 'alembic_version'"
    ).fetchone()
    connection.close()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size] = 0xFF
    path.write_bytes(content)
    code, said = verdict(path)
    assert (code, said.partition(":")[0]) == (1, "config_invalid")
    assert "malformed" in said
