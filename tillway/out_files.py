"""Files that a command is asked to write its answer into."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from protocol.errors import OperatingError
from tillway.json_api import JsonApi


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Write the file within; ``OperatingError("file_unwritable")`` names one that cannot be."""
    try:
        yield
    except OSError as error:
        raise OperatingError("file_unwritable", f"{out}: {error.strerror}") from None


def part_of(out: Path) -> Path:
    """Where the file is written until it is whole; ``file_unwritable`` for what names none."""
    if not out.name:
        raise OperatingError("file_unwritable", f"{out} is no file's name")
    return out.with_name(f"{out.name}.part")


def save(api: JsonApi, path: str, out: Path) -> None:
    """Write what comes as it comes, and show how much it is; the file has its name once it is
    whole."""
    part = part_of(out)
    columns = (TextColumn("{task.description}"), DownloadColumn(), TimeElapsedColumn())
    with (
        writing(out),
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
        part.open("wb") as sink,
    ):
        task = progress.add_task(out.name, total=None)

        def take(chunk: bytes) -> None:
            progress.advance(task, sink.write(chunk))

        try:
            api.download(path, take)
        except BaseException:
            part.unlink()
            raise
    part.replace(out)
