"""HTTP about the channels, for operators: what each offers, at what price, and how it is."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends

from backend.channels.facts import ChannelFacts
from backend.db.tables import Row
from backend.guard import Guard
from backend.payments.services import Services
from backend.routing.health import CLOSED
from backend.routing.repository import HealthRepository
from backend.routing.service import read_health


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/channels``: the configured channels, the order in which they are preferred,
    and their breakers as they stand now."""
    repository, routing = HealthRepository(services.reader), services.rules.routing
    routes = APIRouter(
        prefix="/operator/v1/channels", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.get("")
    async def channels() -> dict[str, Any]:
        heard = await services.run_read(repository.all)
        now_ms = services.clock.now_ms()
        return {
            "order_by": [criterion.value for criterion in routing.order_by],
            "preference": {name: routing.channels_of(name) for name in routing.preference},
            "wallets": {name: routing.channels_of_wallet(name) for name in routing.wallets},
            "channels": [_shown(facts, heard, now_ms) for facts in routing.facts.values()],
        }

    return routes


def _shown(facts: ChannelFacts, heard: Mapping[str, Row], now_ms: int) -> dict[str, Any]:
    row = heard.get(facts.channel_id)
    health = (read_health(row) if row else CLOSED).at(now_ms)
    return {
        "channel_id": facts.channel_id,
        "offers": sorted(offer.value for offer in facts.offers),
        "currencies": sorted(facts.currencies),
        "amount_minor_min": facts.amount_minor_min,
        "amount_minor_max": facts.amount_minor_max,
        "cost_item_micro": facts.cost.item_micro,
        "cost_rate_ppm": facts.cost.rate_ppm,
        "cost_rate_micro_max": facts.cost.rate_micro_max,
        "health": health.state.value,
        "silences": health.silences,
        "opened_at_ms": health.opened_at_ms or None,
        "reason": row["reason"] if row else "",
    }
