"""Why a thing paid by itself: what it measured, at which price, and how the amount came of it.

Rule: the sum of the lines is the amount, less what is said to be left out (``cap``); whoever reads
      it can work the amount out again.
"""

from typing import Annotated, Literal

from pydantic import Field

from protocol.limits import EXPLAINED_LINES_MAX, EXPLAINED_READINGS_MAX
from protocol.messages.base import Body, Minor, Name, Text

Count = Annotated[int, Field(ge=0, le=2**53)]
Thing = Literal["charge", "vend", "meter", "parking"]


class Reading(Body):
    """What a meter or a clock showed. ``value`` is an integer of ``unit``."""

    what: Name
    value: Count
    unit: Name
    at_ms: Count


class ExplainedLine(Body):
    """``quantity`` of ``unit`` at ``price_minor`` for each ``per`` of them, rounded down.

    ``zh`` and ``en`` name what only the thing's owner has a name for, such as what it sells."""

    what: Name
    zh: Text | None = None
    en: Text | None = None
    quantity: Count
    unit: Name
    price_minor: Minor
    per: Annotated[int, Field(ge=1, le=2**53)]
    amount_minor: Minor


class Explanation(Body):
    """What a thing says of a payment that it made by itself, or of the rest that it gives back."""

    thing: Thing
    reason: Name
    """Why it began or ended, as a stable word: ``unplugged``, ``limit_reached``, ``low``."""
    began_at_ms: Count
    ended_at_ms: Count
    readings: Annotated[list[Reading], Field(max_length=EXPLAINED_READINGS_MAX)]
    lines: Annotated[list[ExplainedLine], Field(max_length=EXPLAINED_LINES_MAX)]
    cap_minor: Minor | None = None
    """The limit that the amount was held to, where the lines come to more."""
