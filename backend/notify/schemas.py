"""What operators send about callbacks. Wrong fields are named, never echoed."""

from typing import Annotated

from pydantic import Field

from backend.notify.limits import FILTER_CHARS_MAX
from backend.wanted import Wanted

FilterText = Annotated[str | None, Field(max_length=FILTER_CHARS_MAX)]
FilterTime = Annotated[int | None, Field(ge=0, lt=2**53)]


class ReplayWanted(Wanted):
    """``POST /operator/v1/dead-letters/replay``: which ones; ``all`` where nothing narrows it."""

    merchant_id: FilterText = None
    event_type: FilterText = None
    since_ms: FilterTime = None
    all: bool = False
