"""What the charger knows of tokens without asking: the local list and the cache.

Rule 1: the list is the central system's and is asked first; the cache holds what the central
system answered before (1.6 §3.4, 2.0.1 part 2 C). Rule 2: an entry past its date is ``Expired``.
Rule 3: tokens are compared without regard to case (``CiString``, ``identifierString``).
Rule 4: both are bounded; the cache drops its oldest entry, a list that is too long is refused.
"""

from dataclasses import dataclass, field
from datetime import datetime

from firmware_sim.devices.ocpp.limits import TOKENS_CACHED_MAX, TOKENS_LISTED_MAX

ACCEPTED = "Accepted"
EXPIRED = "Expired"


@dataclass(frozen=True, slots=True)
class Token:
    """A card, or what else a person shows; ``kind`` is 2.0.1's type."""

    text: str
    kind: str = "ISO14443"

    @property
    def key(self) -> str:
        """What it is compared by."""
        return self.text.casefold()


@dataclass(frozen=True, slots=True)
class Standing:
    """What the central system says of a token; ``group`` is 1.6's parent, 2.0.1's group."""

    status: str
    group: str = ""
    expires_at: datetime | None = None

    def status_at(self, moment: datetime) -> str:
        """The status at a time."""
        is_over = self.expires_at is not None and self.expires_at <= moment
        return EXPIRED if is_over and self.status == ACCEPTED else self.status


@dataclass(slots=True)
class TokenBook:
    """The list and the cache; both are in flash."""

    version: int = 0
    _list: dict[str, Standing] = field(default_factory=dict)
    _cache: dict[str, Standing] = field(default_factory=dict)

    @property
    def listed(self) -> int:
        """How many tokens the list has."""
        return len(self._list)

    @property
    def cached(self) -> int:
        """How many tokens the cache has."""
        return len(self._cache)

    def find(self, token: Token, *, use_list: bool, use_cache: bool) -> Standing | None:
        """What is known of a token."""
        found = self._list.get(token.key) if use_list else None
        return found or (self._cache.get(token.key) if use_cache else None)

    def is_listed(self, token: Token) -> bool:
        """Whether the list, and not only the cache, knows a token."""
        return token.key in self._list

    def remember(self, token: Token, standing: Standing) -> None:
        """Keep what the central system answered."""
        self._cache.pop(token.key, None)
        self._cache[token.key] = standing
        if len(self._cache) > TOKENS_CACHED_MAX:
            del self._cache[next(iter(self._cache))]

    def clear_cache(self) -> None:
        """Forget the cache."""
        self._cache.clear()

    def replace(self, version: int, entries: dict[Token, Standing | None]) -> bool:
        """A full list; ``False`` where it is too long, and then nothing changes."""
        return self._put(version, {}, entries)

    def amend(self, version: int, entries: dict[Token, Standing | None]) -> bool:
        """Changes to the list; a token without a standing leaves it. As ``replace``."""
        return self._put(version, dict(self._list), entries)

    def _put(
        self, version: int, listed: dict[str, Standing], entries: dict[Token, Standing | None]
    ) -> bool:
        for token, standing in entries.items():
            if standing is None:
                listed.pop(token.key, None)
            else:
                listed[token.key] = standing
        if len(listed) > TOKENS_LISTED_MAX:
            return False
        self._list, self.version = listed, version
        return True
