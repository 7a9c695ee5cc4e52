"""The instruments' table."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Instrument(BackendTable, table=True):
    """A payer's card or fund account. What its channels call it is in ``instrument_channel``."""

    __tablename__ = "instrument"
    __table_args__: Any = (Index("ix_instrument_payer", "payer_id"), STORAGE)
    instrument_id: str = Field(primary_key=True, sa_type=TEXT)
    payer_id: str = Field(sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    bank: str = Field(sa_type=TEXT)
    last4: str = Field(sa_type=TEXT)
    status: str = Field(sa_type=TEXT)
    """``active`` or ``removed``."""
    number_mark: str = Field(default="", sa_type=TEXT)
    """The same for the same number of the same payer, and nobody's number can be found from it;
    empty for what was not added by its number."""
    created_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


class InstrumentChannel(BackendTable, table=True):
    """What one channel calls an instrument."""

    __tablename__ = "instrument_channel"
    instrument_id: str = Field(primary_key=True, sa_type=TEXT)
    channel_id: str = Field(primary_key=True, sa_type=TEXT)
    token: str = Field(sa_type=TEXT)


class ChannelToken(BackendTable, table=True):
    """Whose a channel's token is: of the first payer who registered it, for ever."""

    __tablename__ = "channel_token"
    channel_id: str = Field(primary_key=True, sa_type=TEXT)
    token: str = Field(primary_key=True, sa_type=TEXT)
    payer_id: str = Field(sa_type=TEXT)


INSTRUMENT = table_ref(Instrument)
INSTRUMENT_CHANNEL = table_ref(InstrumentChannel)
CHANNEL_TOKEN = table_ref(ChannelToken)
