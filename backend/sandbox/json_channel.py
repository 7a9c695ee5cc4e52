"""A payment channel over signed HTTP, in JSON: for institutions whose own interface nobody has
published (a fund's bank, the e-CNY operator).

``POST /{name}/orders``, ``GET …/orders/{id}``, ``POST …/orders/{id}/reversal``, ``POST …/refunds``,
``GET …/refunds/{id}``, ``GET …/numbers/{number}``, ``POST …/days/{day}/settlement``,
``GET …/days/{day}/file``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from backend.channels import day_file
from backend.channels.model import ChannelAnswer, PayOrder, RefundOrder
from backend.sandbox.institution.faults import spoil_rows
from backend.sandbox.institution.house import Answer, House
from backend.sandbox.institution.orders import OVERCHARGES, OrderBook
from backend.sandbox.institution.own_clock import china_day
from backend.sandbox.institution.signed import answer_signed
from protocol.errors import CallerError
from protocol.messages.base import CurrencyText, Name, PositiveMinor
from protocol.money import Money

REFUSALS = ("refuse_order", "refuse_refund", *OVERCHARGES)
"""The faults that a channel has beside the common ones."""
_Body = TypeVar("_Body", bound=BaseModel)


class PayBody(BaseModel):
    """An order."""

    model_config = ConfigDict(strict=True, extra="forbid")

    order_id: Name
    token: Name
    amount_minor: PositiveMinor
    currency: CurrencyText


class RefundBody(BaseModel):
    """A refund of an order, which is named by its id or by the channel's number."""

    model_config = ConfigDict(strict=True, extra="forbid")

    refund_id: Name
    order_id: Name | None = None
    number: Name | None = None
    amount_minor: PositiveMinor
    currency: CurrencyText


class ChargebackBody(BaseModel):
    """A lost dispute, under the payment institution's id for the case."""

    model_config = ConfigDict(extra="forbid")

    channel: Literal["fund", "advance"]
    case_id: Name
    order_id: Name
    amount_minor: PositiveMinor
    currency: CurrencyText = "CNY"


@dataclass(frozen=True, slots=True)
class JsonChannel:
    """One order book as its channel's requests see it. ``close_days`` does what is due at the
    cut-offs that have passed; it comes before anything that is asked. ``day_of`` tells the
    channel's business day of a moment."""

    house: House
    book: OrderBook
    close_days: Callable[[], None]
    day_of: Callable[[int], date] = china_day

    def pay(self, body: bytes) -> Answer:
        """Take an order's money."""
        wanted = _parsed(PayBody, body)
        order = PayOrder(wanted.order_id, wanted.token, Money(wanted.amount_minor, wanted.currency))
        refuse = self.house.faults.strikes("refuse_order")
        day = self._day()
        answer = self.book.pay(order, day=day, refuse=refuse)
        if answer.state == "succeeded":
            self.book.overcharge(order, self.house.faults, day=day)
        return self._said(answer)

    def order(self, order_id: str) -> Answer:
        """What became of an order."""
        return self._said(self.book.order(order_id))

    def find(self, number: str) -> Answer:
        """What stands under the channel's own number."""
        known = self.book.order(self.book.order_of(number))
        return self._said(None if known is None else replace(known, order_id=number))

    def reverse(self, order_id: str) -> Answer:
        """Undo an order."""
        day = self.day_of(self.house.clock.now_ms())
        return self._said(self.book.reverse(order_id, day=day))

    def refund(self, body: bytes) -> Answer:
        """Give a part of an order back."""
        wanted = _parsed(RefundBody, body)
        amount = Money(wanted.amount_minor, wanted.currency)
        order_id = wanted.order_id or self.book.order_of(wanted.number or "")
        asked = RefundOrder(wanted.refund_id, order_id, amount)
        refuse = self.house.faults.strikes("refuse_refund")
        return self._said(self.book.refund(asked, day=self._day(), refuse=refuse))

    def refund_result(self, refund_id: str) -> Answer:
        """What became of a refund."""
        return self._said(self.book.refund_result(refund_id))

    def charge_back(self, wanted: ChargebackBody) -> str:
        """The payer's side wins a dispute: the money is kept back on the channel's present day."""
        amount, day = Money(wanted.amount_minor, wanted.currency), self._day()
        return self.book.charge_back(wanted.case_id, wanted.order_id, amount, day=day)

    def settle(self, day: date) -> Answer:
        """A day's net; the day must be over, and is closed with it."""
        if day >= self.day_of(self.house.clock.now_ms()):
            raise CallerError("day_not_closed", day.isoformat())
        return said({"net_minor": self.book.net(day)})

    def file(self, day: date) -> Answer:
        """The channel's own list of a day."""
        rows = spoil_rows(self.house.faults, self.book.rows(day))
        return 200, b"".join(day_file.write_day_file(day, rows)), "text/csv"

    def _day(self) -> date:
        return self.day_of(self.house.booking_ms())

    def _said(self, answer: ChannelAnswer | None) -> Answer:
        if answer is None:
            return 404, b"{}", "application/json"
        is_odd = self.house.faults.strikes("unknown_status")
        return said(
            {
                "order_id": answer.order_id,
                "state": "accepted" if is_odd else answer.state,
                "reason": answer.reason,
                "reference": answer.reference,
                "day": answer.settlement_date,
            }
        )


def said(content: dict[str, object]) -> Answer:
    """A JSON answer."""
    return 200, bytes(JSONResponse(content).body), "application/json"


def add_channel(app: FastAPI, name: str, channel: JsonChannel) -> None:
    """Mount a channel's routes below ``/{name}``."""

    async def signed(request: Request, act: Callable[[bytes], Answer]) -> Response:
        channel.close_days()
        return await answer_signed(channel.house, request, act)

    @app.post(f"/{name}/orders")
    async def pay(request: Request) -> Response:
        return await signed(request, channel.pay)

    @app.get(f"/{name}/orders/{{order_id}}")
    async def order(request: Request, order_id: str) -> Response:
        return await signed(request, lambda _: channel.order(order_id))

    @app.post(f"/{name}/orders/{{order_id}}/reversal")
    async def reverse(request: Request, order_id: str) -> Response:
        return await signed(request, lambda _: channel.reverse(order_id))

    @app.post(f"/{name}/refunds")
    async def refund(request: Request) -> Response:
        return await signed(request, channel.refund)

    @app.get(f"/{name}/refunds/{{refund_id}}")
    async def refund_result(request: Request, refund_id: str) -> Response:
        return await signed(request, lambda _: channel.refund_result(refund_id))

    @app.get(f"/{name}/numbers/{{number}}")
    async def find(request: Request, number: str) -> Response:
        return await signed(request, lambda _: channel.find(number))

    @app.post(f"/{name}/days/{{day}}/settlement")
    async def settle(request: Request, day: date) -> Response:
        return await signed(request, lambda _: channel.settle(day))

    @app.get(f"/{name}/days/{{day}}/file")
    async def file(request: Request, day: date) -> Response:
        return await signed(request, lambda _: channel.file(day))


def _parsed(model: type[_Body], body: bytes) -> _Body:
    try:
        return model.model_validate_json(body)
    except ValidationError:
        raise CallerError("field_invalid") from None
