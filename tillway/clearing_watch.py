"""A run of the clearing with a bar of how far it is. The bar decides nothing: a run that nobody
watches, or that is asked for again, ends the same."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from protocol.errors import TillwayError
from tillway.json_api import JsonApi
from tillway.limits import CLEARING_LOOK_S

Told = Callable[[dict[str, Any]], None]
"""Takes the progress of a run."""
_PROGRESS = "/operator/v1/clearing/progress"


def watch(api: JsonApi, path: str, console: Console) -> Any:  # noqa: ANN401  # any JSON
    """Post to a path and show the backend's progress until it answers."""
    with bar(console) as told:
        return follow(api, path, told)


@contextmanager
def bar(console: Console) -> Iterator[Told]:
    """A bar that shows what it is told, as ``GET /operator/v1/clearing/progress`` says it."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[things]}"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("asking", total=None, things="")
        yield lambda found: progress.update(task, **shown(found), refresh=True)
        progress.update(task, description="done", total=1, completed=1, things="")


def follow(api: JsonApi, path: str, told: Told) -> Any:  # noqa: ANN401
    """Post to a path and tell the backend's progress until it answers; the answer."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(api.post, path)
        while not wait((answer,), timeout=CLEARING_LOOK_S).done:
            found = _asked(api)
            if found.get("is_running"):
                told(found)
        return answer.result()


def shown(found: dict[str, Any]) -> dict[str, Any]:
    """What the bar says: the step, how many of all steps, and of how many things of the step."""
    part = found["done"] / found["count"] if found["count"] else 0
    return {
        "description": f"{found['day']} {found['step']}",
        "total": found["steps"],
        "completed": found["step_number"] - 1 + part,
        "things": f"{found['done']}/{found['count']}" if found["count"] else "",
    }


def _asked(api: JsonApi) -> dict[str, Any]:
    """The progress; nothing where the question fails, because the run itself says what is wrong."""
    try:
        found: dict[str, Any] = api.get(_PROGRESS)
    except TillwayError:
        return {}
    return found
