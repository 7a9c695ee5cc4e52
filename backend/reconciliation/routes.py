"""HTTP about breaks, for operators: which are open, how each came about, and what people decide."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Query
from pydantic import Field, model_validator

from backend.db.tables import Row
from backend.guard import Guard
from backend.payments.services import Services
from backend.reconciliation.assignee import Assignee
from backend.reconciliation.breaks import BreakStep
from backend.reconciliation.cases import MoveBreak
from backend.reconciliation.limits import ROWS_PER_LIST_MAX, WORDS_CHARS_MAX
from backend.reconciliation.repository import ReconciliationRepository
from backend.reconciliation.returns import AskBack, obstacle, proposal
from backend.wanted import Wanted
from protocol.errors import CallerError
from protocol.limits import IDENTIFIER_CHARS_MAX

_HAN = r"[\u3400-\u4dbf\u4e00-\u9fff]"
REASON_PATTERN = rf"^\s*\S+\s+\S|(?:{_HAN}.*){{4}}"
"""Two words, or four Chinese characters: Chinese has no space between words."""


class Returned(Wanted):
    """Who decides about a break, and why: two words, or four Chinese characters."""

    by: Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
    words: Annotated[str, Field(pattern=REASON_PATTERN, max_length=WORDS_CHARS_MAX)]


class Settled(Returned):
    """How a person ends a break."""

    write_off: bool = False
    """It is short, lost, and our loss."""
    assign: Literal["payer", "merchant"] | None = None
    """It is long, and belongs to ``owner_id``."""
    owner_id: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX)] = ""

    @model_validator(mode="after")
    def _check_end(self) -> Self:
        if (self.write_off and self.assign) or bool(self.assign) != bool(self.owner_id):
            raise ValueError("write_off, or assign with owner_id, or neither")
        return self

    @property
    def step(self) -> BreakStep:
        """What a person wants."""
        if self.assign is not None:
            return BreakStep.ASSIGN
        return BreakStep.WRITE_OFF if self.write_off else BreakStep.RESOLVE


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/breaks``: those that are open, the oldest first, or with ``merchant``
    those about its payments, open or over, the newest first; ``/{break_id}``: one with its timeline
    and what stands in the way of asking its money back (``obstacle``); both with the one thing that
    is to be done (``proposed``); ``/{break_id}/resolve``: what becomes of it;
    ``/{break_id}/return``: ask its channel now to take it back by the channel's own number."""
    repository, rules = ReconciliationRepository(services.reader), services.rules

    def told(row: Row) -> dict[str, Any]:
        return {**row, "obstacle": obstacle(row, rules), "proposed": proposal(row, rules)}

    routes = APIRouter(
        prefix="/operator/v1/breaks", tags=["clearing"], dependencies=[Depends(operator_only)]
    )

    @routes.get("")
    async def queue(
        limit: Annotated[int, Query(ge=1, le=ROWS_PER_LIST_MAX)] = 50,
        merchant: Annotated[str, Query(max_length=IDENTIFIER_CHARS_MAX)] = "",
    ) -> dict[str, Any]:
        if merchant:
            rows = await repository.of_merchant(merchant, after=None, limit=limit)
        else:
            rows = await repository.open_cases(limit=limit)
        now = datetime.fromtimestamp(services.clock.now_ms() // 1000, UTC)
        return {
            "breaks": [
                {
                    **told(row),
                    "age_days": (now - _at(row["found_at_ms"])) // timedelta(days=1),
                }
                for row in rows
            ]
        }

    @routes.get("/{break_id}")
    async def one(break_id: str) -> dict[str, Any]:
        row = await repository.case(break_id)
        if row is None:
            raise CallerError("break_unknown", break_id)
        return told(row)

    @routes.post("/{break_id}/resolve")
    async def resolve(break_id: str, body: Settled) -> dict[str, Any]:
        row = await one(break_id)
        command = MoveBreak(
            follows=row,
            step=body.step,
            booked_on=services.rules.business_date(services.clock.now_ms()),
            actor=f"operator:{body.by}",
            words=body.words,
            to=None if body.assign is None else Assignee(body.assign, body.owner_id),
        )
        return {"break": await services.submit(command)}

    @routes.post("/{break_id}/return")
    async def ask_back(break_id: str, body: Returned) -> dict[str, Any]:
        command = AskBack(
            follows=await one(break_id),
            rules=rules,
            actor=f"operator:{body.by}",
            words=body.words,
        )
        return {"break": await services.submit(command)}

    return routes


def _at(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)
