"""Calls that might never return, on a thread of their own, so that who waits can go on without.

Rule 1: one call at a time. One that was given up on keeps the thread until it returns; until then
        no other is begun, so a part that hangs costs one thread and one wait, not one a payment.
Rule 2: an answer that comes after it was given up on is thrown away.
"""

import threading
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import structlog

_log = structlog.get_logger()
_T = TypeVar("_T")


class GivenUpError(Exception):
    """The call did not return in time; or, ``is_waiting`` False, one before it has not returned
    yet, and this one was not begun."""

    def __init__(self, *, is_waiting: bool) -> None:
        super().__init__("no answer in time" if is_waiting else "the call before has not returned")
        self.is_waiting = is_waiting


_Asked = SimpleQueue[tuple[int, Callable[[], Any]] | None]
_Answers = SimpleQueue[tuple[int, Any, Exception | None]]


class BoundedCaller:
    """Runs calls for one task at a time. The thread begins with the first call and ends with this
    object, or with the program."""

    def __init__(self) -> None:
        self._asked: _Asked = SimpleQueue()
        self._answers: _Answers = SimpleQueue()
        self._number = 0
        self._given_up = 0
        """The call that was given up on and has not returned; 0: none."""
        self._has_begun = False

    @property
    def is_stuck(self) -> bool:
        """Whether a call that was given up on has still not returned."""
        while self._given_up:
            try:
                number, _, _ = self._answers.get_nowait()
            except Empty:
                return True
            if number == self._given_up:
                self._given_up = 0
        return False

    def call(self, work: Callable[[], _T], *, seconds_max: float) -> _T:
        """What the work returns or raises, or ``GivenUpError``."""
        if self.is_stuck:
            raise GivenUpError(is_waiting=False)
        if not self._has_begun:
            self._begin()
        self._number += 1
        self._asked.put((self._number, work))
        try:
            _, value, error = self._answers.get(timeout=seconds_max)
        except Empty:
            self._given_up = self._number
            raise GivenUpError(is_waiting=True) from None
        if error is not None:
            raise error
        found: _T = value
        return found

    def _begin(self) -> None:
        self._has_begun = True
        threading.Thread(
            target=_serve, args=(self._asked, self._answers), name="risk-stage", daemon=True
        ).start()
        weakref.finalize(self, self._asked.put, None)


def _serve(asked: _Asked, answers: _Answers) -> None:
    while (question := asked.get()) is not None:
        number, work = question
        try:
            answers.put((number, work(), None))
        except Exception as error:  # noqa: BLE001  # raised again where it was asked
            _log.warning("stage_failed", error=repr(error))
            answers.put((number, None, error))
        del question, work
