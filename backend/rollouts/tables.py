"""Rollouts, their waves and their devices."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Rollout(BackendTable, table=True):
    """One change on its way to many devices."""

    __tablename__ = "rollout"
    __table_args__: Any = (Index("ix_rollout_state", "state"), STORAGE)
    rollout_id: str = Field(primary_key=True, sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    """``settings`` or ``firmware``."""
    content: str = Field(sa_type=TEXT)
    """JSON: what is wanted of each device."""
    wish_hash: bytes = Field(sa_type=BYTES)
    """Of all that it was planned with: the same id with another plan is a conflict."""
    state: str = Field(sa_type=TEXT)
    wave: int = Field(sa_type=INTEGER)
    """The wave that is under way, from 0 on."""
    wave_count: int = Field(sa_type=INTEGER)
    success_percent: int = Field(sa_type=INTEGER)
    error_percent: int = Field(sa_type=INTEGER)
    rolls_back: int = Field(sa_type=INTEGER)
    device_wait_ms: int = Field(sa_type=INTEGER)
    """How long a device may take before it counts as failed."""
    event_count: int = Field(sa_type=INTEGER)
    created_by: str = Field(sa_type=TEXT)
    created_at_ms: int = Field(sa_type=INTEGER)
    changed_at_ms: int = Field(sa_type=INTEGER)


class RolloutWave(BackendTable, table=True):
    """How one wave stands."""

    __tablename__ = "rollout_wave"
    rollout_id: str = Field(primary_key=True, sa_type=TEXT)
    wave: int = Field(primary_key=True, sa_type=INTEGER)
    size: int = Field(sa_type=INTEGER)
    offered: int = Field(default=0, sa_type=INTEGER)
    succeeded: int = Field(default=0, sa_type=INTEGER)
    failed: int = Field(default=0, sa_type=INTEGER)
    left_out: int = Field(default=0, sa_type=INTEGER)
    undone: int = Field(default=0, sa_type=INTEGER)


class RolloutTarget(BackendTable, table=True):
    """One device of a rollout."""

    __tablename__ = "rollout_target"
    __table_args__: Any = (
        Index("ix_rollout_target_state", "rollout_id", "state", "wave"),
        STORAGE,
    )
    rollout_id: str = Field(primary_key=True, sa_type=TEXT)
    tid: str = Field(primary_key=True, sa_type=TEXT)
    wave: int = Field(sa_type=INTEGER)
    state: str = Field(sa_type=TEXT)
    version: int = Field(default=0, sa_type=INTEGER)
    """Of the wish that this rollout made of it."""
    before: str = Field(default="", sa_type=TEXT)
    """JSON: what was wanted of it before."""
    code: str = Field(default="", sa_type=TEXT)
    detail: str = Field(default="", sa_type=TEXT)
    offered_at_ms: int = Field(default=0, sa_type=INTEGER)
    ended_at_ms: int = Field(default=0, sa_type=INTEGER)


class RolloutEvent(BackendTable, table=True):
    """What happened to a rollout, and who did it. Append-only."""

    __tablename__ = "rollout_event"
    rollout_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    wave: int = Field(sa_type=INTEGER)
    actor: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


ROLLOUT = table_ref(Rollout)
WAVE = table_ref(RolloutWave)
TARGET = table_ref(RolloutTarget)
ROLLOUT_EVENT = table_ref(RolloutEvent, lock=False)
