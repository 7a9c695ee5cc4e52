"""A terminal's disk without room: the journal says so, keeps nothing by halves, and goes on."""

from pathlib import Path

import pytest

from protocol.errors import OperatingError
from terminal.journal.store import Journal
from terminal.serving import has_room, is_unwritable
from tests.support.full_disk import no_larger_files


def journal_in(path: Path) -> Journal:
    return Journal(path / "journal.db", tid="till-1", now_ms=1)


def test_a_start_on_a_full_disk_is_named_and_the_next_one_works(tmp_path: Path) -> None:
    with no_larger_files(0) as grow:
        with pytest.raises(OperatingError, match="journal_unwritable"):
            journal_in(tmp_path)
        assert not has_room(tmp_path)
        grow()
        assert has_room(tmp_path)
        journal_in(tmp_path).close()


def test_a_turn_on_a_full_disk_keeps_nothing(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    with journal.transaction():
        before = journal.next_counter()
    with no_larger_files(0) as grow:
        with pytest.raises(OperatingError, match="journal_unwritable"), journal.transaction():
            journal.next_counter()
        grow()
    with journal.transaction():
        assert journal.next_counter() == before + 1
    journal.close()


def test_the_word_is_found_within_what_fell_with_it() -> None:
    full = OperatingError("journal_unwritable")
    assert is_unwritable(ExceptionGroup("tasks", [ExceptionGroup("own", [full])]))
    assert not is_unwritable(ExceptionGroup("tasks", [ValueError(), OperatingError("busy")]))
