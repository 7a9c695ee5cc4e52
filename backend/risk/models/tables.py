"""The registry of models: their files, their states, and who did what."""

from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, TEXT, BackendTable, table_ref


class RiskModel(BackendTable, table=True):
    """A model as it stands now; how it got there is in its events."""

    __tablename__ = "risk_model"
    model_id: str = Field(primary_key=True, sa_type=TEXT)
    """The hash of its file (SHA-256, hex)."""
    purpose: str = Field(sa_type=TEXT)
    """What is scored: ``payment``, ``account``."""
    state: str = Field(sa_type=TEXT)
    card: str = Field(sa_type=TEXT)
    """What the file says about itself, as JSON."""
    proposed_by: str = Field(default="", sa_type=TEXT)
    registered_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)
    event_count: int = Field(default=0, sa_type=INTEGER)


class RiskModelFile(BackendTable, table=True):
    """A model's file. Written once, never changed, never deleted."""

    __tablename__ = "risk_model_file"
    model_id: str = Field(primary_key=True, sa_type=TEXT)
    content: bytes = Field(sa_type=BYTES)


class RiskModelRole(BackendTable, table=True):
    """Which model a purpose has in a role; empty when there is none."""

    __tablename__ = "risk_model_role"
    purpose: str = Field(primary_key=True, sa_type=TEXT)
    role: str = Field(primary_key=True, sa_type=TEXT)
    model_id: str = Field(sa_type=TEXT)


class RiskModelEvent(BackendTable, table=True):
    """One step of a model, and who took it. Written once, never changed."""

    __tablename__ = "risk_model_event"
    model_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    state_before: str = Field(sa_type=TEXT)
    state_after: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    words: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


MODEL = table_ref(RiskModel)
MODEL_FILE = table_ref(RiskModelFile, lock=False)
MODEL_ROLE = table_ref(RiskModelRole)
MODEL_EVENT = table_ref(RiskModelEvent, lock=False)
