"""A full disk: everybody is told, nothing that was reported is lost, and with room it goes on."""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.disk import Disk
from hub.domain.effects import Forget, UplinkRow
from hub.spool import writer
from hub.spool.store import SpoolStore, open_connection
from hub.spool.writer import SpoolWriter
from tests.kit.hub_shop import STORE, Bench
from tests.kit.patience import PATIENCE_S
from tests.support.full_disk import no_larger_files, small_disk


def row(counter: int) -> UplinkRow:
    return UplinkRow(
        row=0, device=f"till-{counter % 3}", position=(1, counter), request_id=f"req-{counter}",
        trace_id="trace", envelope=counter.to_bytes(4, "big") * 500, received_at_ms=counter,
        transport="mqtt",
    )  # fmt: skip


class Desk:
    """Submits rows one by one to a running writer."""

    def __init__(self, path: Path) -> None:
        def report(callbacks: list[Callable[[], None]]) -> None:
            for callback in callbacks:
                callback()

        self.writer = SpoolWriter(SpoolStore(open_connection(path)))
        self.writer.start(report)
        self.kept: list[int] = []
        self.refused: list[int] = []
        self._counter = 0

    def submit(self) -> bool:
        """One more; whether it was kept."""
        self._counter += 1
        counter, done = self._counter, threading.Event()
        result: list[object] = []

        def told(said: object) -> None:
            result.append(said)
            done.set()

        self.writer.submit(lambda store: store.append(row(counter)), told)
        assert done.wait(PATIENCE_S)
        is_kept = isinstance(result[0], int)
        assert is_kept or isinstance(result[0], sqlite3.OperationalError)
        (self.kept if is_kept else self.refused).append(counter)
        return is_kept


def wait_until(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.01)


@pytest.mark.parametrize("disk", ["enospc", "file_size"])
def test_a_full_disk_refuses_and_goes_on_when_there_is_room(
    tmp_path: Path, disk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ROOM_AGAIN_S", 0.05)
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder) if disk == "enospc" else no_larger_files(200_000) as grow:
        desk = Desk(folder / "spool.db")
        while desk.submit():
            assert desk.kept[-1] < 1_000, "the disk is never full"
        full_at = len(desk.kept)
        for _ in range(5):
            assert not desk.submit()
        assert len(desk.refused) == 6
        assert desk.writer.failures == 6
        assert not desk.writer.is_writable
        grow()
        wait_until(lambda: desk.writer.is_writable)
        for _ in range(5):
            assert desk.submit(), "with room it goes on, in the same process"
        desk.writer.stop()
        connection = open_connection(folder / "spool.db")
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        store = SpoolStore(connection)
        back = store.begin_epoch(store=STORE)
        store.close()
    assert [one.position[1] for one in back.queued] == desk.kept
    assert full_at > 5


class FailingWriter:
    """A writer whose disk is full."""

    def submit(self, _run: object, done: Callable[[BaseException], None]) -> None:
        done(sqlite3.OperationalError("database or disk is full"))


def test_rows_that_could_not_be_removed_are_removed_some_other_time() -> None:
    bench = Bench()
    core, gone = bench.hub.core, Forget((("uplink", 7), ("downlink", 3)))
    disk = Disk(core, FailingWriter(), bench.clock, lambda: None)  # type: ignore[arg-type]
    disk.perform(gone)
    core.tick()
    assert gone in core.take_effects()
    bench.close()
