"""The kill switches that were ever used."""

from sqlmodel import Field

from backend.db.tables import INTEGER, TEXT, BackendTable, table_ref


class KillSwitch(BackendTable, table=True):
    """One switch as it stands. No row: it was never used. What it was before is in the audit log,
    which is written in the same transaction."""

    __tablename__ = "kill_switch"
    kind: str = Field(primary_key=True, sa_type=TEXT)
    subject: str = Field(primary_key=True, sa_type=TEXT)
    """The merchant, the device or the channel."""
    is_stopped: int = Field(sa_type=INTEGER)
    reason: str = Field(sa_type=TEXT)
    """For operators alone."""
    category: str = Field(
        default="other", sa_type=TEXT, sa_column_kwargs={"server_default": "other"}
    )
    """What the merchant is told of it."""
    actor: str = Field(sa_type=TEXT)
    changed_at_ms: int = Field(sa_type=INTEGER)


SWITCH = table_ref(KillSwitch, lock=False, kept=True)
"""Read by every payment, so a read does not lock it: a switch that commits while a payment is being
decided counts from the next group on, in every process."""
