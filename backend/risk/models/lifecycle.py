"""Which model is used, and by whose word. Pure.

Rule 1: only ``next_edge`` says which state follows.
Rule 2: two persons bring a model to its use: whoever proposed it cannot confirm it, however the
        name is written.
Rule 3: a purpose has at most one champion, whose score counts, and one challenger, whose score is
        kept beside it. The one before makes place in the same step.
"""

from dataclasses import dataclass
from enum import StrEnum

from backend.risk.two_persons import same_person
from protocol.errors import CallerError


class ModelState(StrEnum):
    """Where a model is."""

    REGISTERED = "registered"
    """Its file is kept; nothing scores with it."""
    CHALLENGER = "challenger"
    """It scores every payment beside the champion, and decides none."""
    PROPOSED = "proposed"
    """The challenger that one person wants as champion; a second one has not yet agreed."""
    CHAMPION = "champion"
    """Its score counts."""
    RETIRED = "retired"
    """It was used or turned down; kept, so that old decisions can be computed again."""


class ModelCommand(StrEnum):
    """What may happen to a model."""

    CHALLENGE = "challenge"
    PROPOSE = "propose"
    CONFIRM = "confirm"
    REJECT = "reject"
    MAKE_PLACE = "make_place"
    """Another of its purpose takes its role."""
    RETIRE = "retire"


class ModelEvent(StrEnum):
    """What has happened to a model."""

    REGISTERED = "ModelRegistered"
    CHALLENGED = "ModelChallenged"
    PROPOSED = "ModelProposed"
    PROMOTED = "ModelPromoted"
    REJECTED = "ModelRejected"
    RETIRED = "ModelRetired"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: ModelState
    event: ModelEvent


_S, _C, _E = ModelState, ModelCommand, ModelEvent

TRANSITIONS: dict[tuple[ModelState, ModelCommand], Edge] = {
    (_S.REGISTERED, _C.CHALLENGE): Edge(_S.CHALLENGER, _E.CHALLENGED),
    (_S.REGISTERED, _C.RETIRE): Edge(_S.RETIRED, _E.RETIRED),
    (_S.CHALLENGER, _C.PROPOSE): Edge(_S.PROPOSED, _E.PROPOSED),
    (_S.CHALLENGER, _C.MAKE_PLACE): Edge(_S.RETIRED, _E.RETIRED),
    (_S.CHALLENGER, _C.RETIRE): Edge(_S.RETIRED, _E.RETIRED),
    (_S.PROPOSED, _C.CONFIRM): Edge(_S.CHAMPION, _E.PROMOTED),
    (_S.PROPOSED, _C.REJECT): Edge(_S.CHALLENGER, _E.REJECTED),
    (_S.CHAMPION, _C.MAKE_PLACE): Edge(_S.RETIRED, _E.RETIRED),
    (_S.RETIRED, _C.CHALLENGE): Edge(_S.CHALLENGER, _E.CHALLENGED),
}


class Role(StrEnum):
    """What a model is used as."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


ROLE_OF: dict[ModelState, Role] = {
    ModelState.CHALLENGER: Role.CHALLENGER,
    ModelState.PROPOSED: Role.CHALLENGER,
    ModelState.CHAMPION: Role.CHAMPION,
}


def next_edge(state: str, command: ModelCommand) -> Edge:
    """The edge a command takes; ``model_state`` where there is none."""
    edge = TRANSITIONS.get((ModelState(state), command))
    if edge is None:
        raise CallerError("model_state", f"{command} in {state}")
    return edge


WORDS_OF_TWO = frozenset({ModelCommand.PROPOSE, ModelCommand.CONFIRM, ModelCommand.REJECT})
"""What the first or the second of the two persons says."""


def check_second_person(proposed_by: str, *, by: str) -> None:
    """``model_same_person`` for whoever proposed the model (rule 2)."""
    if same_person(proposed_by, by):
        raise CallerError("model_same_person", by)
