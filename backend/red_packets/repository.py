"""Reading red packets outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.red_packets.limits import EXPIRED_PER_SWEEP_MAX, ROWS_PER_LIST_MAX
from backend.red_packets.model import RedPacketState
from backend.red_packets.tables import RedPacket, RedPacketClaim
from backend.wallet.tables import Payer

_packet = RedPacket.__table__  # type: ignore[attr-defined]
_claim = RedPacketClaim.__table__  # type: ignore[attr-defined]
_payer = Payer.__table__  # type: ignore[attr-defined]


class RedPacketRepository:
    """Committed red packets. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def packet(self, red_packet_id: str) -> Row | None:
        """One red packet as it stands."""
        return self._reader.one(select(_packet).where(_packet.c.red_packet_id == red_packet_id))

    def claims(self, red_packet_id: str) -> list[Row]:
        """The shares that were taken, in order, with their payers' names."""
        query = (
            select(_claim, _payer.c.name)
            .join(_payer, _payer.c.payer_id == _claim.c.payer_id)
            .where(_claim.c.red_packet_id == red_packet_id)
            .order_by(_claim.c.number)
        )
        return self._reader.rows(query)

    def sent_by(self, payer_id: str) -> list[Row]:
        """A payer's red packets, the newest first."""
        query = select(_packet).where(_packet.c.sender_id == payer_id)
        query = query.order_by(_packet.c.created_at_ms.desc(), _packet.c.red_packet_id.desc())
        return self._reader.rows(query.limit(ROWS_PER_LIST_MAX))

    def given_to(self, payer_id: str) -> list[Row]:
        """The packets that merchants have given a payer, the newest first."""
        query = select(_packet).where(_packet.c.receiver_id == payer_id)
        query = query.order_by(_packet.c.created_at_ms.desc(), _packet.c.red_packet_id.desc())
        return self._reader.rows(query.limit(ROWS_PER_LIST_MAX))

    def claimed_by(self, payer_id: str) -> list[Row]:
        """The shares that a payer has taken, the newest first."""
        query = select(_claim).where(_claim.c.payer_id == payer_id)
        query = query.order_by(_claim.c.at_ms.desc(), _claim.c.red_packet_id.desc())
        return self._reader.rows(query.limit(ROWS_PER_LIST_MAX))

    def overdue(self, now_ms: int) -> list[str]:
        """Open packets whose time is over, the oldest first."""
        query = (
            select(_packet.c.red_packet_id)
            .where(_packet.c.state == RedPacketState.OPEN.value, _packet.c.expires_at_ms <= now_ms)
            .order_by(_packet.c.expires_at_ms)
            .limit(EXPIRED_PER_SWEEP_MAX)
        )
        return [row["red_packet_id"] for row in self._reader.rows(query)]
