"""What never changes about devices, kept in memory: whose key a kid is, whose shop a store is.

Rule: only what cannot change is kept. Whether a device may speak, and with which key, is asked in
the transaction that serves it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from backend.db.ports import RunRead
from backend.devices.limits import KEYS_CACHED_MAX, STORES_CACHED_MAX
from protocol.crypto.keys import VerifyKey
from protocol.crypto.suites import suite_named

_T = TypeVar("_T")


class KeySource(Protocol):
    """Where keys and stores are read from."""

    def keys(self, kids: Iterable[bytes]) -> Iterable[Mapping[str, Any]]:
        """The key rows with these kids."""
        ...

    def merchants(self, stores: Iterable[str]) -> Mapping[str, str]:
        """The merchant of each store that exists."""
        ...


@dataclass(frozen=True, slots=True)
class KnownKey:
    """An enrolled key, ready to verify, and the device it was enrolled for."""

    tid: str
    verify_key: VerifyKey


class Directory:
    """A bounded memory over ``KeySource``. Owned by the event loop."""

    def __init__(self, source: KeySource, run_read: RunRead) -> None:
        self._source = source
        self._run_read = run_read
        self._keys: dict[bytes, KnownKey] = {}
        self._merchants: dict[str, str] = {}

    async def keys(self, kids: Iterable[bytes]) -> dict[bytes, KnownKey]:
        """The enrolled keys among these kids."""
        wanted = set(kids)
        missing = [kid for kid in wanted if kid not in self._keys]
        fresh: dict[bytes, KnownKey] = {}
        if missing:
            for row in await self._run_read(lambda: self._source.keys(missing)):
                key = VerifyKey(suite_named(row["suite"]), row["public_key"])
                fresh[row["kid"]] = KnownKey(row["tid"], key)
            _remember(self._keys, fresh, KEYS_CACHED_MAX)
        return {kid: found for kid in wanted if (found := fresh.get(kid) or self._keys.get(kid))}

    async def merchants(self, stores: Iterable[str]) -> dict[str, str]:
        """The merchants of these stores, where the store exists."""
        wanted = set(stores)
        missing = [store for store in wanted if store not in self._merchants]
        fresh: dict[str, str] = {}
        if missing:
            fresh = dict(await self._run_read(lambda: self._source.merchants(missing)))
            _remember(self._merchants, fresh, STORES_CACHED_MAX)
        return {
            store: found
            for store in wanted
            if (found := fresh.get(store) or self._merchants.get(store))
        }


def _remember(memory: dict[Any, _T], fresh: Mapping[Any, _T], count_max: int) -> None:
    """Add, and drop the oldest beyond the bound."""
    memory.update(fresh)
    while len(memory) > count_max:
        memory.pop(next(iter(memory)))
