"""HTTP about devices' fingerprints, for operators: how one stands, and what a person accepts."""

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from backend.db.tables import Row
from backend.guard import Guard
from backend.payments.services import Services
from backend.risk.devices.limits import WORDS_CHARS_MAX
from backend.risk.devices.repository import ReadingRepository
from backend.risk.devices.service import AcceptReading
from backend.risk.devices.words import reason_words, verdict_words
from backend.wanted import Wanted
from protocol.errors import CallerError
from protocol.limits import IDENTIFIER_CHARS_MAX

_MILLION = 1_000_000


class Acceptance(Wanted):
    """``POST …/readings/{number}/accept``: who says so, and why."""

    by: Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
    words: Annotated[str, Field(min_length=1, max_length=WORDS_CHARS_MAX)]


def operator_router(
    services: Services, operator_only: Guard, *, wake: Callable[[], None]
) -> APIRouter:
    """``/operator/v1/risk/devices/{tid}``. ``wake`` makes the judge learn at once."""
    repository = ReadingRepository(services.reader)
    routes = APIRouter(
        prefix="/operator/v1/risk/devices", tags=["risk"], dependencies=[Depends(operator_only)]
    )

    @routes.get("/{tid}")
    async def one(tid: str) -> dict[str, Any]:
        standing = await services.run_read(lambda: repository.standing(tid))
        if standing is None:
            raise CallerError("reading_not_found", tid)
        history = await services.run_read(lambda: repository.history(tid))
        return {
            "tid": tid,
            "trust": standing["trust_ppm"] / _MILLION,
            "verdict": standing["verdict"],
            **verdict_words(standing["verdict"]),
            "readings": [_shown(row) for row in history],
        }

    @routes.post("/{tid}/readings/{number}/accept")
    async def accept(tid: str, number: int, body: Acceptance) -> dict[str, Any]:
        command = AcceptReading(tid=tid, number=number, by=body.by, words=body.words)
        row = await services.submit(command)
        wake()
        return _shown(row)

    return routes


def _shown(row: Row) -> dict[str, Any]:
    """Without the attributes: people judge by what changed, and pseudonyms tell them nothing."""
    names = ("number", "received_at_ms", "judged_at_ms", "verdict", "accepted_at_ms",
             "accepted_by", "words")  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "trust": row["trust_ppm"] / _MILLION,
        "reasons": [reason_words(reason) for reason in json.loads(row["reasons"])],
        "changed": json.loads(row["changed"]),
    }
