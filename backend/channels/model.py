"""Values that go to channels and come back. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from protocol.money import Money

NUCC, CUP, ECNY = "NUCC", "CUP", "ECNY"
"""The clearing house of accounts (NetsUnion), the card network (UnionPay), and the operator of
e-CNY wallets, whose money is final at once."""
ALIPAY, CUP_QR = "ALIPAY", "CUPQR"
"""Other wallets (UnionPay's by its gateway for QR codes), whose payers we do not know: their code
is scanned, and asked for once."""
ADVANCING_BANK, FUND = "ADVBANK", "FUND"
"""The bank that advances what a money-market fund redeems, and the fund itself, which pays us a day
later what we have advanced. But for ``FUND`` and ``ECNY`` a channel's id names the accounts
``CH:<channel>.<settlement date>``. The e-CNY operator owes nothing: what is paid lies in our wallet
there (account ``ECNY``) and is changed into the reserve daily."""

ChannelState = Literal["succeeded", "refused", "reversed", "waiting"]
"""*waiting*: the channel has it, and is not done (its payer must confirm, say): ask again."""


OpenCode = Callable[[str, str], str]
"""The payer's code that was scanned, of an order's id and its token, in which it is sealed."""


@dataclass(frozen=True, slots=True)
class PayOrder:
    """Money asked of a payer's instrument. ``token`` is the channel's own name for it; an empty one
    asks another wallet to show a code of its own for whoever scans it.

    An order looks the same whenever it is told, asked about or reversed, so that an adapter can
    compute the channel's numbers from it. ``at_ms`` is when it was planned.
    """

    order_id: str
    token: str
    amount: Money
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """A part of an order's money, on its way back to where it came from.

    Of the order: its id, its token, when it was planned, and what the channel said of it: its
    reference and its business day (``YYYY-MM-DD``).
    """

    refund_id: str
    order_id: str
    amount: Money
    at_ms: int = 0
    token: str = ""
    order_amount_minor: int = 0
    order_at_ms: int = 0
    order_reference: str = ""
    order_settlement_date: str = ""
    is_by_reference: bool = False
    """The order is named by the channel's own number alone: what the channel has taken once too
    often, or without our asking. Then ``order_id`` is what its file calls it, and proves nothing.
    """


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """Money on its way to a payer's own bank account, which the channel knows by ``token``."""

    payout_id: str
    token: str
    holder: str
    amount: Money
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class ChannelAnswer:
    """The channel's word on an order, a reversal, a refund or a payout.

    ``order_id`` is the id that was asked about. ``settlement_date`` is the channel's business day,
    never ours. A reversal is *reversed* or *refused* (it is settled already; then the date is that
    of the order).
    """

    order_id: str
    state: ChannelState
    reason: str
    reference: str
    settlement_date: str
    payer: str = ""
    """Who has paid, masked by a channel whose payers we do not know; empty elsewhere."""
    shown_code: str = ""
    """Of an order without a token that waits: what its payer is to scan, or to open."""
