"""What a person means who types a name into a field that takes an id.

Rule 1: an id is taken as it stands. So is a text that nothing is called by: what was registered
        under it may be gone, and its rows are not.
Rule 2: a merchant's people choose among their own merchant's stores and devices, and learn no other
        merchant's names.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from backend.devices.repository import DeviceRepository
from backend.listing.filters import MEANT, TypedFilter
from backend.listing.limits import CHOICES_SHOWN_MAX
from backend.merchants.repository import MerchantRepository
from backend.payments.services import Services
from protocol.errors import CallerError

T = TypeVar("T", bound=TypedFilter)
_BETWEEN = " · "


@dataclass(frozen=True, slots=True)
class Choice:
    """What may be meant."""

    id: str
    name: str
    """Its own; a device has its store's."""

    @property
    def told(self) -> str:
        """Name and id together, as a form suggests it and takes it."""
        return f"{self.name}{_BETWEEN}{self.id}" if self.name else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[T]):
    """A filter with ids in place of names."""

    typed: T
    choices: dict[str, list[Choice]] = field(default_factory=dict)
    """By field: several that are called so, of whom one has to be chosen."""
    names: dict[str, str] = field(default_factory=dict)
    """By field: what is called so, where one is meant."""

    def clear(self) -> T:
        """The filter; ``field_invalid`` names the field that more than one is meant by, and
        them."""
        for name, several in self.choices.items():
            told = ", ".join(one.told for one in several)
            raise CallerError("field_invalid", f"{name}: {told}")
        return self.typed


class Naming:
    """One per process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._merchants = MerchantRepository(services.reader)
        self._devices = DeviceRepository(services.reader)

    async def asked(self, typed: T, scope: str | None) -> Asked[T]:
        """What the fields ``merchant``, ``store`` and ``device`` of a filter mean to somebody who
        sees one merchant, or all (None)."""
        ids: dict[str, Any] = {}
        choices: dict[str, list[Choice]] = {}
        names: dict[str, str] = {}
        for name in _fields(typed, scope):
            text = getattr(typed, name)
            of = scope or ids.get("merchant") or None
            found = await self.meant(name, text, of) if text else []
            if len(found) > 1:
                choices[name] = found
            ids[name] = found[0].id if len(found) == 1 else text
            if len(found) == 1:
                names[name] = found[0].name
        told = replace(typed, **ids)  # type: ignore[type-var]  # each list's is a dataclass
        return Asked(typed=told, choices=choices, names=names)

    async def clear(self, typed: T, scope: str | None) -> T:
        """A program's filter with ids in place of names; refused by the first field that cannot be
        read, or that more than one is meant by."""
        typed.check()
        return (await self.asked(typed, scope)).clear()

    async def known(self, typed: TypedFilter, scope: str | None) -> dict[str, list[Choice]]:
        """What a filter's form has at hand for the same fields, some of very many: merchants while
        none is chosen, then the chosen one's stores and devices."""
        chosen = getattr(typed, "merchant", "") if scope is None else ""
        fields = [name for name in _fields(typed, scope) if not (chosen and name == "merchant")]
        return {name: await self.found(name, "", scope or chosen or None) for name in fields}

    async def meant(self, kind: str, text: str, merchant_id: str | None) -> list[Choice]:
        """Those that a text means: one, several, or none. Of a suggestion the id counts."""
        key = text.rpartition(_BETWEEN)[2]
        if key != text:
            suggested = await self.found(kind, key, merchant_id)
            chosen = [one for one in suggested if one.told == text]
            if chosen:
                return chosen
        return meant(text, await self.found(kind, text, merchant_id))

    async def found(self, kind: str, text: str, merchant_id: str | None) -> list[Choice]:
        """Those whose id or name has a text in it, who has it as id or name first."""
        limit = CHOICES_SHOWN_MAX

        def read() -> list[Choice]:
            if kind == "merchant":
                merchants = self._merchants.found(text, limit=limit)
                return [Choice(row["merchant_id"], row["name"]) for row in merchants]
            if kind == "store":
                stores = self._devices.stores_found(text, limit=limit, merchant_id=merchant_id)
                return [Choice(row["store"], row["name"]) for row in stores]
            devices = self._devices.found(text, limit=limit, merchant_id=merchant_id)
            return [Choice(row["tid"], row["store_name"] or row["store"]) for row in devices]

        choices: list[Choice] = await self._services.run_read(read)
        return choices


def meant(text: str, found: Sequence[Choice]) -> list[Choice]:
    """Those of what was found that a text means: whose id it is; else who alone is called just
    that; else all of them."""
    for one in found:
        if one.id == text:
            return [one]
    called = [one for one in found if one.name.casefold() == text.casefold()]
    return called if len(called) == 1 else list(found)


def _fields(typed: TypedFilter, scope: str | None) -> list[str]:
    wanted = MEANT if scope is None else MEANT[1:]
    return [name for name in wanted if name in typed.__slots__]
