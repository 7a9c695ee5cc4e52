"""What a payer may do with red packets, as async calls: the routes and pages translate to them."""

from typing import Any

from backend.db.tables import Row
from backend.payments.services import Services
from backend.red_packets.limits import SEED_BYTES
from backend.red_packets.model import RedPacketKind, RedPacketState
from backend.red_packets.repository import RedPacketRepository
from backend.red_packets.service import ClaimRedPacket, SendRedPacket
from backend.wallet.model import masked_name
from protocol.errors import CallerError

_SHOWN = (
    "red_packet_id", "sender_name", "kind", "total_minor", "share_count", "currency", "wish",
    "left_minor",
    "left_count", "state", "created_at_ms", "expires_at_ms", "ended_at_ms",
)  # fmt: skip
_CLAIM_SHOWN = ("red_packet_id", "number", "amount_minor", "at_ms")


class RedPacketDesk:
    """Serves payers. Who sends has given the PIN before."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._packets = RedPacketRepository(services.reader)

    async def send(
        self,
        payer_id: str,
        *,
        red_packet_id: str,
        kind: str,
        total_minor: int,
        share_count: int,
        currency: str,
        wish: str,
    ) -> dict[str, Any]:
        """Put money into a packet; its id is the sender's to hand on."""
        command = SendRedPacket(
            red_packet_id=red_packet_id,
            sender_id=payer_id,
            kind=RedPacketKind(kind),
            total_minor=total_minor,
            share_count=share_count,
            currency=currency,
            wish=wish,
            seed=self._services.entropy.token_bytes(SEED_BYTES),
            rules=self._services.rules,
        )
        return _shown(await self._services.submit(command))

    async def claim(self, payer_id: str, red_packet_id: str) -> dict[str, Any]:
        """The next share; the same payer again gets the same answer."""
        rules = self._services.rules
        command = ClaimRedPacket(red_packet_id=red_packet_id, payer_id=payer_id, rules=rules)
        return _claim_shown(await self._services.submit(command))

    async def packet(self, payer_id: str, red_packet_id: str) -> dict[str, Any]:
        """What is left, and who took what."""
        run, packets = self._services.run_read, self._packets
        row = await run(lambda: packets.packet(red_packet_id))
        if row is None or row["receiver_id"] not in {None, payer_id}:
            raise CallerError("red_packet_not_found", red_packet_id)
        claims = await run(lambda: packets.claims(red_packet_id))
        named = [_claim_shown(one) | {"payer_masked": masked_name(one["name"])} for one in claims]
        return _shown(row) | {"claims": named}

    async def of_payer(self, payer_id: str) -> dict[str, Any]:
        """The packets that the payer has sent, those that merchants gave, and the shares that the
        payer took."""
        run, packets = self._services.run_read, self._packets
        return {
            "sent": [_shown(row) for row in await run(lambda: packets.sent_by(payer_id))],
            "received": [_shown(row) for row in await run(lambda: packets.given_to(payer_id))],
            "claimed": [
                _claim_shown(row) for row in await run(lambda: packets.claimed_by(payer_id))
            ],
        }


def _shown(row: Row) -> dict[str, Any]:
    """Of a returned packet, ``returned_minor`` is what went back to its sender."""
    is_returned = row["state"] == RedPacketState.RETURNED
    shown = {name: row[name] for name in _SHOWN}
    return shown | {"returned_minor": row["left_minor"] if is_returned else 0}


def _claim_shown(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _CLAIM_SHOWN}
