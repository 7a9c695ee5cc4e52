"""The audit log over JSON and as CSV, for the bearer of the operator's token."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from backend.audit.export import acts_csv
from backend.audit.limits import ACTS_PER_PAGE_MAX, SUBJECT_CHARS_MAX
from backend.audit.model import ActKind
from backend.audit.repository import ActFilter, AuditRepository
from backend.db.tables import Row
from backend.guard import Guard
from backend.listing.filters import from_ms, until_ms
from backend.payments.services import Services

_Text = Annotated[str, Query(max_length=SUBJECT_CHARS_MAX)]


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/audit``: the acts, the newest first; ``/csv``: as a file; ``/verify``: whether
    the chain holds."""
    repository = AuditRepository(services.reader)
    routes = APIRouter(
        prefix="/operator/v1/audit", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.get("")
    async def acts(
        kind: ActKind | None = None,
        actor: _Text = "",
        subject: _Text = "",
        since: _Text = "",
        until: _Text = "",
        before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
        limit: Annotated[int, Query(ge=1, le=ACTS_PER_PAGE_MAX)] = 50,
    ) -> dict[str, Any]:
        wanted = _wanted(kind, actor, subject, since, until)
        rows: list[Row] = await services.run_read(
            lambda: repository.acts(wanted, before=before, limit=limit)
        )
        return {"acts": [{**row, "link": row["link"].hex()} for row in rows]}

    @routes.get("/csv")
    async def as_csv(
        kind: ActKind | None = None,
        actor: _Text = "",
        subject: _Text = "",
        since: _Text = "",
        until: _Text = "",
    ) -> StreamingResponse:
        wanted = _wanted(kind, actor, subject, since, until)

        async def read(before: int | None, limit: int) -> list[Row]:
            rows: list[Row] = await services.run_read(
                lambda: repository.acts(wanted, before=before, limit=limit)
            )
            return rows

        return StreamingResponse(acts_csv(read), media_type="text/csv; charset=utf-8")

    @routes.get("/verify")
    async def verify() -> dict[str, Any]:
        broken = await services.run_read(repository.first_broken)
        return {"is_whole": broken is None, "first_broken": broken}

    return routes


def _wanted(kind: ActKind | None, actor: str, subject: str, since: str, until: str) -> ActFilter:
    return ActFilter(
        kind="" if kind is None else kind.value,
        actor=actor,
        subject=subject,
        from_ms=from_ms(since),
        until_ms=until_ms(until),
    )
