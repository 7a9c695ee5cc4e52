"""Which bill a merchant's program may have, and the ticket it is downloaded with. Pure.

Rule 1: there are bills of days that are over, for three months; of one that is not, or whose
        clearing is not done, there is none yet.
Rule 2: a ticket says all of what was asked for and is authenticated by a key of the installation,
        so nothing is kept between the two calls and any process of the backend may answer them.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum

from backend.merchant_api.faults import NO_AUTH, STATEMENT_CREATING, ApiError, wrong_field
from backend.merchant_api.limits import BILL_AGE_DAYS_MAX, BILL_TICKET_LIFE_MS

_MAC_BYTES = 32


class BillKind(StrEnum):
    """The two bills."""

    TRADE = "trade"
    FUND_FLOW = "fund_flow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What may be downloaded, by whom and until when."""

    mchid: str
    sub_mchid: str
    """For whom it was asked; empty: for the caller."""
    kind: BillKind
    day: str
    bill_type: str
    """Of a trade bill."""
    expires_at_ms: int

    @property
    def date(self) -> date:
        """The bill's day."""
        return date.fromisoformat(self.day)


def expiry(now_ms: int) -> int:
    """Until when a ticket that is given now counts."""
    return now_ms + BILL_TICKET_LIFE_MS


def seal_ticket(key: bytes, ticket: Ticket) -> str:
    """The token: letters, digits, ``-`` and ``_`` only."""
    plain = json.dumps(asdict(ticket), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(key, plain) + plain).decode("ascii").rstrip("=")


def open_ticket(key: bytes, token: str, *, mchid: str, now_ms: int) -> Ticket:
    """The ticket of a token. ``PARAM_ERROR`` for one that we did not give or whose time is over,
    ``NO_AUTH`` for another merchant number's."""
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refused("token 无效") from None
    mac, plain = data[:_MAC_BYTES], data[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, plain)):
        raise _refused("token 无效")
    values = json.loads(plain)
    ticket = Ticket(**values | {"kind": BillKind(values["kind"])})
    if ticket.mchid != mchid:
        raise ApiError(NO_AUTH, "账单下载地址属于其他商户号")
    if now_ms >= ticket.expires_at_ms:
        raise _refused("token 已过期，请重新申请账单")
    return ticket


def check_day(day: date, today: date) -> None:
    """``PARAM_ERROR`` for a day to come or too long ago, ``STATEMENT_CREATING`` for today."""
    if day == today:
        raise ApiError(STATEMENT_CREATING)
    if not 0 < (today - day).days <= BILL_AGE_DAYS_MAX:
        raise wrong_field("/bill_date", "仅支持三个月内、今天以前的日期", location="query")


def _mac(key: bytes, plain: bytes) -> bytes:
    return hmac.digest(key, plain, hashlib.sha256)


def _refused(issue: str) -> ApiError:
    return wrong_field("/token", issue, location="query")
