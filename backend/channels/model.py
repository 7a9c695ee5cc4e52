"""Values that go to channels and come back. Pure."""

from dataclasses import dataclass
from typing import Literal

from protocol.money import Money

TOPUPS = "BANK"
"""The channel that payers' top-ups come through."""
CARD, ADVANCING_BANK, FUND, ECNY = "CARD", "ADVBANK", "FUND", "ECNY"
"""The channels that payers' money comes through: a card's bank, the bank that advances what a
money-market fund redeems, and the fund itself, which pays us a day later what we have advanced.
The first two name the accounts ``CH:<channel>.<settlement date>``. The e-CNY operator owes nothing:
what is paid lies in our wallet there (account ``ECNY``) and is changed into the reserve daily."""

ChannelState = Literal["succeeded", "refused", "reversed"]


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


@dataclass(frozen=True, slots=True)
class PayOrder:
    """Money asked of a payer's instrument. ``token`` is the channel's own name for it."""

    order_id: str
    token: str
    amount: Money


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """A part of an order's money, on its way back to where it came from."""

    refund_id: str
    order_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class ChannelAnswer:
    """The channel's word on an order, a reversal or a refund.

    ``settlement_date`` is the channel's business day, never ours. A reversal is *reversed* or
    *refused* (it is settled already; then the date is that of the order).
    """

    order_id: str
    state: ChannelState
    reason: str
    reference: str
    settlement_date: str
