"""HTTP about the sets of rules, for the console: draft one, look at them, bring one to use."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from backend.db.tables import Row
from backend.detail import printable
from backend.guard import Guard
from backend.http_errors import status_of
from backend.payments.services import Services
from backend.risk.rules.desk import RuleDesk
from backend.risk.rules.lifecycle import WORDS_OF_TWO, SetCommand
from backend.risk.rules.limits import (
    PERSON_CHARS_MAX,
    RULE_ID_CHARS_MAX,
    SHARE_BPS_ALL,
    WORDS_CHARS_MAX,
)
from backend.risk.rules.repository import RuleRepository
from backend.risk.rules.rule_file import shipped_text
from backend.risk.rules.service import DraftRules, MoveRules
from backend.risk.rules.suppression import ConfirmSuppression, SuppressRule
from backend.risk.signing import Sign, Signed
from backend.wanted import Wanted
from protocol.errors import CallerError

RULES = "/operator/v1/risk/rules"

CREATED = 201
SHIPPED = "shipped"


class Word(Wanted):
    """``POST …/{set_id}/{command}``: who says it, and why."""

    by: Annotated[str, Field(min_length=1, max_length=PERSON_CHARS_MAX)]
    words: Annotated[str, Field(min_length=1, max_length=WORDS_CHARS_MAX)]


class SignedWord(Signed):
    """The same of one of two persons."""

    words: Annotated[str, Field(min_length=1, max_length=WORDS_CHARS_MAX)]
    share_bps: Annotated[int, Field(ge=0, le=SHARE_BPS_ALL)] = 0


class Suppression(Signed):
    """``POST …/suppress`` and ``…/confirm_suppression``: a word of one of two persons."""

    rule_id: Annotated[str, Field(min_length=1, max_length=RULE_ID_CHARS_MAX)]
    until_ms: Annotated[int, Field(gt=0)]
    words: Annotated[str, Field(min_length=1, max_length=WORDS_CHARS_MAX)]


class Release(Wanted):
    """``POST …/release``: the rule decides again, by one person's word."""

    rule_id: Annotated[str, Field(min_length=1, max_length=RULE_ID_CHARS_MAX)]
    by: Annotated[str, Field(min_length=1, max_length=PERSON_CHARS_MAX)]
    words: Annotated[str, Field(min_length=1, max_length=WORDS_CHARS_MAX)]


def operator_router(
    services: Services, operator_only: Guard, desk: RuleDesk, sign: Sign
) -> APIRouter:
    """``/operator/v1/risk/rules``. ``sign``: whose the words of two persons are."""
    routes = APIRouter(prefix=RULES, tags=["risk"], dependencies=[Depends(operator_only)])
    _add_reads(routes, services, desk)
    _add_commands(routes, services)
    _add_words_of_two(routes, services, sign)
    return routes


def _add_reads(routes: APIRouter, services: Services, desk: RuleDesk) -> None:
    repository = RuleRepository(services.reader)

    @routes.get("")
    async def all_sets() -> dict[str, Any]:
        """Every set, the latest first; and what this backend judges with now."""
        now_ms, current = services.clock.now_ms(), desk.current
        candidate = current.candidate
        return {
            "sets": await services.run_read(repository.sets),
            "live": current.live.version,
            "candidate": candidate.version if candidate else "",
            "share_bps": current.share_bps,
            "suppressed": await services.run_read(lambda: repository.suppressed(now_ms=now_ms)),
            "suppressions_proposed": await services.run_read(
                lambda: repository.proposed_suppressions(now_ms=now_ms)
            ),
        }

    @routes.get("/{set_id}")
    async def one(set_id: str) -> dict[str, Any]:
        """A set with its steps and its text; ``shipped``: the text that ships."""
        if set_id == SHIPPED:
            return {"set_id": SHIPPED, "events": [], "text": shipped_text()}
        row: Row | None = await services.run_read(lambda: repository.rule_set(set_id))
        if row is None:
            raise CallerError("rules_not_found", set_id)
        events = await services.run_read(lambda: repository.events(set_id))
        text = await services.run_read(lambda: repository.text(set_id))
        return row | {"events": events, "text": text}


def _add_commands(routes: APIRouter, services: Services) -> None:
    @routes.post("", status_code=CREATED)
    async def draft(request: Request, told: Annotated[Word, Query()]) -> Any:  # noqa: ANN401  # a row
        """The body is a file of rules. It is checked before it is kept."""
        body = await request.body()
        try:
            text = body.decode()
            command = await services.run_read(
                lambda: DraftRules.checked(text, by=told.by, words=told.words)
            )
        except UnicodeDecodeError:
            return _refused(CallerError("rule_invalid", "not UTF-8"))
        except CallerError as error:
            return _refused(error)
        return await services.submit(command)

    @routes.post("/release")
    async def release(body: Release) -> Any:  # noqa: ANN401  # a row
        """Let a rule's hits decide again, at once."""
        command = SuppressRule(rule_id=body.rule_id, until_ms=0, by=body.by, words=body.words)
        return await services.submit(command)

    def moves(command: SetCommand) -> None:
        @routes.post(f"/{{set_id}}/{command.value}", name=f"{command.value}_rules")
        async def move(set_id: str, body: Word) -> Any:  # noqa: ANN401  # a row
            found = MoveRules(set_id=set_id, command=command, by=body.by, words=body.words)
            return await services.submit(found)

    for command in SetCommand:
        if command not in WORDS_OF_TWO and command is not SetCommand.MAKE_PLACE:
            moves(command)


def _add_words_of_two(routes: APIRouter, services: Services, sign: Sign) -> None:
    @routes.post("/suppress")
    async def suppress(body: Suppression) -> Any:  # noqa: ANN401  # a row
        """Propose, as the first person, that a rule's hits decide nothing for a while."""
        by = await sign(body.by, body.code)
        command = SuppressRule(
            rule_id=body.rule_id, until_ms=body.until_ms, by=by, words=body.words
        )
        return await services.submit(command)

    @routes.post("/confirm_suppression")
    async def confirm_suppression(body: Suppression) -> Any:  # noqa: ANN401  # a row
        """Agree to what was proposed, as the second person."""
        by = await sign(body.by, body.code)
        command = ConfirmSuppression(
            rule_id=body.rule_id, until_ms=body.until_ms, by=by, words=body.words
        )
        return await services.submit(command)

    def words_of_two(command: SetCommand) -> None:
        @routes.post(f"/{{set_id}}/{command.value}", name=f"{command.value}_rules")
        async def move(set_id: str, body: SignedWord) -> Any:  # noqa: ANN401  # a row
            by = await sign(body.by, body.code)
            found = MoveRules(
                set_id=set_id, command=command, by=by, words=body.words, share_bps=body.share_bps
            )
            return await services.submit(found)

    for command in sorted(WORDS_OF_TWO):
        words_of_two(command)


def _refused(error: CallerError) -> JSONResponse:
    """An operator is told the rule, the place and the reason, as the file's author may be."""
    told = error.to_wire() | {"reason": printable(error.detail, chars_max=WORDS_CHARS_MAX)}
    return JSONResponse({"error": told}, status_code=status_of(error))
