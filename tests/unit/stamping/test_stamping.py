"""Checkpoints are stamped by a third party, once each, and the stamps can be checked without us."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from backend.channels.timestamping import read_reply, write_query
from backend.db.engine import open_engine
from backend.db.reading import Reader
from backend.sandbox.timestamps.stamper import POLICY
from backend.stamping.cli import app
from backend.stamping.model import Subject
from backend.stamping.repository import StampRepository
from backend.stamping.service import KeepStamp, Stamping
from protocol.crypto.hashes import sha256
from protocol.errors import CallerError, OperatingError
from tests.support.books import Books
from tests.support.evidence import sign
from tests.support.stampers import authority_of, near_stamper, needs_openssl

pytestmark = needs_openssl
URL = "TILLWAY_BACKEND_DATABASE_URL"


@dataclass
class NearTimeStamper:
    """``TimeStamper`` over the sandbox's own stamper, without a socket."""

    silent: int = 0
    asked: list[bytes] = field(default_factory=list)

    async def stamp(self, digest: bytes) -> bytes:
        self.asked.append(digest)
        if self.silent:
            self.silent -= 1
            raise OperatingError("timeout", "no answer")
        reply = await near_stamper().reply(write_query(digest, 1, policy=POLICY))
        authority = authority_of(near_stamper())
        return read_reply(reply, digest=digest, nonce=1, authority=authority).token


@pytest.fixture
def reader(books: Books) -> Iterator[Reader]:
    books.fund("ann", 1_000)
    sign(books, "main")
    opened = Reader.open(books.url)
    yield opened
    opened.close()


def stamping(books: Books, reader: Reader, stamper: NearTimeStamper) -> Stamping:
    async def submit(command: Any) -> Any:
        return books.writer.apply([command])[0].value()

    async def unstamped() -> list[Subject]:
        return StampRepository(reader).unstamped_checkpoints()

    return Stamping(submit=submit, unstamped=unstamped, stamper=stamper)


def test_the_newest_checkpoint_is_stamped_once(books: Books, reader: Reader) -> None:
    stamper = NearTimeStamper()
    task = stamping(books, reader, stamper)
    assert [asyncio.run(task.run_due()) for _ in range(3)] == [1, 0, 0]
    row = StampRepository(reader).stamp("ledger/main/1")
    subject = StampRepository(reader).checkpoint("ledger/main/1")
    assert row is not None
    assert subject is not None
    assert stamper.asked == [row["digest"]] == [subject.digest]
    books.clock.ms += 1
    books.fund("bob", 1_000)
    sign(books, "main")
    assert asyncio.run(task.run_due()) == 1
    assert [one["subject"] for one in StampRepository(reader).stamps()] == [
        "ledger/main/2", "ledger/main/1",
    ]  # fmt: skip


def test_a_silent_stamper_is_asked_again(books: Books, reader: Reader) -> None:
    task = stamping(books, reader, NearTimeStamper(silent=1))
    with pytest.raises(OperatingError):
        asyncio.run(task.run_due())
    assert asyncio.run(task.run_due()) == 1


def test_a_second_stamp_changes_nothing_and_another_content_is_a_conflict(books: Books) -> None:
    def keep(digest: bytes, token: bytes) -> bool:
        command = KeepStamp(subject="ledger/east/7", digest=digest, token=token)
        return bool(books.writer.apply([command])[0].value())

    assert keep(b"1", b"first")
    assert not keep(b"1", b"second")
    with pytest.raises(CallerError, match="idempotency_conflict"):
        keep(b"2", b"first")


@pytest.mark.parametrize(
    "words", ["UPDATE time_stamp SET token = digest", "DELETE FROM time_stamp"]
)
def test_the_database_keeps_stamps_as_they_are(books: Books, reader: Reader, words: str) -> None:
    asyncio.run(stamping(books, reader, NearTimeStamper()).run_due())
    engine = open_engine(books.url)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(words))
    engine.dispose()


def test_the_command_checks_every_stamp_and_exports_it(
    books: Books, reader: Reader, tmp_path: Path
) -> None:
    asyncio.run(stamping(books, reader, NearTimeStamper()).run_due())
    authority = str(near_stamper().authority_file)

    def said(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, words, env={URL: books.url})
        return done.exit_code, done.output

    good = ("check", "--authority", authority, "--policy", POLICY)
    code, output = said(*good)
    assert (code, output.partition(" at ")[0]) == (0, "ledger/main/1 was there")
    code, output = said(*good[:-1], "1.2.3")
    assert (code, "another policy" in output) == (1, True)
    token = tmp_path / "token.der"
    code, output = said("export", "ledger/main/1", "--out", str(token))
    assert code == 0
    assert output.startswith(f"openssl ts -verify -token_in -in {token} -digest ")
    row = StampRepository(reader).stamp("ledger/main/1")
    assert row is not None
    assert token.read_bytes() == row["token"]


def test_a_checkpoint_that_was_changed_since_is_named(books: Books, reader: Reader) -> None:
    """As past the guards: the token of one digest beside the note of another."""
    token = asyncio.run(NearTimeStamper().stamp(bytes(32)))
    command = KeepStamp(subject="ledger/main/1", digest=bytes(32), token=token)
    books.writer.apply([command])
    words = ("check", "--authority", str(near_stamper().authority_file), "--policy", POLICY)
    done = CliRunner().invoke(app, words, env={URL: books.url})
    assert done.exit_code == 1
    assert "ledger/main/1 does NOT hold: timestamp_invalid: another digest" in done.output


def test_the_command_checks_the_reserve_s_tests_too(books: Books, reader: Reader) -> None:
    note = "tested\n"
    token = asyncio.run(NearTimeStamper().stamp(sha256(note.encode())))
    engine = open_engine(books.url)
    with engine.begin() as connection:
        for number, said in ((1, note), (2, "forged\n")):
            connection.execute(
                text(
                    "INSERT INTO reserve_test (business_date, number, passed, note, key, stamp,"
                    " at_ms) VALUES ('2026-09-30', :number, 1, :note, '', :token, 1)"
                ),
                {"number": number, "note": said, "token": token},
            )
    engine.dispose()
    words = ("check", "--authority", str(near_stamper().authority_file), "--policy", POLICY)
    done = CliRunner().invoke(app, words, env={URL: books.url})
    assert done.exit_code == 1
    forged, good = done.output.splitlines()
    assert forged == "reserve/2026-09-30/2 does NOT hold: timestamp_invalid: another digest"
    assert good.startswith("reserve/2026-09-30/1 was there at ")
