"""What merchants' programs ask of bills, as async calls."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import date

from backend.bills.paper import FRAME_LINES
from backend.bills.service import BillDesk, SpooledPaper
from backend.bills.trade import BillType
from backend.merchant_api.bills.model import (
    BillKind,
    Ticket,
    check_day,
    expiry,
    open_ticket,
    seal_ticket,
)
from backend.merchant_api.bills.repository import ProgramNames, opened_at_ms
from backend.merchant_api.faults import NO_STATEMENT_EXIST, STATEMENT_CREATING, ApiError
from backend.merchant_api.funds.schemas import AccountType
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.partners.desk import Appointments
from backend.payments.services import Services
from protocol.clock import Clock
from protocol.errors import CallerError

_TICKETS = b"tillway bill tickets 1"


@dataclass(frozen=True, slots=True)
class Promised:
    """A bill that can be downloaded: its SHA-1 (of the bytes before they are packed) in
    hexadecimal, and the token."""

    sha1: str
    token: str


class MerchantBills:
    """Serves merchants' programs. One per process; ``clock`` is the machine's."""

    def __init__(
        self,
        services: Services,
        appointments: Appointments,
        *,
        master_key: bytes,
        openid_key: bytes,
        clock: Clock,
    ) -> None:
        self._services = services
        self._appointments = appointments
        self._papers = BillDesk(reader=services.reader, day_offset_ms=services.rules.day_offset_ms)
        self._ticket_key = hmac.digest(master_key, _TICKETS, hashlib.sha256)
        self._openid_key = openid_key
        self._clock = clock

    async def acting(self, account: Account, sub_mchid: str | None) -> Account:
        """The caller as it asks for a merchant that it is appointed for; ``NO_AUTH`` otherwise."""
        return await self._appointments.acting(account, sub_mchid)

    async def trade(self, account: Account, day: date, bill_type: BillType) -> SpooledPaper:
        """The trade bill. ``STATEMENT_CREATING`` while the day's clearing is not done,
        ``NO_STATEMENT_EXIST`` where the bill would have no line."""
        naming = ProgramNames(self._openid_key, account)
        try:
            await self._check(account, day)
            paper = await self._papers.trade_bill(account.merchant_id, day, bill_type, naming)
        except CallerError as error:
            raise _in_their_words(error) from None
        return _with_lines(paper)

    async def fund_flow(self, account: Account, day: date, kind: AccountType) -> SpooledPaper:
        """The fund-flow bill; refused as ``trade``. All of a merchant's money is in the basic
        account, so nothing ever moves in the two others."""
        naming = ProgramNames(self._openid_key, account)
        try:
            await self._check(account, day)
            if kind != "BASIC":
                raise ApiError(NO_STATEMENT_EXIST)
            paper = await self._papers.fund_flow(account.merchant_id, day, naming)
        except CallerError as error:
            raise _in_their_words(error) from None
        return _with_lines(paper)

    def promise(
        self, account: Account, paper: SpooledPaper, *, kind: BillKind, day: date, bill_type: str
    ) -> Promised:
        """Write a paper off and give a ticket for it."""
        paper.spool.close()
        ticket = Ticket(
            mchid=account.mchid,
            sub_mchid=account.sub_mchid,
            kind=kind,
            day=f"{day}",
            bill_type=bill_type,
            expires_at_ms=expiry(self._clock.now_ms()),
        )
        return Promised(paper.sha1, seal_ticket(self._ticket_key, ticket))

    async def download(self, account: Account, token: str) -> SpooledPaper:
        """The paper of a ticket, the same bytes as when it was promised."""
        now_ms = self._clock.now_ms()
        ticket = open_ticket(self._ticket_key, token, mchid=account.mchid, now_ms=now_ms)
        if ticket.sub_mchid:
            account = await self.acting(account, ticket.sub_mchid)
        if ticket.kind is BillKind.FUND_FLOW:
            return await self.fund_flow(account, ticket.date, "BASIC")
        return await self.trade(account, ticket.date, BillType(ticket.bill_type))

    async def _check(self, account: Account, day: date) -> None:
        business_date = self._services.rules.business_date
        check_day(day, date.fromisoformat(business_date(self._services.clock.now_ms())))
        opened_ms: int = await self._services.run_read(
            lambda: opened_at_ms(self._services.reader, account.merchant_id)
        )
        if f"{day}" < business_date(opened_ms):
            raise ApiError(NO_STATEMENT_EXIST)


def _in_their_words(error: CallerError) -> CallerError:
    return ApiError(STATEMENT_CREATING) if error.code == "bill_not_ready" else error


def _with_lines(paper: SpooledPaper) -> SpooledPaper:
    if paper.line_count == FRAME_LINES:
        paper.spool.close()
        raise ApiError(NO_STATEMENT_EXIST)
    return paper
