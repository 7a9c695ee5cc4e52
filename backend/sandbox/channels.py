"""The payment channels' signed routes, from JSON to orders and back."""

from datetime import date
from typing import Literal, TypeVar

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from backend.channels.day_file import DayRow
from backend.channels.model import FUND, ChannelAnswer, PayOrder, RefundOrder
from backend.sandbox.bank import Bank
from backend.sandbox.fund_days import FUND_COMPANY, FundTill, close_fund_days
from backend.sandbox.institution.faults import Faults
from backend.sandbox.institution.house import Answer
from backend.sandbox.institution.orders import OrderBook
from backend.sandbox.institution.own_clock import china_day
from protocol.errors import CallerError
from protocol.messages.base import CurrencyText, Name, PositiveMinor
from protocol.money import Money

ChannelName = Literal["fund", "advance"]
_Body = TypeVar("_Body", bound=BaseModel)


class PayBody(BaseModel):
    """An order."""

    model_config = ConfigDict(strict=True, extra="forbid")

    order_id: Name
    token: Name
    amount_minor: PositiveMinor
    currency: CurrencyText


class RefundBody(BaseModel):
    """A refund of an order."""

    model_config = ConfigDict(strict=True, extra="forbid")

    refund_id: Name
    order_id: Name
    amount_minor: PositiveMinor
    currency: CurrencyText


class ChargebackBody(BaseModel):
    """A lost dispute, under the payment institution's id for the case."""

    model_config = ConfigDict(extra="forbid")

    channel: ChannelName
    case_id: Name
    order_id: Name
    amount_minor: PositiveMinor
    currency: CurrencyText = "CNY"


class Channels:
    """The fund with its bank, and the fund that has none, a book each."""

    def __init__(
        self, bank: Bank, faults: Faults, *, reserve_account: str, own_account: str
    ) -> None:
        self._bank = bank
        self._faults = faults
        self._reserve = reserve_account
        self._own = own_account
        self.books: dict[ChannelName, OrderBook] = {
            "fund": OrderBook(bank, FundTill(bank)),
            "advance": OrderBook(bank, FundTill(bank, FUND)),
        }

    def close_days(self, now_ms: int) -> None:
        """Let the cut-offs that have passed have happened. Before anything else is asked."""
        fund = self.books["fund"]
        close_fund_days(self._bank, fund, reserve=self._reserve, today=china_day(now_ms))

    def pay(self, name: ChannelName, body: bytes, now_ms: int) -> Answer:
        """``POST /{channel}/orders``."""
        wanted = _parsed(PayBody, body)
        order = PayOrder(wanted.order_id, wanted.token, Money(wanted.amount_minor, wanted.currency))
        refuse = self._faults.strikes("refuse_order")
        return _said(self.books[name].pay(order, day=china_day(now_ms), refuse=refuse))

    def order(self, name: ChannelName, order_id: str) -> Answer:
        """``GET /{channel}/orders/{id}``."""
        return _said(self.books[name].order(order_id))

    def reverse(self, name: ChannelName, order_id: str, now_ms: int) -> Answer:
        """``POST /{channel}/orders/{id}/reversal``."""
        return _said(self.books[name].reverse(order_id, day=china_day(now_ms)))

    def refund(self, name: ChannelName, body: bytes, now_ms: int) -> Answer:
        """``POST /{channel}/refunds``."""
        wanted = _parsed(RefundBody, body)
        amount = Money(wanted.amount_minor, wanted.currency)
        asked = RefundOrder(wanted.refund_id, wanted.order_id, amount)
        refuse = self._faults.strikes("refuse_refund")
        return _said(self.books[name].refund(asked, day=china_day(now_ms), refuse=refuse))

    def refund_result(self, name: ChannelName, refund_id: str) -> Answer:
        """``GET /{channel}/refunds/{id}``."""
        return _said(self.books[name].refund_result(refund_id))

    def charge_back(self, wanted: ChargebackBody, now_ms: int) -> str:
        """The payer's side wins a dispute: the channel keeps the money back on its present day."""
        amount = Money(wanted.amount_minor, wanted.currency)
        day = china_day(now_ms)
        book = self.books[wanted.channel]
        return book.charge_back(wanted.case_id, wanted.order_id, amount, day=day)

    def settle(self, name: ChannelName, day: date, now_ms: int) -> Answer:
        """``POST /{channel}/days/{day}/settlement``: the fund without a bank pays a day that is
        over into our own account; a fund's bank has paid."""
        if day >= china_day(now_ms):
            raise CallerError("day_not_closed", day.isoformat())
        net, booked_on = self.books[name].net(day), china_day(now_ms)
        if name == "advance":
            self.books[name].settle(self._own, FUND_COMPANY, day=day, booked_on=booked_on)
        return 200, bytes(JSONResponse({"net_minor": net}).body), "application/json"

    def rows(self, name: ChannelName, day: date) -> list[DayRow]:
        """A channel's own list of a day."""
        return self.books[name].rows(day)


def _parsed(model: type[_Body], body: bytes) -> _Body:
    try:
        return model.model_validate_json(body)
    except ValidationError:
        raise CallerError("field_invalid") from None


def _said(answer: ChannelAnswer | None) -> Answer:
    if answer is None:
        return 404, b"{}", "application/json"
    content = {
        "order_id": answer.order_id,
        "state": answer.state,
        "reason": answer.reason,
        "reference": answer.reference,
        "day": answer.settlement_date,
    }
    return 200, bytes(JSONResponse(content).body), "application/json"
