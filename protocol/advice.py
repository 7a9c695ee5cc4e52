"""What a code of an error means to a person and to a program: an entry of the catalogue."""

from dataclasses import dataclass
from typing import Literal

Retry = Literal["never", "same_id", "after"]


@dataclass(frozen=True, slots=True)
class Advice:
    """What a code means to a person and to a program."""

    code: str
    retry: Retry
    zh: str
    en: str


Row = tuple[str, Retry, str, str]
"""An entry as it is written in the catalogue."""
