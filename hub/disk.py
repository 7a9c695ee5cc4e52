"""The shell's way to the spool: effects become jobs of the writer, commits become events."""

import asyncio
import sqlite3
from collections.abc import Callable

import structlog

from hub.domain.core import HubCore
from hub.domain.effects import (
    Forget,
    Parcel,
    RecordAnswers,
    Store,
    StoreDevices,
    StorePushes,
)
from hub.spool.store import SpoolStore
from hub.spool.writer import SpoolWriter
from protocol.clock import Clock
from protocol.errors import OperatingError

log = structlog.get_logger("hub.disk")
DiskEffect = Store | StorePushes | RecordAnswers | Forget | StoreDevices


class Disk:
    """Used in the loop's thread only; ``schedule`` asks the shell for a turn."""

    def __init__(
        self, core: HubCore, writer: SpoolWriter, clock: Clock, schedule: Callable[[], None]
    ) -> None:
        self._core = core
        self._writer = writer
        self._clock = clock
        self._schedule = schedule
        self._news: dict[int, asyncio.Future[None]] = {}

    def perform(self, effect: DiskEffect) -> None:
        """Have it committed."""
        match effect:
            case Store():
                self._store(effect)
            case StorePushes():
                self._store_pushes(effect)
            case _:
                self._write(effect)

    def news_stored(self, cursor: int) -> "asyncio.Future[None]":
        """Done when the pushes up to this cursor are committed; ``OperatingError`` if not."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._news[cursor] = done
        done.add_done_callback(lambda _: self._news.pop(cursor, None))
        return done

    def committed(self, callbacks: list[Callable[[], None]]) -> None:
        """A commit is over: tell the core of each of its jobs."""
        for callback in callbacks:
            callback()
        self._schedule()

    def _store(self, effect: Store) -> None:
        def done(result: int | BaseException) -> None:
            if isinstance(result, BaseException):
                is_disk = isinstance(result, sqlite3.Error)
                self._core.not_stored(effect.ticket, "spool_unwritable" if is_disk else "busy")
            else:
                self._core.stored(effect.ticket, result)

        try:
            self._writer.submit(lambda store: store.append(effect.row), done)
        except OperatingError as error:
            self._core.not_stored(effect.ticket, error.code)

    def _store_pushes(self, effect: StorePushes) -> None:
        at_ms = self._clock.now_ms()

        def run(store: SpoolStore) -> list[Parcel]:
            return store.append_pushes(
                effect.pushes, effect.devices, cursor=effect.cursor, at_ms=at_ms
            )

        def done(result: list[Parcel] | BaseException) -> None:
            waiting = self._news.get(effect.cursor)
            if isinstance(result, BaseException):
                if waiting is not None and not waiting.done():
                    waiting.set_exception(OperatingError("busy", "spool"))
                return
            self._core.pushes_stored(effect.cursor, result)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

        try:
            self._writer.submit(run, done)
        except OperatingError as error:
            done(error)

    def _write(self, effect: RecordAnswers | Forget | StoreDevices) -> None:
        at_ms = self._clock.now_ms()

        def run(store: SpoolStore) -> None:
            match effect:
                case RecordAnswers(recorded):
                    store.record_answers(recorded, at_ms=at_ms)
                case Forget(keys):
                    store.forget(keys)
                case StoreDevices(devices, gone):
                    store.put_devices(devices, gone)

        def done(result: BaseException | None) -> None:
            if isinstance(result, BaseException) and isinstance(effect, Forget):
                self._core.delivery.not_forgotten(effect.keys)

        # Not written is not lost: the backend says it again after the next start. What is not
        # removed is, some other time: else a disk that was full once would stay so.
        try:
            self._writer.submit(run, done)
        except OperatingError as error:
            log.warning("spool_write_skipped", effect=type(effect).__name__)
            done(error)
