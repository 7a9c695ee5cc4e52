"""What devices are set to, and what happened to that."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class DeviceTwin(BackendTable, table=True):
    """One device's settings. The first half is the operator's, the second the device's."""

    __tablename__ = "device_twin"
    __table_args__: Any = (Index("ix_device_twin_store", "store"), STORAGE)
    tid: str = Field(primary_key=True, sa_type=TEXT)
    store: str = Field(sa_type=TEXT)
    wanted_version: int = Field(sa_type=INTEGER)
    wanted: str = Field(sa_type=TEXT)
    """JSON: every setting that is wanted; the device's own file says the others."""
    wanted_by: str = Field(sa_type=TEXT)
    wanted_at_ms: int = Field(sa_type=INTEGER)
    event_count: int = Field(sa_type=INTEGER)
    reported_number: int = Field(default=0, sa_type=INTEGER)
    """The device's count of its reports; 0: none came."""
    schema_version: int = Field(default=0, sa_type=INTEGER)
    version: int = Field(default=0, sa_type=INTEGER)
    """The wish that is in force there."""
    looked_at_version: int = Field(default=0, sa_type=INTEGER)
    outcome: str = Field(default="", sa_type=TEXT)
    code: str = Field(default="", sa_type=TEXT)
    detail: str = Field(default="", sa_type=TEXT)
    actual: str = Field(default="{}", sa_type=TEXT)
    """JSON: every setting as it is in force there, whoever set it."""
    reported_at_ms: int = Field(default=0, sa_type=INTEGER)


class DeviceTwinEvent(BackendTable, table=True):
    """One step of one device's settings. Append-only."""

    __tablename__ = "device_twin_event"
    tid: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    version: int = Field(sa_type=INTEGER)
    content: str = Field(sa_type=TEXT)
    """JSON: what was wanted, or why it is not in force."""
    actor: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


class StoreSettings(BackendTable, table=True):
    """What every device of a store is set to when it is heard for the first time."""

    __tablename__ = "store_settings"
    store: str = Field(primary_key=True, sa_type=TEXT)
    wanted: str = Field(sa_type=TEXT)
    """JSON, as of a device."""
    changed_by: str = Field(sa_type=TEXT)
    changed_at_ms: int = Field(sa_type=INTEGER)


TWIN = table_ref(DeviceTwin)
STORE_SETTINGS = table_ref(StoreSettings)
TWIN_EVENT = table_ref(DeviceTwinEvent, lock=False)
