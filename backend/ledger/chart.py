"""The chart of accounts: two books that never share an account.

Book C is client money, everything the central-bank reserve account mirrors. Book O is our own.
They meet only in two mirrored pairs, each always equal: C:UNSWEPT = O:DUE_CLIENT (ours, still in
the reserve) and C:OWN_DUE = O:OWN_PAYABLE (promised to the reserve, not yet there). Book M is memo.

An account's id tells all about it, so that it opens on first use and reads need no lookup:
``<book>:<code>:<currency>`` or ``<book>:<code>:<owner>:<currency>``, as ``C:CUST:usr_7:CNY``.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from backend.ledger.model import Account, Side
from protocol.errors import CallerError
from protocol.money import MINOR_DIGITS


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of the chart. ``floor_minor`` None: the balance may take either sign."""

    number: str
    book: str
    code: str
    side: Side
    floor_minor: int | None
    is_owned: bool
    title: str


_FREE = None
_HEADINGS = (
    Heading("1001", "C", "RESERVE", "debit", 0, False, "备付金集中存管账户 reserve account"),
    Heading("1101", "C", "CH", "debit", _FREE, True, "channel in transit, per settlement date"),
    Heading("1105", "C", "NOSTRO", "debit", 0, False, "nostro of this currency"),
    Heading("1105", "C", "FXPOS", "debit", _FREE, False, "exchange position"),
    Heading("1106", "C", "ECNY", "debit", _FREE, False, "institution's e-CNY wallet"),
    Heading("1107", "C", "OWN_DUE", "debit", _FREE, False, "own money promised to the reserve"),
    Heading(
        "1108", "C", "XSHARD", "debit", _FREE, True, "between two shards, by the other's number"
    ),
    Heading("1201", "C", "SHORT", "debit", 0, False, "短款待处理 short"),
    Heading("2001", "C", "CUST", "credit", 0, True, "零钱 payer's balance"),
    Heading("2002", "C", "MPEND", "credit", 0, True, "商户待结算 merchant, pending"),
    Heading("2003", "C", "MAVAIL", "credit", 0, True, "商户可用 merchant, available"),
    Heading("2004", "C", "PAYOUT", "credit", 0, False, "payout in transit"),
    Heading("2005", "C", "REFUND", "credit", 0, False, "refund in transit"),
    Heading("2006", "C", "LONG", "credit", 0, False, "长款挂账 long"),
    Heading("2007", "C", "REDPKT", "credit", 0, False, "red packets held"),
    Heading("2009", "C", "ESCROW", "credit", 0, True, "prepaid contract"),
    Heading("2010", "C", "DISPUTE", "credit", 0, True, "dispute hold"),
    Heading("2011", "C", "SHARE", "credit", 0, True, "待分账 frozen for sharing, per payment"),
    Heading("2012", "C", "STOCK", "credit", 0, True, "代金券预充值 set aside for coupons"),
    Heading("2901", "C", "UNSWEPT", "credit", _FREE, False, "fees earned, still in the reserve"),
    Heading("1002", "O", "OWN", "debit", _FREE, False, "own bank account"),
    Heading("1103", "O", "ADVANCE", "debit", _FREE, False, "垫付 advance receivable"),
    Heading("1104", "O", "MERCH_RECV", "debit", 0, True, "receivable from a merchant"),
    Heading("1901", "O", "DUE_CLIENT", "debit", _FREE, False, "mirrors UNSWEPT"),
    Heading("2101", "O", "COST_PAYABLE", "credit", _FREE, False, "channel cost payable"),
    Heading("2102", "O", "OWN_PAYABLE", "credit", _FREE, False, "mirrors OWN_DUE"),
    Heading("3001", "O", "CAPITAL", "credit", _FREE, False, "capital"),
    Heading("4001", "O", "MDR", "credit", _FREE, False, "merchant discount"),
    Heading("4002", "O", "WITHDRAWAL_FEE", "credit", _FREE, False, "withdrawal fees"),
    Heading("4003", "O", "CPS", "credit", _FREE, False, "cost-per-sale income"),
    Heading("4004", "O", "SAAS", "credit", _FREE, False, "software and API fees"),
    Heading("4005", "O", "FX_SPREAD", "credit", _FREE, False, "exchange spread"),
    Heading("4006", "O", "ADVANCE_FEE", "credit", _FREE, False, "advance fees"),
    Heading("4007", "O", "INTEREST", "credit", _FREE, False, "备付金利息 interest on the reserve"),
    Heading("5001", "O", "CHANNEL_COST", "debit", _FREE, False, "channel cost"),
    Heading("5002", "O", "PROMO", "debit", _FREE, False, "promotion"),
    Heading("5003", "O", "LOSS", "debit", _FREE, False, "loss"),
    Heading("5004", "O", "ROUNDING", "debit", _FREE, False, "rounding"),
    Heading("9001", "M", "FUND_ADVANCED", "debit", _FREE, True, "bank-funded advances, memo"),
    Heading("9002", "M", "FUND_OWED", "credit", _FREE, True, "contra of the memo"),
)
ECNY_CHANNEL = "ECNY"
HEADINGS = {(heading.book, heading.code): heading for heading in _HEADINGS}
MIRRORS = (("UNSWEPT", "DUE_CLIENT"), ("OWN_DUE", "OWN_PAYABLE"))
"""Of client money, and of our own: the pairs by which the two books meet."""
CLIENT_ASSETS = tuple(h.code for h in _HEADINGS if h.book == "C" and h.side == "debit")
CLIENT_LIABILITIES = tuple(h.code for h in _HEADINGS if h.book == "C" and h.side == "credit")

_OWNER = re.compile(r"[A-Za-z0-9_.#-]{1,64}")
_IDS_CACHED = 65_536


@lru_cache(maxsize=_IDS_CACHED)
def account(account_id: str) -> Account:
    """What the id says; ``account_unknown`` if the chart has no such account."""
    parts = account_id.split(":")
    heading = HEADINGS.get((parts[0], parts[1])) if len(parts) in (3, 4) else None
    if heading is None or heading.is_owned != (len(parts) == 4):
        raise CallerError("account_unknown", account_id)
    owner = parts[2] if heading.is_owned else ""
    currency = parts[-1]
    if currency not in MINOR_DIGITS or (heading.is_owned and not _OWNER.fullmatch(owner)):
        raise CallerError("account_unknown", account_id)
    return Account(
        id=account_id,
        book=heading.book,
        code=heading.code,
        owner=owner,
        currency=currency,
        side=heading.side,
        floor_minor=heading.floor_minor,
    )


def client(code: str, currency: str) -> str:
    """An account of client money that has no owner, as ``C:RESERVE:CNY``."""
    return f"C:{code}:{currency}"


def own(code: str, currency: str) -> str:
    """An account of our own money, as ``O:OWN:CNY``."""
    return f"O:{code}:{currency}"


def customer(user_id: str, currency: str) -> str:
    """A payer's balance (零钱)."""
    return f"C:CUST:{user_id}:{currency}"


def merchant_pending(merchant_id: str, currency: str) -> str:
    """What a merchant has earned and not yet been settled. May be sharded: ``<id>#<n>``."""
    return f"C:MPEND:{merchant_id}:{currency}"


def merchant_available(merchant_id: str, currency: str) -> str:
    """What a merchant can have paid out."""
    return f"C:MAVAIL:{merchant_id}:{currency}"


def channel(channel_id: str, settlement_date: str, currency: str) -> str:
    """Where a channel's money of one settlement date (``YYYY-MM-DD``) stands until the reserve has
    it: what the channel owes us (or we it). The e-CNY operator owes nothing, because its payments
    are final at once: theirs is the wallet itself, one account for all dates."""
    if channel_id == ECNY_CHANNEL:
        return client("ECNY", currency)
    return f"C:CH:{channel_id}.{settlement_date}:{currency}"


def merchant_of(owner: str) -> str:
    """The merchant of a pending account's owner, which may be a shard."""
    return owner.partition("#")[0]


def merchant_receivable(merchant_id: str, currency: str) -> str:
    """What a merchant owes us, because we covered it."""
    return f"O:MERCH_RECV:{merchant_id}:{currency}"


def dispute(case_id: str, currency: str) -> str:
    """What is put aside for a dispute until it is decided."""
    return f"C:DISPUTE:{case_id}:{currency}"


def escrow(contract_id: str, currency: str) -> str:
    """What a payer has prepaid for a contract."""
    return f"C:ESCROW:{contract_id}:{currency}"


def shared(payment_id: str, currency: str) -> str:
    """What of a payment is frozen until it has been shared out or released."""
    return f"C:SHARE:{payment_id}:{currency}"


def stock(stock_id: str, currency: str) -> str:
    """What a merchant has set aside for a stock of its coupons."""
    return f"C:STOCK:{stock_id}:{currency}"


def memo(code: str, owner: str, currency: str) -> str:
    """A memo account, as ``M:FUND_OWED:ADVBANK.2026-10-01:CNY``."""
    return f"M:{code}:{owner}:{currency}"
