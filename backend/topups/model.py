"""The life of a top-up. Pure."""

from enum import StrEnum

from protocol.errors import CallerError


class TopUpState(StrEnum):
    """Where a top-up is."""

    PROCESSING = "processing"
    """Stored, and perhaps sent: the channel has not answered."""
    UNKNOWN = "unknown"
    """The channel did not answer in time; only a query leaves this."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Outcome(StrEnum):
    """What is learned about a top-up."""

    SUCCEED = "succeed"
    FAIL = "fail"
    LOSE_CONTACT = "lose_contact"


_S, _O = TopUpState, Outcome
TRANSITIONS: dict[tuple[TopUpState, Outcome], TopUpState] = {
    (_S.PROCESSING, _O.SUCCEED): _S.SUCCEEDED,
    (_S.PROCESSING, _O.FAIL): _S.FAILED,
    (_S.PROCESSING, _O.LOSE_CONTACT): _S.UNKNOWN,
    (_S.UNKNOWN, _O.SUCCEED): _S.SUCCEEDED,
    (_S.UNKNOWN, _O.FAIL): _S.FAILED,
    (_S.UNKNOWN, _O.LOSE_CONTACT): _S.UNKNOWN,
}
OPEN_STATES = (_S.PROCESSING, _S.UNKNOWN)


def next_state(state: TopUpState, outcome: Outcome) -> TopUpState:
    """The state an outcome leads to; ``CallerError("payment_state")`` where there is no edge."""
    found = TRANSITIONS.get((state, outcome))
    if found is None:
        raise CallerError("payment_state", f"{outcome} in {state}")
    return found
