"""HTTP about red packets: the wallet sends them with the payer's PIN and claims shares.

Whoever knows a packet's id may claim and look: it has 80 random bits, and the sender hands it on.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field, SecretStr

from backend.db.tables import Row
from backend.payments.services import Services
from backend.red_packets.limits import (
    SEED_BYTES,
    SHARE_MINOR_MAX,
    SHARES_MAX,
    WISH_CHARS_MAX,
)
from backend.red_packets.model import RedPacketKind, RedPacketState
from backend.red_packets.repository import RedPacketRepository
from backend.red_packets.service import ClaimRedPacket, SendRedPacket
from backend.wallet.limits import PIN_DIGITS
from backend.wallet.model import masked_name
from backend.wanted import Wanted
from protocol.errors import CallerError
from protocol.messages.base import CurrencyText, RedPacketIdText, Text

CheckPin = Callable[[str, str], Awaitable[None]]
_SHOWN = (
    "red_packet_id", "sender_name", "kind", "total_minor", "share_count", "currency", "wish",
    "left_minor",
    "left_count", "state", "created_at_ms", "expires_at_ms", "ended_at_ms",
)  # fmt: skip
_CLAIM_SHOWN = ("red_packet_id", "number", "amount_minor", "at_ms")


class WantedRedPacket(Wanted):
    """``POST /wallet/v1/red-packets``; ``red_packet_id`` is the wallet's (``rpk_…``)."""

    red_packet_id: RedPacketIdText
    kind: Literal["equal", "lucky"] = "lucky"
    total_minor: Annotated[int, Field(gt=0, le=SHARES_MAX * SHARE_MINOR_MAX)]
    share_count: Annotated[int, Field(ge=1, le=SHARES_MAX)] = 1
    currency: CurrencyText = "CNY"
    wish: Annotated[Text, Field(max_length=WISH_CHARS_MAX)] = ""
    pin: Annotated[SecretStr, Field(min_length=PIN_DIGITS, max_length=PIN_DIGITS)]


def add_wallet_routes(
    routes: APIRouter,
    services: Services,
    payer: Any,  # noqa: ANN401  # an annotation
    check_pin: CheckPin,
) -> None:
    """Add to the wallet's router what a payer does with red packets."""
    packets = RedPacketRepository(services.reader)

    @routes.post("/red-packets", status_code=201)
    async def send(payer_id: payer, body: WantedRedPacket) -> dict[str, Any]:
        await check_pin(payer_id, body.pin.get_secret_value())
        command = SendRedPacket(
            **body.model_dump(exclude={"pin", "kind"}),
            kind=RedPacketKind(body.kind),
            sender_id=payer_id,
            seed=services.entropy.token_bytes(SEED_BYTES),
            rules=services.rules,
        )
        return _shown(await services.submit(command))

    @routes.post("/red-packets/{red_packet_id}/claim")
    async def claim(payer_id: payer, red_packet_id: str) -> dict[str, Any]:
        command = ClaimRedPacket(
            red_packet_id=red_packet_id, payer_id=payer_id, rules=services.rules
        )
        return _claim_shown(await services.submit(command))

    @routes.get("/red-packets/{red_packet_id}")
    async def packet(payer_id: payer, red_packet_id: str) -> dict[str, Any]:
        row = await services.run_read(lambda: packets.packet(red_packet_id))
        if row is None or row["receiver_id"] not in {None, payer_id}:
            raise CallerError("red_packet_not_found", red_packet_id)
        claims = await services.run_read(lambda: packets.claims(red_packet_id))
        named = [_claim_shown(one) | {"payer_masked": masked_name(one["name"])} for one in claims]
        return _shown(row) | {"claims": named}

    @routes.get("/red-packets")
    async def of_payer(payer_id: payer) -> dict[str, Any]:
        sent = await services.run_read(lambda: packets.sent_by(payer_id))
        given = await services.run_read(lambda: packets.given_to(payer_id))
        claimed = await services.run_read(lambda: packets.claimed_by(payer_id))
        return {
            "sent": [_shown(row) for row in sent],
            "received": [_shown(row) for row in given],
            "claimed": [_claim_shown(row) for row in claimed],
        }


def _shown(row: Row) -> dict[str, Any]:
    """Of a returned packet, ``returned_minor`` is what went back to its sender."""
    is_returned = row["state"] == RedPacketState.RETURNED
    shown = {name: row[name] for name in _SHOWN}
    return shown | {"returned_minor": row["left_minor"] if is_returned else 0}


def _claim_shown(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _CLAIM_SHOWN}
