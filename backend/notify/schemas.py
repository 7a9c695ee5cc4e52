"""What operators send about callbacks. Wrong fields are named, never echoed."""

from typing import Annotated

from pydantic import Field

from backend.listing.limits import FILTER_CHARS_MAX, MEANT_CHARS_MAX
from backend.wanted import Wanted

_Text = Annotated[str, Field(max_length=FILTER_CHARS_MAX)]


class ReplayWanted(Wanted):
    """``POST /operator/v1/dead-letters/replay``: which ones, as their list is asked for; ``all``
    where nothing narrows it."""

    merchant: Annotated[str, Field(max_length=MEANT_CHARS_MAX)] = ""
    kind: _Text = ""
    since: _Text = ""
    until: _Text = ""
    all: bool = False
