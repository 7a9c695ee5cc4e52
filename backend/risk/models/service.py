"""The registry's commands.

Rule 1: a file is checked before it is kept (``onnx_file``), and named by its hash.
Rule 2: repeating a command changes nothing and gives the model as it stands.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.risk.models.card import ModelError
from backend.risk.models.lifecycle import (
    ROLE_OF,
    ModelCommand,
    ModelEvent,
    ModelState,
    Role,
    check_second_person,
    next_edge,
)
from backend.risk.models.limits import PERSON_CHARS_MAX, PURPOSE_CHARS_MAX, WORDS_CHARS_MAX
from backend.risk.models.onnx_file import read_model
from backend.risk.models.tables import MODEL, MODEL_EVENT, MODEL_FILE, MODEL_ROLE
from protocol.errors import CallerError

PAYMENT = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterModel:
    """Keep a model's file. ``checked`` makes it from a file that nobody has looked at."""

    purpose: str
    by: str
    words: str
    content: bytes
    model_id: str
    card: str

    @classmethod
    def checked(cls, content: bytes, *, purpose: str, by: str, words: str) -> "RegisterModel":
        """Raises ``model_refused`` with the reason. Slow: not for the writer's turn."""
        if not 0 < len(purpose) <= PURPOSE_CHARS_MAX:
            raise CallerError("field_invalid", "purpose")
        try:
            card = read_model(content).to_json()
        except ModelError as error:
            raise CallerError("model_refused", str(error)) from error
        model_id = hashlib.sha256(content).hexdigest()
        return cls(
            purpose=purpose, by=by, words=words, content=content, model_id=model_id, card=card
        )

    def reads(self) -> Iterable[Read]:
        return [(MODEL, self.model_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(MODEL, self.model_id)
        if known is not None:
            return known
        ws.insert(MODEL_FILE, {"model_id": self.model_id, "content": self.content})
        row = {
            "model_id": self.model_id,
            "purpose": self.purpose,
            "state": ModelState.REGISTERED.value,
            "card": self.card,
            "registered_at_ms": now_ms,
            "updated_at_ms": now_ms,
        }
        ws.insert(MODEL, row)
        model = _model(ws, self.model_id)
        return _record(ws, model, ModelEvent.REGISTERED, self.by, self.words, now_ms=now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveModel:
    """One person's word about a model: ``CHALLENGE``, ``PROPOSE``, ``CONFIRM``, ``REJECT`` or
    ``RETIRE``; and why."""

    model_id: str
    command: ModelCommand
    by: str
    words: str

    def reads(self) -> Iterable[Read]:
        return [(MODEL, self.model_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        model = ws.get(MODEL, self.model_id)
        if model is None:
            return []
        roles = [(model["purpose"], role.value) for role in Role]
        held = [ws.get(MODEL_ROLE, key) for key in roles]
        named = [(MODEL, row["model_id"]) for row in held if row and row["model_id"]]
        return [*((MODEL_ROLE, key) for key in roles), *named]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        if self.command is ModelCommand.MAKE_PLACE:
            raise CallerError("field_invalid", "command")
        model = _model(ws, self.model_id)
        if self._is_done(model):
            return model
        if self.command in {ModelCommand.CONFIRM, ModelCommand.REJECT}:
            check_second_person(model["proposed_by"], by=self.by)
        return self._step(ws, model, self.command, now_ms)

    def _is_done(self, model: Row) -> bool:
        """Whether the word was given before: rule 2."""
        reached = {ModelCommand.CHALLENGE: ModelState.CHALLENGER,
                   ModelCommand.CONFIRM: ModelState.CHAMPION,
                   ModelCommand.RETIRE: ModelState.RETIRED}.get(self.command)  # fmt: skip
        is_proposed = model["state"] == ModelState.PROPOSED and model["proposed_by"] == self.by
        is_proposing = self.command is ModelCommand.PROPOSE
        return bool(model["state"] == reached or (is_proposing and is_proposed))

    def _step(self, ws: WorkingSet, model: Row, command: ModelCommand, now_ms: int) -> Row:
        edge = next_edge(model["state"], command)
        before, after = ROLE_OF.get(ModelState(model["state"])), ROLE_OF.get(edge.state)
        if after is not None and after is not before:
            self._clear(ws, model, after, now_ms)
            _hold(ws, model["purpose"], after, model["model_id"])
        if before is not None and after is not before:
            _hold(ws, model["purpose"], before, "")
        proposed_by = model["proposed_by"]
        if command is ModelCommand.PROPOSE:
            proposed_by = self.by
        return _record(ws, model, edge.event, self.by, self.words, now_ms=now_ms,
                       state=edge.state.value, proposed_by=proposed_by)  # fmt: skip

    def _clear(self, ws: WorkingSet, model: Row, role: Role, now_ms: int) -> None:
        """Rule 3 of ``lifecycle``: the one that has the role makes place."""
        held = ws.get(MODEL_ROLE, (model["purpose"], role.value))
        if held is None or not held["model_id"]:
            return
        other = _model(ws, held["model_id"])
        edge = next_edge(other["state"], ModelCommand.MAKE_PLACE)
        words = f"makes place for {model['model_id']}"
        _record(ws, other, edge.event, self.by, words, now_ms=now_ms, state=edge.state.value)


def _hold(ws: WorkingSet, purpose: str, role: Role, model_id: str) -> None:
    if ws.get(MODEL_ROLE, (purpose, role.value)) is None:
        ws.insert(MODEL_ROLE, {"purpose": purpose, "role": role.value, "model_id": model_id})
    else:
        ws.update(MODEL_ROLE, (purpose, role.value), model_id=model_id)


def _model(ws: WorkingSet, model_id: str) -> Row:
    row = ws.get(MODEL, model_id)
    if row is None:
        raise CallerError("model_not_found", model_id)
    return row


def _record(
    ws: WorkingSet,
    model: Row,
    event: ModelEvent,
    by: str,
    words: str,
    *,
    now_ms: int,
    **changes: str,
) -> Row:
    """Write what happened to a model, and the columns that it changes; the new row."""
    actor = " ".join(by.split())
    if not 0 < len(actor) <= PERSON_CHARS_MAX or not 0 < len(words) <= WORDS_CHARS_MAX:
        raise CallerError("field_invalid", "by or words")
    number = model["event_count"] + 1
    ws.insert(
        MODEL_EVENT,
        {
            "model_id": model["model_id"],
            "number": number,
            "event": event.value,
            "state_before": model["state"] if number > 1 else "",
            "state_after": changes.get("state", model["state"]),
            "actor": actor,
            "words": words,
            "at_ms": now_ms,
        },
    )
    return ws.update(MODEL, model["model_id"], event_count=number, updated_at_ms=now_ms, **changes)
