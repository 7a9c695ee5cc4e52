"""A pay code lies on the disk of a till and of a hub for as long as its payment is open, and its
bytes go with it, also where SQLite is built to leave what was deleted as it is."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hub.domain.effects import UplinkRow
from hub.spool.store import SpoolStore, open_connection
from protocol import cbor
from terminal.journal.rows import RequestRow
from terminal.journal.store import Journal
from tests.unit.terminal.fakes import CODE, TID

BODY = {"payment_id": "pay_1", "pay_code": CODE}
MANY = 20


class BuiltElsewhere(sqlite3.Connection):
    """SQLite without SQLITE_SECURE_DELETE, which Debian's has."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.execute("PRAGMA secure_delete = OFF")


@pytest.fixture(autouse=True)
def built_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=BuiltElsewhere))


def written(path: Path) -> bytes:
    """All that is on the disk of a database that was closed."""
    return b"".join(part.read_bytes() for part in path.parent.iterdir())


def till(path: Path, *, is_answered: bool) -> None:
    journal = Journal(path, tid=TID, now_ms=1)
    for number in range(MANY):
        journal.add_request(
            RequestRow(
                request_id=f"req_{number}", message_type="payment.create", subject=f"pay_{number}",
                body=BODY, trace_id="trace", created_at_ms=1,
            )
        )  # fmt: skip
        journal.record_send(f"req_{number}", counter=number, sealed=cbor.encode(BODY), at_ms=2)
    for number in range(MANY * is_answered):
        journal.forget_bodies(f"pay_{number}")
    journal.close()


def hub(path: Path, *, is_answered: bool) -> None:
    store = SpoolStore(open_connection(path))
    with store.transaction():
        rows = [
            store.append(
                UplinkRow(
                    row=0, device=TID, position=(1, number), request_id=f"req_{number}",
                    trace_id="trace", transport="mqtt", envelope=cbor.encode(BODY),
                    received_at_ms=1,
                )
            )
            for number in range(MANY)
        ]  # fmt: skip
    if is_answered:
        with store.transaction():
            store.forget([("uplink", row) for row in rows])
    store.close()


@pytest.mark.parametrize("keep", [till, hub])
def test_the_code_of_an_answered_payment_is_not_on_the_disk_any_more(
    keep: Callable[..., None], tmp_path: Path
) -> None:
    for is_answered in (False, True):
        folder = tmp_path / str(is_answered)
        folder.mkdir()
        keep(folder / "kept.db", is_answered=is_answered)
        assert (CODE.encode() in written(folder / "kept.db")) is not is_answered
