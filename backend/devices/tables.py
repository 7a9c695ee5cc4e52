"""Stores, devices, their keys, their history and whether they are online."""

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Store(BackendTable, table=True):
    """A shop of a merchant. It never changes its merchant, so the pair may be cached."""

    __tablename__ = "store"
    store: str = Field(primary_key=True, sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    created_at_ms: int = Field(sa_type=INTEGER)


class Device(BackendTable, table=True):
    """A terminal, a thing or a hub, by its name (tid = certificate's common name)."""

    __tablename__ = "device"
    __table_args__ = (Index("ix_device_store", "store"), STORAGE)
    tid: str = Field(primary_key=True, sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    store: str = Field(sa_type=TEXT)
    status: str = Field(sa_type=TEXT)
    kid: bytes = Field(sa_type=BYTES)
    """The key that it must use."""
    revision: int = Field(sa_type=INTEGER)
    """Rises with every change; hubs drop what is older than what they know."""
    enrolled_at_ms: int = Field(sa_type=INTEGER)
    changed_at_ms: int = Field(sa_type=INTEGER)
    old_kid: bytes | None = Field(default=None, sa_type=BYTES)
    """The key before, which is taken until ``old_until_ms``."""
    old_until_ms: int = Field(default=0, sa_type=INTEGER)


class DeviceKey(BackendTable, table=True):
    """A public key and the device it was enrolled for. Never changes: old signatures stay
    checkable after a rotation."""

    __tablename__ = "device_key"
    kid: bytes = Field(primary_key=True, sa_type=BYTES)
    tid: str = Field(sa_type=TEXT)
    suite: str = Field(sa_type=TEXT)
    public_key: bytes = Field(sa_type=BYTES)
    created_at_ms: int = Field(sa_type=INTEGER)


class DeviceEvent(BackendTable, table=True):
    """What happened to a device, and who did it. Append-only."""

    __tablename__ = "device_event"
    tid: str = Field(primary_key=True, sa_type=TEXT)
    revision: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    status: str = Field(sa_type=TEXT)
    kid: bytes = Field(sa_type=BYTES)
    actor: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


class DevicePresence(BackendTable, table=True):
    """What the hub last said about a device (or, under its own name, about itself)."""

    __tablename__ = "device_presence"
    tid: str = Field(primary_key=True, sa_type=TEXT)
    hub: str = Field(sa_type=TEXT)
    is_online: int = Field(sa_type=INTEGER)
    boot_epoch: int = Field(sa_type=INTEGER)
    spool_depth: int = Field(sa_type=INTEGER)
    reported_at_ms: int = Field(sa_type=INTEGER)


class DeviceTag(BackendTable, table=True):
    """A word that the operator has put on a device, to find and to choose it by."""

    __tablename__ = "device_tag"
    __table_args__ = (Index("ix_device_tag_tag", "tag", "tid"), STORAGE)
    tid: str = Field(primary_key=True, sa_type=TEXT)
    tag: str = Field(primary_key=True, sa_type=TEXT)
    is_on: int = Field(sa_type=INTEGER)
    """0: it was taken off again."""
    changed_by: str = Field(sa_type=TEXT)
    changed_at_ms: int = Field(sa_type=INTEGER)


STORE = table_ref(Store, lock=False)
DEVICE = table_ref(Device, lock=False, kept=True)
"""Read by every payment, so a read does not lock it: a change of status that commits while a
payment is being decided takes effect with the next group."""
DEVICE_KEY = table_ref(DeviceKey, lock=False)
DEVICE_EVENT = table_ref(DeviceEvent, lock=False)
DEVICE_PRESENCE = table_ref(DevicePresence)
DEVICE_TAG = table_ref(DeviceTag, lock=False)
