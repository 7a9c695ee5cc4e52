"""What devices said of themselves, and what was made of it."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class DeviceReading(BackendTable, table=True):
    """One reading, and the judgement on it. What the device said never changes."""

    __tablename__ = "device_reading"
    __table_args__: Any = (
        Index("ix_device_reading_judged", "judged_at_ms", "received_at_ms", "tid", "number"),
        Index("ix_device_reading_accepted", "accepted_at_ms", "tid", "number"),
        STORAGE,
    )
    tid: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    """1 is the device's first: its enrolment."""
    received_at_ms: int = Field(sa_type=INTEGER)
    attrs: str = Field(sa_type=TEXT)
    """JSON, with pseudonyms for identifiers."""
    digest: bytes = Field(sa_type=BYTES)
    """Of what the device signed; its requests carry it."""
    judged_at_ms: int = Field(default=0, sa_type=INTEGER)
    """0: not yet."""
    trust_ppm: int = Field(default=0, sa_type=INTEGER)
    verdict: str = Field(default="", sa_type=TEXT)
    reasons: str = Field(default="[]", sa_type=TEXT)
    changed: str = Field(default="[]", sa_type=TEXT)
    accepted_at_ms: int = Field(default=0, sa_type=INTEGER)
    """When it became part of what is known of the device; 0: it did not."""
    accepted_by: str = Field(default="", sa_type=TEXT)
    """Empty for the judgement itself, else the person who overruled it."""
    words: str = Field(default="", sa_type=TEXT)


class DeviceTrust(BackendTable, table=True):
    """How a device stands: the one row that a payment looks at."""

    __tablename__ = "device_trust"
    tid: str = Field(primary_key=True, sa_type=TEXT)
    reading_count: int = Field(sa_type=INTEGER)
    day: int = Field(sa_type=INTEGER)
    day_count: int = Field(sa_type=INTEGER)
    digest: bytes = Field(sa_type=BYTES)
    """Of the latest reading that arrived."""
    judged_number: int = Field(default=0, sa_type=INTEGER)
    judged_digest: bytes = Field(default=b"", sa_type=BYTES)
    judged_received_at_ms: int = Field(default=0, sa_type=INTEGER)
    trust_ppm: int = Field(default=0, sa_type=INTEGER)
    verdict: str = Field(default="", sa_type=TEXT)
    """Of the latest reading that was judged; empty before there is one."""


READING = table_ref(DeviceReading)
DEVICE_TRUST = table_ref(DeviceTrust, kept=True)
