"""HTTP about models, for the console: bring one, look at them, say what becomes of one."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from backend.db.tables import Row
from backend.guard import Guard
from backend.payments.services import Services
from backend.risk.models.lifecycle import WORDS_OF_TWO, ModelCommand
from backend.risk.models.limits import PERSON_CHARS_MAX, PURPOSE_CHARS_MAX, WORDS_CHARS_MAX
from backend.risk.models.repository import ModelRepository
from backend.risk.models.service import PAYMENT, MoveModel, RegisterModel
from backend.risk.signing import Sign, Signed
from backend.wanted import Wanted
from protocol.errors import CallerError

MODELS = "/operator/v1/risk/models"
CREATED = 201
_MOVES = {
    "challenge": ModelCommand.CHALLENGE,
    "propose": ModelCommand.PROPOSE,
    "confirm": ModelCommand.CONFIRM,
    "reject": ModelCommand.REJECT,
    "retire": ModelCommand.RETIRE,
}
_REFERENCES = ("feature_references", "score_reference")


class Word(Wanted):
    """``POST …/{model_id}/{command}``: who says it, and why."""

    by: Annotated[str, Field(min_length=1, max_length=PERSON_CHARS_MAX)]
    words: Annotated[str, Field(min_length=1, max_length=WORDS_CHARS_MAX)]


class SignedWord(Signed):
    """The same of one of two persons."""

    words: Annotated[str, Field(min_length=1, max_length=WORDS_CHARS_MAX)]


def operator_router(services: Services, operator_only: Guard, sign: Sign) -> APIRouter:
    """``/operator/v1/risk/models``. ``sign``: whose the words of two persons are."""
    routes = APIRouter(prefix=MODELS, tags=["risk"], dependencies=[Depends(operator_only)])
    _add_reads(routes, services)
    _add_commands(routes, services, sign)
    return routes


def _add_reads(routes: APIRouter, services: Services) -> None:
    repository = ModelRepository(services.reader)

    @routes.get("")
    async def all_models() -> dict[str, Any]:
        """Every model, the latest first."""
        rows = await services.run_read(repository.models)
        return {"models": [_shown(row) for row in rows]}

    @routes.get("/{model_id}")
    async def one(model_id: str) -> dict[str, Any]:
        """A model with its steps."""
        row = await services.run_read(lambda: repository.model(model_id))
        if row is None:
            raise CallerError("model_not_found", model_id)
        events = await services.run_read(lambda: repository.events(model_id))
        return _shown(row) | {"events": events}


def _add_commands(routes: APIRouter, services: Services, sign: Sign) -> None:
    @routes.post("", status_code=CREATED)
    async def register(
        request: Request,
        by: Annotated[str, Query(min_length=1, max_length=PERSON_CHARS_MAX)],
        words: Annotated[str, Query(min_length=1, max_length=WORDS_CHARS_MAX)],
        purpose: Annotated[str, Query(min_length=1, max_length=PURPOSE_CHARS_MAX)] = PAYMENT,
    ) -> dict[str, Any]:
        """The body is the model's file. It is checked before it is kept."""
        content = await request.body()
        command = await services.run_read(
            lambda: RegisterModel.checked(content, purpose=purpose, by=by, words=words)
        )
        return _shown(await services.submit(command))

    def moves(word: str, command: ModelCommand) -> None:
        @routes.post(f"/{{model_id}}/{word}", name=f"{word}_model")
        async def move(model_id: str, body: Word) -> dict[str, Any]:
            found = MoveModel(model_id=model_id, command=command, by=body.by, words=body.words)
            return _shown(await services.submit(found))

    def words_of_two(word: str, command: ModelCommand) -> None:
        @routes.post(f"/{{model_id}}/{word}", name=f"{word}_model")
        async def move(model_id: str, body: SignedWord) -> dict[str, Any]:
            by = await sign(body.by, body.code)
            found = MoveModel(model_id=model_id, command=command, by=by, words=body.words)
            return _shown(await services.submit(found))

    for word, command in _MOVES.items():
        (words_of_two if command in WORDS_OF_TWO else moves)(word, command)


def _shown(row: Row) -> dict[str, Any]:
    card = {name: value for name, value in json.loads(row["card"]).items()
            if name not in _REFERENCES}  # fmt: skip
    return {name: value for name, value in row.items() if name != "event_count"} | {"card": card}
