"""The life of a merchant's transfer to a payer. Pure.

Rule 1: the money leaves the merchant's settled money when the transfer is made, and is kept until
        the receiver takes it; given up or not taken in a day, it is the merchant's again.
Rule 2: one that names somebody else than the receiver fails when it is made, and moves nothing.
"""

from enum import StrEnum

from protocol.errors import CallerError

WRONG_NAME, NOT_TAKEN = "NAME_NOT_CORRECT", "OVERDUE_CLOSE"


class TransferState(StrEnum):
    """Where a transfer is."""

    WAITING = "waiting"
    """For its receiver's word."""
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"
    FAILED = "failed"


class TransferStep(StrEnum):
    """What may end one."""

    TAKE = "take"
    CANCEL = "cancel"
    EXPIRE = "expire"


_S, _T = TransferState, TransferStep
TRANSITIONS: dict[tuple[TransferState, TransferStep], TransferState] = {
    (_S.WAITING, _T.TAKE): _S.SUCCEEDED,
    (_S.WAITING, _T.CANCEL): _S.CANCELLED,
    (_S.WAITING, _T.EXPIRE): _S.FAILED,
}


def next_state(state: TransferState, step: TransferStep) -> TransferState:
    """The state a step leads to; ``merchant_transfer_over`` where there is no edge."""
    found = TRANSITIONS.get((state, step))
    if found is None:
        raise CallerError("merchant_transfer_over", f"{step} in {state}")
    return found
