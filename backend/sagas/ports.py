"""What the runner asks of the rooms whose conversations it carries on."""

from collections.abc import Callable
from dataclasses import dataclass

from backend.channels.model import ChannelAnswer
from backend.db.command import Command
from backend.sagas.model import Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What came of speaking to the channel once: its answer, or why there is none."""

    ask: Ask
    answer: ChannelAnswer | None = None
    error: str = ""


Resolve = Callable[[str, Word], Command]
"""The command that draws the consequence of a word for a conversation, in one transaction."""
