"""The days of a history that a command looks at: so many, up to an end."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from protocol.clock import DAY_MS

Until = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The end; now if not given.")
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def end_of(until: datetime | None) -> datetime:
    """The end that was asked for."""
    return until.replace(tzinfo=UTC) if until else datetime.now(UTC)


def span_ms(end: datetime, *, days: int) -> tuple[int, int]:
    """When so many days before an end began, and the end. Any end: time may have begun later."""
    end_ms = (end - _EPOCH) // _MILLISECOND
    return end_ms - days * DAY_MS, end_ms
