"""Values that go to channels and come back. Pure."""

from dataclasses import dataclass
from typing import Literal

from protocol.money import Money


@dataclass(frozen=True, slots=True)
class TopUpOrder:
    """Money asked from a payer's bank account."""

    topup_id: str
    account: str
    amount: Money


@dataclass(frozen=True, slots=True)
class TopUpAnswer:
    """The channel's final word. ``settlement_date`` is the channel's business day."""

    topup_id: str
    state: Literal["succeeded", "failed"]
    reason: str
    settlement_date: str
