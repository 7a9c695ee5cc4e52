"""Which set of rules decides, and by whose word. Pure.

Rule 1: only ``next_edge`` says which state follows.
Rule 2: two persons let a set decide, for a share of the payments and again for all: whoever
        proposed the step cannot confirm it, however the name is written. One person is enough to
        take a set out of a share: that only brings back the rules that two persons wanted.
Rule 3: one set is live and at most one stands beside it, in shadow or for a share. The one before
        makes place in the same step; one that decides a share, or is about to, makes none.
"""

from dataclasses import dataclass
from enum import StrEnum

from backend.risk.two_persons import same_person
from protocol.errors import CallerError


class SetState(StrEnum):
    """Where a set of rules is."""

    DRAFT = "draft"
    """It is kept; nothing is judged with it."""
    SHADOW = "shadow"
    """Its hits are kept beside the live set's, and decide nothing."""
    CANARY_PROPOSED = "canary_proposed"
    """In shadow; one person wants it to decide a share of the payments."""
    CANARY = "canary"
    """It decides a share of the payments."""
    LIVE_PROPOSED = "live_proposed"
    """It decides its share; one person wants it to decide all."""
    LIVE = "live"
    """It decides every payment that no canary does."""
    RETIRED = "retired"
    """It was used or turned down; kept, so that old decisions can be computed again."""


class SetCommand(StrEnum):
    """What may happen to a set."""

    SHADOW = "shadow"
    PROPOSE_CANARY = "propose_canary"
    CONFIRM_CANARY = "confirm_canary"
    PROPOSE_LIVE = "propose_live"
    CONFIRM_LIVE = "confirm_live"
    REJECT = "reject"
    RETIRE = "retire"
    MAKE_PLACE = "make_place"
    """Another set takes its role."""


class SetEvent(StrEnum):
    """What has happened to a set."""

    DRAFTED = "RulesDrafted"
    SHADOWED = "RulesShadowed"
    CANARY_PROPOSED = "RulesCanaryProposed"
    CANARY_STARTED = "RulesCanaryStarted"
    LIVE_PROPOSED = "RulesLiveProposed"
    WENT_LIVE = "RulesWentLive"
    REJECTED = "RulesRejected"
    RETIRED = "RulesRetired"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: SetState
    event: SetEvent


_S, _C, _E = SetState, SetCommand, SetEvent

TRANSITIONS: dict[tuple[SetState, SetCommand], Edge] = {
    (_S.DRAFT, _C.SHADOW): Edge(_S.SHADOW, _E.SHADOWED),
    (_S.DRAFT, _C.RETIRE): Edge(_S.RETIRED, _E.RETIRED),
    (_S.SHADOW, _C.PROPOSE_CANARY): Edge(_S.CANARY_PROPOSED, _E.CANARY_PROPOSED),
    (_S.SHADOW, _C.RETIRE): Edge(_S.RETIRED, _E.RETIRED),
    (_S.SHADOW, _C.MAKE_PLACE): Edge(_S.RETIRED, _E.RETIRED),
    (_S.CANARY_PROPOSED, _C.CONFIRM_CANARY): Edge(_S.CANARY, _E.CANARY_STARTED),
    (_S.CANARY_PROPOSED, _C.REJECT): Edge(_S.SHADOW, _E.REJECTED),
    (_S.CANARY, _C.PROPOSE_LIVE): Edge(_S.LIVE_PROPOSED, _E.LIVE_PROPOSED),
    (_S.CANARY, _C.SHADOW): Edge(_S.SHADOW, _E.SHADOWED),
    (_S.CANARY, _C.RETIRE): Edge(_S.RETIRED, _E.RETIRED),
    (_S.LIVE_PROPOSED, _C.CONFIRM_LIVE): Edge(_S.LIVE, _E.WENT_LIVE),
    (_S.LIVE_PROPOSED, _C.REJECT): Edge(_S.CANARY, _E.REJECTED),
    (_S.LIVE_PROPOSED, _C.SHADOW): Edge(_S.SHADOW, _E.SHADOWED),
    (_S.LIVE_PROPOSED, _C.RETIRE): Edge(_S.RETIRED, _E.RETIRED),
    (_S.LIVE, _C.MAKE_PLACE): Edge(_S.RETIRED, _E.RETIRED),
    (_S.RETIRED, _C.SHADOW): Edge(_S.SHADOW, _E.SHADOWED),
}


class Role(StrEnum):
    """What a set is used as."""

    LIVE = "live"
    CANDIDATE = "candidate"


ROLE_OF: dict[SetState, Role] = {
    SetState.SHADOW: Role.CANDIDATE,
    SetState.CANARY_PROPOSED: Role.CANDIDATE,
    SetState.CANARY: Role.CANDIDATE,
    SetState.LIVE_PROPOSED: Role.CANDIDATE,
    SetState.LIVE: Role.LIVE,
}
DECIDES_A_SHARE = frozenset({SetState.CANARY, SetState.LIVE_PROPOSED})
SECOND_PERSON = frozenset({SetCommand.CONFIRM_CANARY, SetCommand.CONFIRM_LIVE, SetCommand.REJECT})
"""What the one who proposed cannot say."""
WORDS_OF_TWO = SECOND_PERSON | {SetCommand.PROPOSE_CANARY, SetCommand.PROPOSE_LIVE}
"""What the first or the second of the two persons says."""


def next_edge(state: str, command: SetCommand) -> Edge:
    """The edge a command takes; ``rules_state`` where there is none."""
    edge = TRANSITIONS.get((SetState(state), command))
    if edge is None:
        raise CallerError("rules_state", f"{command} in {state}")
    return edge


def check_second_person(proposed_by: str, *, by: str) -> None:
    """``rules_same_person`` for whoever proposed the step (rule 2)."""
    if same_person(proposed_by, by):
        raise CallerError("rules_same_person", by)
