"""The opening links of one process. Pure but for what it is given.

Rule 1: a code opens once, within its life, and is kept as a hash; used and expired ones are
        remembered for a while, so that they are refused in their own words.
Rule 2: what a link opens with is kept in memory alone, and is forgotten when the link is over.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from backend.openings.limits import CODE_BYTES, LINK_LIFE_MS, LINKS_KEPT_MAX
from protocol.clock import Entropy
from protocol.errors import CallerError

_CONTEXT = b"tillway-opening-v1"


@dataclass(frozen=True, slots=True)
class WalletOpening:
    """A payer's wallet, by the token that its owner has shown."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConsoleOpening:
    """The console, for the first owner of a team. ``merchant_id`` empty: of the operators."""

    merchant_id: str


Opening = WalletOpening | ConsoleOpening
_Opening = TypeVar("_Opening", WalletOpening, ConsoleOpening)


@dataclass(frozen=True, slots=True)
class Link:
    """What is told once: the code, and until when it opens."""

    code: str = field(repr=False)
    expires_at_ms: int


@dataclass(slots=True)
class _Kept:
    kind: type[Opening]
    opening: Opening | None
    expires_at_ms: int
    is_used: bool = False


class Openings:
    """Mints links and takes them. Owned by the event loop."""

    def __init__(self, now_ms: Callable[[], int], entropy: Entropy) -> None:
        self._now_ms = now_ms
        self._entropy = entropy
        self._links: OrderedDict[bytes, _Kept] = OrderedDict()

    def mint(self, opening: Opening) -> Link:
        """A new link."""
        link = Link(self._entropy.token_bytes(CODE_BYTES).hex(), self._now_ms() + LINK_LIFE_MS)
        self._links[_hashed(link.code)] = _Kept(type(opening), opening, link.expires_at_ms)
        while len(self._links) > LINKS_KEPT_MAX:
            self._links.popitem(last=False)
        return link

    def take(self, code: str, kind: type[_Opening]) -> _Opening:
        """What a link of this kind opens, which is over with it; ``opening_used``,
        ``opening_expired``, and ``opening_unknown`` for what is no such link, or none any more."""
        kept = self._links.get(_hashed(code))
        if kept is None or kept.kind is not kind:
            raise CallerError("opening_unknown")
        if kept.is_used:
            raise CallerError("opening_used")
        opening, kept.opening = kept.opening, None
        if not isinstance(opening, kind) or self._now_ms() >= kept.expires_at_ms:
            raise CallerError("opening_expired")
        kept.is_used = True
        return opening


def _hashed(code: str) -> bytes:
    return hashlib.sha256(_CONTEXT + code.encode("utf-8", "surrogatepass")).digest()
