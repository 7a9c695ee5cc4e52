"""The spool: what was acknowledged is there after a crash, whatever version it began with."""

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.domain.effects import UplinkRow
from hub.spool.migration import migrate, scripts
from hub.spool.store import SpoolStore, open_connection
from hub.spool.writer import SpoolWriter
from protocol.errors import CallerError, OperatingError
from tests.kit.hub_shop import STORE, Shop
from tests.kit.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]

WRITES_UNTIL_KILLED = """
import sys
from hub.domain.effects import UplinkRow
from hub.spool.store import SpoolStore, open_connection
from hub.spool.writer import SpoolWriter

def report(callbacks):
    for callback in callbacks:
        callback()
    sys.stdout.flush()

writer = SpoolWriter(SpoolStore(open_connection(sys.argv[1])))
writer.start(report)
counter = 0
while True:
    counter += 1
    row = UplinkRow(row=0, device=f"till-{counter % 7}", position=(1, counter), request_id="r",
                    trace_id="t", envelope=counter.to_bytes(300, "big"), received_at_ms=counter,
                    transport="mqtt")
    try:
        writer.submit(lambda store, row=row: store.append(row),
                      lambda number, counter=counter: print(number, counter))
    except Exception:
        import time; time.sleep(0.001)
"""


def row(counter: int, *, device: str = "till-1", row: int = 0) -> UplinkRow:
    return UplinkRow(
        row=row,
        device=device,
        position=(1, counter),
        request_id=f"req-{counter}",
        trace_id="trace",
        envelope=b"envelope %d" % counter,
        received_at_ms=counter,
        transport="mqtt",
    )


@pytest.fixture
def store() -> Iterator[SpoolStore]:
    made = SpoolStore(open_connection(":memory:"))
    yield made
    made.close()


def test_rows_come_back_in_their_order_with_the_devices_position(store: SpoolStore) -> None:
    with store.transaction():
        numbers = [store.append(row(counter)) for counter in (3, 5, 9)]
    back = store.begin_epoch(store=STORE)
    assert [(one.row, one.position) for one in back.queued] == [
        (number, (1, counter)) for number, counter in zip(numbers, (3, 5, 9), strict=True)
    ]
    assert back.positions == {"till-1": (1, 9)}
    assert back.queued[0] == row(3, row=numbers[0])


def test_every_start_counts_one_epoch_more(store: SpoolStore) -> None:
    assert [store.begin_epoch(store=STORE).epoch for _ in range(3)] == [1, 2, 3]


def test_a_row_number_is_never_used_again(store: SpoolStore) -> None:
    with store.transaction():
        first = store.append(row(1))
        store.forget([("uplink", first)])
        second = store.append(row(2))
    assert second > first


def test_a_transaction_that_fails_leaves_nothing(store: SpoolStore) -> None:
    def fail() -> None:
        with store.transaction():
            store.append(row(1))
            raise RuntimeError("power")

    with pytest.raises(RuntimeError):
        fail()
    assert store.begin_epoch(store=STORE).queued == ()


def test_commits_are_durable_and_in_the_write_ahead_log(tmp_path: Path) -> None:
    connection = open_connection(tmp_path / "spool.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "2 is FULL"
    connection.close()


def test_a_spool_of_the_first_version_is_migrated_with_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    old = sqlite3.connect(path, isolation_level=None)
    number, sql = scripts()[0]
    old.executescript(f"BEGIN;{sql};PRAGMA user_version = {number};COMMIT;")
    old.execute(
        "INSERT INTO uplink (device, boot_epoch, counter, request_id, trace_id, transport,"
        " envelope, received_at_ms) VALUES ('till-1', 1, 4, 'r', 't', 'coap', x'01', 5)"
    )
    old.execute("UPDATE mark SET value = 41 WHERE name = 'boot_epoch'")
    old.close()
    store = SpoolStore(open_connection(path))
    device = Shop().device("till-1")
    with store.transaction():
        store.put_devices([device])
    back = store.begin_epoch(store=STORE)
    store.close()
    assert back.epoch == 42
    assert [one.envelope for one in back.queued] == [b"\x01"]
    assert [one.tid for one in back.devices] == ["till-1"]


def test_a_spool_from_the_future_is_refused(tmp_path: Path) -> None:
    future = sqlite3.connect(tmp_path / "spool.db", isolation_level=None)
    future.execute("PRAGMA user_version = 999")
    with pytest.raises(CallerError, match="config_invalid"):
        migrate(future)
    future.close()


def test_the_migrations_are_numbered_without_a_gap() -> None:
    assert [number for number, _ in scripts()] == list(range(1, len(scripts()) + 1))


def append(one: UplinkRow) -> Callable[[SpoolStore], int]:
    return lambda store: store.append(one)


def written(writer: SpoolWriter, jobs: list[Callable[[SpoolStore], object]]) -> list[object]:
    """Submit before the writer starts, so that all of them share one commit."""
    results: list[object] = []
    done = threading.Event()

    def report(callbacks: list[Callable[[], None]]) -> None:
        for callback in callbacks:
            callback()
        if len(results) >= len(jobs):
            done.set()

    for job in jobs:
        writer.submit(job, results.append)
    writer.start(report)
    assert done.wait(PATIENCE_S)
    return results


def test_jobs_that_wait_share_one_commit(tmp_path: Path) -> None:
    writer = SpoolWriter(SpoolStore(open_connection(tmp_path / "spool.db")))
    results = written(writer, [append(row(counter)) for counter in range(1, 101)])
    writer.stop()
    assert results == list(range(1, 101))
    assert writer.commits == 1


def test_more_jobs_than_may_wait_are_refused_and_those_that_wait_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.spool.writer.JOBS_WAITING_MAX", 3)
    writer = SpoolWriter(SpoolStore(open_connection(tmp_path / "spool.db")))
    results: list[object] = []
    for counter in (1, 2, 3):
        writer.submit(append(row(counter)), results.append)
    with pytest.raises(OperatingError, match="busy"):
        writer.submit(append(row(4)), results.append)

    def report(callbacks: list[Callable[[], None]]) -> None:
        for callback in callbacks:
            callback()

    writer.start(report)
    writer.stop()
    assert results == [1, 2, 3], "also what waited when it was stopped"


def test_when_the_disk_fails_every_job_is_told_and_nothing_is_kept(tmp_path: Path) -> None:
    writer = SpoolWriter(SpoolStore(open_connection(tmp_path / "spool.db")))

    def fail(_store: SpoolStore) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    results = written(writer, [append(row(1)), fail])
    writer.stop()
    assert all(isinstance(result, sqlite3.OperationalError) for result in results)
    store = SpoolStore(open_connection(tmp_path / "spool.db"))
    assert store.begin_epoch(store=STORE).queued == ()
    store.close()


def test_what_was_reported_is_there_after_kill_minus_nine(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITES_UNTIL_KILLED, str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(500)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().splitlines(keepends=True)
    # The last line may be torn by the kill itself; a whole line was reported.
    reported = {tuple(int(word) for word in line.split()) for line in told if line.endswith("\n")}
    connection = open_connection(path)
    kept = set(connection.execute("SELECT row, counter FROM uplink"))
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    positions = dict(connection.execute("SELECT device, counter FROM position"))
    connection.close()
    assert len(reported) >= 500
    assert reported <= kept
    assert max(positions.values()) == max(counter for _, counter in kept)
