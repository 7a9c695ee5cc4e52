"""Reading the registry. Only this file of the room sees SQL, and it only reads."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select, tuple_

from backend.db.reading import Reader
from backend.devices.limits import (
    DEVICES_PER_STORE_MAX,
    FLEET_PAGE_ROWS,
    HISTORY_ROWS_MAX,
    SELECTED_DEVICES_MAX,
    STORES_PER_LIST_MAX,
)
from backend.devices.model import DeviceKind, DeviceRow, DeviceStatus, OldKey
from backend.devices.selection import Selection
from backend.devices.tables import (
    Device,
    DeviceEvent,
    DeviceKey,
    DevicePresence,
    DeviceTag,
    Store,
)
from backend.firmware.tables import DeviceFirmware

_device = Device.__table__  # type: ignore[attr-defined]
_key = DeviceKey.__table__  # type: ignore[attr-defined]
_old = _key.alias("old_key")
_event = DeviceEvent.__table__  # type: ignore[attr-defined]
_presence = DevicePresence.__table__  # type: ignore[attr-defined]
_tag = DeviceTag.__table__  # type: ignore[attr-defined]
_firmware = DeviceFirmware.__table__  # type: ignore[attr-defined]
_store = Store.__table__  # type: ignore[attr-defined]


class DeviceRepository:
    """Answers from committed rows. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._rows = reader.rows

    def keys(self, kids: Iterable[bytes]) -> Sequence[Mapping[str, Any]]:
        """The key rows with these kids."""
        return self._rows(select(_key).where(_key.c.kid.in_(list(kids))))

    def merchants(self, stores: Iterable[str]) -> dict[str, str]:
        """The merchant of each of these stores that exists."""
        rows = self._rows(select(_store).where(_store.c.store.in_(list(stores))))
        return {row["store"]: row["merchant_id"] for row in rows}

    def store_names(self, stores: Iterable[str]) -> dict[str, str]:
        """What each of these stores that exists is called."""
        rows = self._rows(select(_store).where(_store.c.store.in_(list(stores))))
        return {row["store"]: row["name"] for row in rows}

    def stores_of(self, tids: Iterable[str]) -> dict[str, str]:
        """What the store of each of these devices is called; a store without a name by its id."""
        name = func.coalesce(func.nullif(_store.c.name, ""), _device.c.store).label("name")
        query = (
            select(_device.c.tid, name)
            .select_from(_device.outerjoin(_store, _store.c.store == _device.c.store))
            .where(_device.c.tid.in_(list(tids)))
        )
        return {row["tid"]: row["name"] for row in self._rows(query)}

    def device(self, tid: str) -> DeviceRow | None:
        """One device with its current key."""
        found = self._rows(_with_key().where(_device.c.tid == tid))
        return _as_row(found[0]) if found else None

    def of_store(self, store: str) -> list[DeviceRow]:
        """All devices of a store, by name."""
        query = _with_key().where(_device.c.store == store).order_by(_device.c.tid)
        return [_as_row(row) for row in self._rows(query.limit(DEVICES_PER_STORE_MAX))]

    def all(self) -> list[dict[str, Any]]:
        """Every device with what was last heard of it, for the operator's eyes."""
        query = _heard_of().order_by(_device.c.store, _device.c.tid)
        return self._rows(query.limit(DEVICES_PER_STORE_MAX))

    def found(
        self, text: str, *, limit: int, merchant_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Devices whose name, store, or store's name has this text in it, by name, whose whole name
        it is first; all of them for an empty one. With a merchant: its own."""
        query = (
            select(_device.c.tid, _device.c.store, _store.c.name.label("store_name"))
            .select_from(_device.outerjoin(_store, _store.c.store == _device.c.store))
            .order_by(case((_device.c.tid == text, 0), else_=1), _device.c.tid)
        )
        query = query.where(_named(text, _device.c.tid, _device.c.store, _store.c.name))
        if merchant_id is not None:
            query = query.where(_store.c.merchant_id == merchant_id)
        return self._rows(query.limit(limit))

    def stores_found(
        self, text: str, *, limit: int, merchant_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Stores whose id or name has this text in it, by id, the same way."""
        whole = or_(_store.c.store == text, _store.c.name == text)
        query = select(_store.c.store, _store.c.name)
        query = query.order_by(case((whole, 0), else_=1), _store.c.store)
        query = query.where(_named(text, _store.c.store, _store.c.name))
        if merchant_id is not None:
            query = query.where(_store.c.merchant_id == merchant_id)
        return self._rows(query.limit(limit))

    def of_merchant(
        self, merchant_id: str, *, limit: int, after: tuple[str, str] = ("", "")
    ) -> list[dict[str, Any]]:
        """A merchant's devices, the same, by store and name; ``after``: behind this pair."""
        mine = select(_store.c.store).where(_store.c.merchant_id == merchant_id)
        place = (_device.c.store, _device.c.tid)
        query = _heard_of().where(_device.c.store.in_(mine), tuple_(*place) > after)
        return self._rows(query.order_by(*place).limit(limit))

    def stores(self, merchant_id: str) -> list[dict[str, Any]]:
        """A merchant's stores with how many devices each has, and how many of them are here."""
        query = (
            select(
                _store.c.store,
                _store.c.name,
                func.count(_device.c.tid).label("device_count"),
                func.count(case((_presence.c.is_online == 1, 1))).label("online_count"),
            )
            .select_from(
                _store.outerjoin(_device, _device.c.store == _store.c.store).outerjoin(
                    _presence, _presence.c.tid == _device.c.tid
                )
            )
            .where(_store.c.merchant_id == merchant_id)
            .group_by(_store.c.store, _store.c.name)
            .order_by(_store.c.store)
        )
        return self._rows(query.limit(STORES_PER_LIST_MAX))

    def fleet(self, selection: Selection, *, after: str) -> list[dict[str, Any]]:
        """The next page of the devices of a selection, by name, with their tags and what was last
        heard of them."""
        query = (
            select(
                _device.c.tid,
                _device.c.kind,
                _device.c.store,
                _device.c.status,
                _device.c.enrolled_at_ms,
                _device.c.changed_at_ms,
                _presence.c.hub,
                _presence.c.is_online,
                _presence.c.reported_at_ms,
            )
            .select_from(_device.outerjoin(_presence, _presence.c.tid == _device.c.tid))
            .where(*_chosen(selection), _device.c.tid > after)
            .order_by(_device.c.tid)
            .limit(FLEET_PAGE_ROWS)
        )
        found = self._rows(query)
        tags = self.tags([row["tid"] for row in found])
        return [{**row, "tags": tags.get(row["tid"], [])} for row in found]

    def chosen(self, selection: Selection) -> list[dict[str, Any]]:
        """Every device of a selection, by name, with its store; one more than there may be where
        there are too many."""
        query = select(_device.c.tid, _device.c.kind, _device.c.store, _device.c.status)
        query = query.where(*_chosen(selection)).order_by(_device.c.tid)
        return self._rows(query.limit(SELECTED_DEVICES_MAX + 1))

    def tags(self, tids: Iterable[str]) -> dict[str, list[str]]:
        """The tags of these devices."""
        query = select(_tag.c.tid, _tag.c.tag).where(_tag.c.tid.in_(list(tids)), _tag.c.is_on == 1)
        found: dict[str, list[str]] = {}
        for row in self._rows(query.order_by(_tag.c.tid, _tag.c.tag)):
            found.setdefault(row["tid"], []).append(row["tag"])
        return found

    def history(self, tid: str) -> list[dict[str, Any]]:
        """What happened to a device, in order."""
        query = select(_event).where(_event.c.tid == tid).order_by(_event.c.revision)
        return self._rows(query.limit(HISTORY_ROWS_MAX))

    def is_reachable(self) -> bool:
        """Whether the database answers with our tables."""
        self._rows(select(_store.c.store).limit(1))
        return True


def _named(text: str, *places: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(*(place.icontains(text, autoescape=True) for place in places))


def _heard_of() -> Select[Any]:
    return select(
        _device.c.tid,
        _device.c.kind,
        _device.c.store,
        _store.c.merchant_id,
        _device.c.status,
        _device.c.changed_at_ms,
        _presence.c.is_online,
        _presence.c.spool_depth,
        _presence.c.reported_at_ms,
        _firmware.c.running_version.label("firmware_version"),
        case((_firmware.c.digest != "", _firmware.c.state), else_="").label("firmware_state"),
    ).select_from(
        _device.outerjoin(_presence, _presence.c.tid == _device.c.tid)
        .outerjoin(_firmware, _firmware.c.tid == _device.c.tid)
        .outerjoin(_store, _store.c.store == _device.c.store)
    )


def _chosen(selection: Selection) -> list[ColumnElement[bool]]:
    """The conditions that a selection stands for."""
    exact = {"store": selection.store, "kind": selection.kind, "status": selection.status}
    conditions = [_device.c[name] == value for name, value in exact.items() if value]
    if selection.tids:
        conditions.append(_device.c.tid.in_(selection.tids))
    if selection.text:
        conditions.append(_device.c.tid.contains(selection.text, autoescape=True))
    if selection.tag:
        tagged = select(_tag.c.tid).where(_tag.c.tag == selection.tag, _tag.c.is_on == 1)
        conditions.append(_device.c.tid.in_(tagged))
    return conditions


def _with_key() -> Select[Any]:
    joined = _device.join(_key, _key.c.kid == _device.c.kid)
    joined = joined.outerjoin(_old, _old.c.kid == _device.c.old_kid)
    return select(
        _device,
        _key.c.suite,
        _key.c.public_key,
        _old.c.suite.label("old_suite"),
        _old.c.public_key.label("old_public_key"),
    ).select_from(joined)


def _as_row(row: Mapping[str, Any]) -> DeviceRow:
    return DeviceRow(
        tid=row["tid"],
        kind=DeviceKind(row["kind"]),
        store=row["store"],
        status=DeviceStatus(row["status"]),
        suite=row["suite"],
        public_key=row["public_key"],
        kid=row["kid"],
        revision=row["revision"],
        old_key=None
        if row["old_suite"] is None
        else OldKey(
            suite=row["old_suite"],
            public_key=row["old_public_key"],
            kid=row["old_kid"],
            until_ms=row["old_until_ms"],
        ),
    )
