"""The life of a withdrawal, and what it costs. Pure.

Rule 1: a payer's first withdrawals are free up to an allowance; what is above costs a rate, and no
        less than a minimum. A withdrawal that is rejected gives its allowance back.
Rule 2: the fee is taken from the balance on top of the amount: what arrives is what was asked for.
"""

from dataclasses import dataclass
from enum import StrEnum

from backend.withdrawals.limits import FEE_BPS_MAX, WITHDRAWAL_MINOR_MAX
from protocol.errors import CallerError

_BPS = 10_000


class WithdrawalState(StrEnum):
    """Where a withdrawal is."""

    PROCESSING = "processing"
    """Taken from the balance; the channel has not answered."""
    UNKNOWN = "unknown"
    """The channel did not answer in time; it is asked until it does."""
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    """The money and the fee are back on the balance."""


class WithdrawalStep(StrEnum):
    """What is learned about a withdrawal."""

    SUCCEED = "succeed"
    REJECT = "reject"
    LOSE_CONTACT = "lose_contact"


_S, _T = WithdrawalState, WithdrawalStep
TRANSITIONS: dict[tuple[WithdrawalState, WithdrawalStep], WithdrawalState] = {
    (_S.PROCESSING, _T.SUCCEED): _S.SUCCEEDED,
    (_S.PROCESSING, _T.REJECT): _S.REJECTED,
    (_S.PROCESSING, _T.LOSE_CONTACT): _S.UNKNOWN,
    (_S.UNKNOWN, _T.SUCCEED): _S.SUCCEEDED,
    (_S.UNKNOWN, _T.REJECT): _S.REJECTED,
    (_S.UNKNOWN, _T.LOSE_CONTACT): _S.UNKNOWN,
}


def next_state(state: WithdrawalState, step: WithdrawalStep) -> WithdrawalState:
    """The state a step leads to; ``CallerError("payment_state")`` where there is no edge."""
    found = TRANSITIONS.get((state, step))
    if found is None:
        raise CallerError("payment_state", f"{step} in {state}")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRules:
    """What configuration decides: 0.1 % above 1,000 yuan in all, and no less than 0.1 yuan."""

    free_minor: int = 100_000
    """What a payer may take out for nothing, in all."""
    fee_bps: int = 10
    fee_minor_min: int = 10
    amount_minor_max: int = WITHDRAWAL_MINOR_MAX

    def __post_init__(self) -> None:
        if not 0 <= self.fee_bps <= FEE_BPS_MAX or self.free_minor < 0 or self.fee_minor_min < 0:
            raise ValueError("the withdrawal fee is out of range")
        if not 0 < self.amount_minor_max <= WITHDRAWAL_MINOR_MAX:
            raise ValueError("amount_minor_max is out of range")

    def fee(self, amount_minor: int, *, withdrawn_minor: int) -> int:
        """What a withdrawal costs a payer who has taken out so much before. Half up to the fen."""
        free_minor = max(self.free_minor - withdrawn_minor, 0)
        charged_minor = max(amount_minor - free_minor, 0)
        if not charged_minor or not self.fee_bps:
            return 0
        by_rate = (charged_minor * self.fee_bps * 2 + _BPS) // (2 * _BPS)
        return max(by_rate, self.fee_minor_min)
