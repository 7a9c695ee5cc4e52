"""The bar of a run: it shows what the backend says, and hands on the run's own answer."""

import io
import threading
from typing import Any, ClassVar

import pytest
from rich.console import Console

from protocol.errors import CallerError, OperatingError
from tillway.clearing_watch import shown, watch
from tillway.json_api import JsonApi

AT = {"day": "2026-11-23", "step": "settle", "step_number": 4, "steps": 9, "is_running": True}


class Backend(JsonApi):
    """A backend whose run ends when its progress was asked for the second time."""

    asked: ClassVar[list[str]] = []
    is_shown = threading.Event()
    is_refused = False
    is_deaf = False

    def get(self, path: str) -> Any:
        self.asked.append(path)
        if len(self.asked) > 1:
            self.is_shown.set()
        if self.is_deaf:
            raise OperatingError("timeout", "progress")
        return {**AT, "done": 3, "count": 12}

    def post(self, path: str, body: Any = None) -> Any:
        assert self.is_shown.wait(10)
        if self.is_refused:
            raise CallerError("day_not_closed", "2026-11-22 must be closed first")
        return {"state": "closed"}


class Refused(Backend):
    is_refused = True


class Deaf(Backend):
    is_deaf = True


@pytest.fixture(autouse=True)
def nobody_has_asked() -> None:
    Backend.asked.clear()
    Backend.is_shown.clear()


def console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100)


def test_the_answer_of_the_run_is_handed_on_and_the_step_is_shown() -> None:
    screen = console()
    assert watch(Backend("http://x"), "/run", screen) == {"state": "closed"}
    assert isinstance(screen.file, io.StringIO)
    assert "2026-11-23 settle" in screen.file.getvalue()


def test_a_refused_run_says_why() -> None:
    with pytest.raises(CallerError, match="day_not_closed"):
        watch(Refused("http://x"), "/run", console())


def test_a_progress_that_does_not_answer_does_not_disturb_the_run() -> None:
    assert watch(Deaf("http://x"), "/run", console()) == {"state": "closed"}


def test_a_step_with_a_count_moves_between_the_steps() -> None:
    found = shown({**AT, "done": 3, "count": 12})
    assert (found["completed"], found["total"], found["things"]) == (3.25, 9, "3/12")
    assert shown({**AT, "done": 0, "count": 0})["completed"] == 3
