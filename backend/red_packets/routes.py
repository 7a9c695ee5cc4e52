"""HTTP about red packets: the wallet sends them with the payer's PIN and claims shares.

Whoever knows a packet's id may claim and look: it has 80 random bits, and the sender hands it on.
"""

from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter
from pydantic import Field

from backend.passkeys.schemas import ByWord, CheckWord
from backend.payments.services import Services
from backend.red_packets.desk import RedPacketDesk
from backend.red_packets.limits import (
    SHARE_MINOR_MAX,
    SHARES_MAX,
    WISH_CHARS_MAX,
)
from protocol.messages.base import CurrencyText, RedPacketIdText, Text


class WantedRedPacket(ByWord):
    """``POST /wallet/v1/red-packets``; ``red_packet_id`` is the wallet's (``rpk_…``)."""

    KIND: ClassVar[str] = "red_packet"
    AMOUNT: ClassVar[str] = "total_minor"
    red_packet_id: RedPacketIdText
    kind: Literal["equal", "lucky"] = "lucky"
    total_minor: Annotated[int, Field(gt=0, le=SHARES_MAX * SHARE_MINOR_MAX)]
    share_count: Annotated[int, Field(ge=1, le=SHARES_MAX)] = 1
    currency: CurrencyText = "CNY"
    wish: Annotated[Text, Field(max_length=WISH_CHARS_MAX)] = ""


def add_wallet_routes(
    routes: APIRouter,
    services: Services,
    payer: Any,  # noqa: ANN401  # an annotation
    check_word: CheckWord,
) -> None:
    """Add to the wallet's router what a payer does with red packets."""
    desk = RedPacketDesk(services)

    @routes.post("/red-packets", status_code=201)
    async def send(payer_id: payer, body: WantedRedPacket) -> dict[str, Any]:
        await check_word(payer_id, body)
        return await desk.send(payer_id, **body.terms())

    @routes.post("/red-packets/{red_packet_id}/claim")
    async def claim(payer_id: payer, red_packet_id: str) -> dict[str, Any]:
        return await desk.claim(payer_id, red_packet_id)

    @routes.get("/red-packets/{red_packet_id}")
    async def packet(payer_id: payer, red_packet_id: str) -> dict[str, Any]:
        return await desk.packet(payer_id, red_packet_id)

    @routes.get("/red-packets")
    async def of_payer(payer_id: payer) -> dict[str, Any]:
        return await desk.of_payer(payer_id)
