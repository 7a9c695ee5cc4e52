"""The spool's tables. Every method runs inside a transaction that its caller begins and commits.

One thread uses a store at a time: in the hub the writer's, in a simulation the only one.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from hub.domain.core import Remembered
from hub.domain.effects import Parcel, ParcelKey, Push, UplinkRow
from hub.domain.registry import Device
from hub.durable import open_durable, transaction
from hub.spool.limits import CACHED_STATEMENTS_MAX, ROOM_BYTES, WAL_AUTOCHECKPOINT_PAGES
from hub.spool.migration import migrate


def open_connection(path: Path | str) -> sqlite3.Connection:
    """Open (or make) a spool, brought to the present version, with commits that survive a crash.
    Envelopes hold pay codes: the file is its owner's."""
    connection = open_durable(path, cached_statements=CACHED_STATEMENTS_MAX)
    try:
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_AUTOCHECKPOINT_PAGES}")
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


class SpoolStore:
    """The statements. Not a transaction boundary: see :meth:`transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def close(self) -> None:
        """Close the database; what was committed stays."""
        self._db.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, durable when the block ends."""
        return transaction(self._db)

    def begin_epoch(self, *, store: str) -> Remembered:
        """Count one more start of the hub, and read everything back."""
        with self.transaction():
            self._db.execute("UPDATE mark SET value = value + 1 WHERE name = 'boot_epoch'")
        marks = dict(self._db.execute("SELECT name, value FROM mark").fetchall())
        devices = self._db.execute("SELECT wire FROM device").fetchall()
        positions = self._db.execute("SELECT device, boot_epoch, counter FROM position")
        return Remembered(
            epoch=marks["boot_epoch"],
            cursor=marks["push_cursor"],
            devices=tuple(Device.from_bytes(wire, store=store) for (wire,) in devices),
            positions={device: (epoch, counter) for device, epoch, counter in positions},
            queued=self._queued(),
            parcels=(*self._answered(), *self._pushed()),
        )

    def take_room(self) -> None:
        """Write what nobody reads, to see whether the disk takes it; each time the same room, with
        other bytes, because SQLite does not write what is there already."""
        self._db.execute("REPLACE INTO room VALUES (1, randomblob(?))", (ROOM_BYTES,))

    def append(self, row: UplinkRow) -> int:
        """Add an envelope and its device's position; returns the row number."""
        epoch, counter = row.position
        number = self._db.execute(
            "INSERT INTO uplink (device, boot_epoch, counter, request_id, trace_id, transport,"
            " envelope, received_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.device,
                epoch,
                counter,
                row.request_id,
                row.trace_id,
                row.transport,
                row.envelope,
                row.received_at_ms,
            ),
        ).lastrowid
        self._db.execute(
            "INSERT INTO position VALUES (?, ?, ?) ON CONFLICT (device) DO UPDATE"
            " SET boot_epoch = excluded.boot_epoch, counter = excluded.counter"
            " WHERE (excluded.boot_epoch, excluded.counter) > (boot_epoch, counter)",
            (row.device, epoch, counter),
        )
        assert number is not None
        return number

    def record_answers(self, answers: Iterable[tuple[int, bytes]], *, at_ms: int) -> None:
        """Keep answers that their devices have not taken yet."""
        self._db.executemany(
            "UPDATE uplink SET answer = ?, answered_at_ms = ? WHERE row = ?",
            [(wire, at_ms, row) for row, wire in answers],
        )

    def forget(self, keys: Iterable[ParcelKey]) -> None:
        """Remove rows whose answer or push is with its device."""
        pairs = list(keys)
        for table in ("uplink", "downlink"):
            self._db.executemany(
                f"DELETE FROM {table} WHERE row = ?",  # noqa: S608  # one of the two words above
                [(row,) for name, row in pairs if name == table],
            )

    def append_pushes(
        self, pushes: Sequence[Push], devices: Iterable[Device], *, cursor: int, at_ms: int
    ) -> list[Parcel]:
        """Keep pushes, device rows and the cursor behind them, together."""
        parcels = []
        for push in pushes:
            row = self._db.execute(
                "INSERT INTO downlink (device, kind, payload, since_ms) VALUES (?, ?, ?, ?)",
                (push.device, push.kind, push.payload, at_ms),
            ).lastrowid
            assert row is not None
            parcels.append(
                Parcel(
                    key=("downlink", row),
                    device=push.device,
                    kind=push.kind,
                    payload=push.payload,
                    since_ms=at_ms,
                )
            )
        self.put_devices(devices)
        self._db.execute("UPDATE mark SET value = ? WHERE name = 'push_cursor'", (cursor,))
        return parcels

    def put_devices(self, devices: Iterable[Device], gone: Iterable[str] = ()) -> None:
        """Write device rows, remove those that are gone."""
        self._db.executemany(
            "INSERT INTO device VALUES (?, ?) ON CONFLICT (tid) DO UPDATE SET wire = excluded.wire",
            [(device.tid, device.wire) for device in devices],
        )
        self._db.executemany("DELETE FROM device WHERE tid = ?", [(tid,) for tid in gone])

    def _queued(self) -> tuple[UplinkRow, ...]:
        rows = self._db.execute(
            "SELECT row, device, boot_epoch, counter, request_id, trace_id, envelope,"
            " received_at_ms, transport FROM uplink WHERE answer IS NULL ORDER BY row"
        )
        return tuple(
            UplinkRow(
                row=row[0],
                device=row[1],
                position=(row[2], row[3]),
                request_id=row[4],
                trace_id=row[5],
                envelope=row[6],
                received_at_ms=row[7],
                transport=row[8],
            )
            for row in rows
        )

    def _answered(self) -> Iterator[Parcel]:
        rows = self._db.execute(
            "SELECT row, device, answer, answered_at_ms FROM uplink"
            " WHERE answer IS NOT NULL ORDER BY row"
        )
        for row, device, answer, at_ms in rows:
            yield Parcel(
                key=("uplink", row), device=device, kind="res", payload=answer, since_ms=at_ms
            )

    def _pushed(self) -> Iterator[Parcel]:
        rows = self._db.execute(
            "SELECT row, device, kind, payload, since_ms FROM downlink ORDER BY row"
        )
        for row, device, kind, payload, at_ms in rows:
            yield Parcel(
                key=("downlink", row), device=device, kind=kind, payload=payload, since_ms=at_ms
            )
