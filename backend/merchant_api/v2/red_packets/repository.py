"""Reading red packets of merchants' programs. Only this file of the room sees SQL."""

from dataclasses import dataclass

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchant_api.payers.tables import OpenId
from backend.merchant_api.v2.red_packets.tables import ApiRedPacket
from backend.red_packets.repository import RedPacketRepository

_said = ApiRedPacket.__table__  # type: ignore[attr-defined]
_openid = OpenId.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Given:
    """A red packet of a merchant's program with all it belongs to, as rows."""

    said: Row
    packet: Row
    claim: Row | None
    """None: nobody has taken it."""


class GiftRepository:
    """Committed gifts. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._packets = RedPacketRepository(reader)

    def of_number(self, mchid: str, mch_billno: str) -> Given | None:
        """By the merchant's number."""
        said = self._reader.one(
            select(_said).where(_said.c.mchid == mchid, _said.c.mch_billno == mch_billno)
        )
        if said is None:
            return None
        packet = self._packets.packet(said["red_packet_id"])
        assert packet is not None, "written with what the merchant said"
        claims = self._packets.claims(said["red_packet_id"])
        return Given(said, packet, claims[0] if claims else None)

    def payer_of(self, openid: str, appid: str) -> str | None:
        """The payer whom this app knows by this name."""
        row = self._reader.one(
            select(_openid.c.payer_id).where(_openid.c.openid == openid, _openid.c.appid == appid)
        )
        return row["payer_id"] if row else None
