"""Questions about top-ups, outside commands."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.instruments.model import InstrumentKind
from backend.instruments.tables import Instrument, InstrumentChannel
from backend.topups.tables import TopUp

_instrument = Instrument.__table__  # type: ignore[attr-defined]
_channel = InstrumentChannel.__table__  # type: ignore[attr-defined]
_TOPUP = TopUp.__table__  # type: ignore[attr-defined]


class TopUpRepository:
    """Reads top-ups."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def topup(self, topup_id: str) -> Row | None:
        """A top-up; None if there is none."""
        rows = await self._reader.fetch(select(_TOPUP).where(_TOPUP.c.topup_id == topup_id))
        return rows[0] if rows else None

    async def card_token(self, payer_id: str, instrument_id: str, channel_id: str) -> str | None:
        """What a channel calls a card that this payer may use; None for any other."""
        query = (
            select(_channel.c.token)
            .join(_instrument, _instrument.c.instrument_id == _channel.c.instrument_id)
            .where(
                _instrument.c.instrument_id == instrument_id,
                _instrument.c.payer_id == payer_id,
                _instrument.c.status == "active",
                _instrument.c.kind == InstrumentKind.CARD.value,
                _channel.c.channel_id == channel_id,
            )
        )
        rows = await self._reader.fetch(query)
        return str(rows[0]["token"]) if rows else None
