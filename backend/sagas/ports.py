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
    channel_id: str = ""
    """Who was spoken to: a word about another channel than the present one comes too late."""
    is_heard: bool = True
    """Whether the channel said anything, if only that it does not know the order."""
    is_waiting: bool = False
    """It has said that it is not done; there is no answer yet."""
    shown_code: str = ""
    """What the payer is to scan meanwhile."""
    is_unsent: bool = False
    """Certainly nothing was sent."""


Resolve = Callable[[str, Word], Command]
"""The command that draws the consequence of a word for a conversation, in one transaction."""
