"""Files that a command is asked to write its answer into."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol.errors import OperatingError


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Write the file within; ``OperatingError("file_unwritable")`` names one that cannot be."""
    try:
        yield
    except OSError as error:
        raise OperatingError("file_unwritable", f"{out}: {error.strerror}") from None
