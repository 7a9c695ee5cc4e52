"""HTTP about disputes, for operators, who speak for channels, payers and merchants."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends

from backend.db.tables import Row
from backend.disputes.cover import CollectCover
from backend.disputes.model import DisputeCommand, DisputeState
from backend.disputes.ports import SettledDays
from backend.disputes.repository import DisputeRepository
from backend.disputes.schemas import Decision, Evidence, NewCollection, NewDispute
from backend.disputes.service import DecideDispute, GiveEvidence, OpenDispute
from backend.guard import Guard
from backend.payments.services import Services
from protocol.errors import CallerError

_HIDDEN = frozenset({"event_count"})


def operator_router(services: Services, operator_only: Guard, days: SettledDays) -> APIRouter:
    """``/operator/v1/disputes``, and what merchants owe from them."""
    repository = DisputeRepository(services.reader)
    routes = APIRouter(
        prefix="/operator/v1", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.get("/disputes")
    async def disputes(
        state: DisputeState | None = None, merchant_id: str | None = None
    ) -> dict[str, Any]:
        wanted = state.value if state else None
        rows = await services.run_read(
            lambda: repository.listed(state=wanted, merchant_id=merchant_id)
        )
        return {"disputes": [_shown(row) for row in rows]}

    @routes.get("/disputes/{dispute_id}")
    async def dispute(dispute_id: str) -> dict[str, Any]:
        row = await services.run_read(lambda: repository.dispute(dispute_id))
        if row is None:
            raise CallerError("dispute_not_found", dispute_id)
        timeline = await services.run_read(lambda: repository.timeline(dispute_id))
        return _shown(row) | {"timeline": timeline}

    _add_commands(routes, services, days)
    return routes


def _add_commands(routes: APIRouter, services: Services, days: SettledDays) -> None:
    rules = services.rules

    @routes.post("/disputes", status_code=201)
    async def open_dispute(body: NewDispute) -> dict[str, Any]:
        return _shown(await services.submit(OpenDispute(**body.model_dump(), rules=rules)))

    @routes.post("/disputes/{dispute_id}/evidence")
    async def give_evidence(dispute_id: str, body: Evidence) -> dict[str, Any]:
        command = GiveEvidence(
            dispute_id=dispute_id, merchant_id=body.merchant_id, evidence=body.evidence
        )
        return _shown(await services.submit(command))

    def decides(command: DisputeCommand) -> None:
        @routes.post(f"/disputes/{{dispute_id}}/{command}", name=f"{command}_dispute")
        async def decide(dispute_id: str, body: Decision) -> dict[str, Any]:
            decision = DecideDispute(
                dispute_id=dispute_id,
                command=command,
                settlement_date=body.settlement_date,
                rules=rules,
                days=days,
            )
            return _shown(await services.submit(decision))

    for command in (DisputeCommand.WIN, DisputeCommand.LOSE, DisputeCommand.WITHDRAW):
        decides(command)

    @routes.post("/merchants/{merchant_id}/cover-collections")
    async def collect_cover(merchant_id: str, body: NewCollection) -> dict[str, Any]:
        collection = CollectCover(
            collection_id=body.collection_id, merchant_id=merchant_id, rules=rules
        )
        return asdict(await services.submit(collection))


def _shown(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _HIDDEN}
