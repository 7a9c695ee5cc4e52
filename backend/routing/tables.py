"""The channels' health."""

from sqlmodel import Field

from backend.db.tables import INTEGER, TEXT, BackendTable, table_ref


class ChannelHealth(BackendTable, table=True):
    """A channel's circuit breaker as it was when last it changed. No row: closed, nothing heard."""

    __tablename__ = "channel_health"
    channel_id: str = Field(primary_key=True, sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    silences: int = Field(default=0, sa_type=INTEGER)
    silent_at_ms: int = Field(default=0, sa_type=INTEGER)
    openings: int = Field(default=0, sa_type=INTEGER)
    opened_at_ms: int = Field(default=0, sa_type=INTEGER)
    probe_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    reason: str = Field(default="", sa_type=TEXT)
    """Why the last call had no answer."""
    updated_at_ms: int = Field(sa_type=INTEGER)


CHANNEL_HEALTH = table_ref(ChannelHealth)
