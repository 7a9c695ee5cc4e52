"""Artifacts in pieces, what is wanted of each device, and what happened."""

from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, TEXT, BackendTable, table_ref


class FirmwareArtifact(BackendTable, table=True):
    """Firmware that was brought whole. Never changes."""

    __tablename__ = "firmware_artifact"
    digest: str = Field(primary_key=True, sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    version: str = Field(sa_type=TEXT)
    image_hash: str = Field(sa_type=TEXT)
    sha1: str = Field(sa_type=TEXT)
    md5: str = Field(sa_type=TEXT)
    size: int = Field(sa_type=INTEGER)
    brought_by: str = Field(sa_type=TEXT)
    brought_at_ms: int = Field(sa_type=INTEGER)


class FirmwarePiece(BackendTable, table=True):
    """``PIECE_BYTES`` of an artifact; the last one may be shorter."""

    __tablename__ = "firmware_piece"
    digest: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    content: bytes = Field(sa_type=BYTES)


class DeviceFirmware(BackendTable, table=True):
    """What a device is to run, and how far it has come."""

    __tablename__ = "device_firmware"
    tid: str = Field(primary_key=True, sa_type=TEXT)
    store: str = Field(sa_type=TEXT)
    wanted_version: int = Field(sa_type=INTEGER)
    """Counts the wishes; 0: none was made."""
    digest: str = Field(sa_type=TEXT)
    """Of the artifact that is wanted; empty: none."""
    wanted_by: str = Field(sa_type=TEXT)
    wanted_at_ms: int = Field(sa_type=INTEGER)
    state: str = Field(sa_type=TEXT)
    """Of the present wish."""
    event_count: int = Field(default=0, sa_type=INTEGER)
    percent: int = Field(default=0, sa_type=INTEGER)
    code: str = Field(default="", sa_type=TEXT)
    detail: str = Field(default="", sa_type=TEXT)
    running_version: str = Field(default="", sa_type=TEXT)
    running_hash: str = Field(default="", sa_type=TEXT)
    attributes: str = Field(default="{}", sa_type=TEXT)
    """JSON: what a machine on the update interface says of itself."""
    token_hash: bytes | None = Field(default=None, sa_type=BYTES)
    """Of the token by which it may ask there."""
    reported_number: int = Field(default=0, sa_type=INTEGER)
    reported_at_ms: int = Field(default=0, sa_type=INTEGER)


class DeviceFirmwareEvent(BackendTable, table=True):
    """One step of one device's firmware. Append-only."""

    __tablename__ = "device_firmware_event"
    tid: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    version: int = Field(sa_type=INTEGER)
    state: str = Field(sa_type=TEXT)
    code: str = Field(sa_type=TEXT)
    detail: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


ARTIFACT = table_ref(FirmwareArtifact, lock=False)
PIECE = table_ref(FirmwarePiece, lock=False)
DEVICE_FIRMWARE = table_ref(DeviceFirmware)
FIRMWARE_EVENT = table_ref(DeviceFirmwareEvent, lock=False)
