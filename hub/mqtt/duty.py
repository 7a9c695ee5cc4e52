"""Which of a store's hubs takes the requests of an external broker. Pure.

Rule 1: every hub begins on duty. It leaves that to another one whose word, not long ago, was that
        it is online, while this one is not, has the higher key id, or has only just come back.
Rule 2: a hub that is not on duty says nothing on ``hub/state``: what is retained there is the word
        of the hub that serves. One that leaves duty says first how it is, for the other to hear.
        Where another has said the last, a hub that serves says its word again.

Nothing about money follows from it: two on duty answer each request twice, none keeps it waiting
until one is. So a word's signature is not asked for; the broker's ACL says who may speak there.
"""

import math
from dataclasses import dataclass

from hub import limits


@dataclass(frozen=True, slots=True)
class Word:
    """What a hub has said of itself: by which key, and whether it is online."""

    kid: bytes
    is_online: bool


class Duty:
    """One hub's view of its store."""

    def __init__(self, own_kid: bytes) -> None:
        self._own_kid = own_kid
        self._is_online = False
        self._steady_from_s = -math.inf
        """When it may take duty from another that serves."""
        self._other: tuple[Word, float] | None = None

    def says(self, *, is_online: bool, now_s: float) -> None:
        """How this hub is now."""
        is_back = is_online and not self._is_online
        if is_back and not self.is_on(now_s):
            self._steady_from_s = now_s + limits.BROKER_STEADY_S
        self._is_online = is_online

    def hears(self, word: Word, now_s: float) -> bool:
        """A message came on ``hub/state``; whether we must publish our own state after it."""
        if word.kid == self._own_kid:
            return False
        self._other = word, now_s
        return self._is_online and self.is_on(now_s)

    def is_on(self, now_s: float) -> bool:
        """Whether this hub takes requests."""
        if self._other is None:
            return True
        word, heard_s = self._other
        if not word.is_online or now_s - heard_s > limits.BROKER_OTHER_HUB_SILENT_S:
            return True
        return self._is_online and self._own_kid < word.kid and now_s >= self._steady_from_s
