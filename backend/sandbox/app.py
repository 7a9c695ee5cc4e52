"""The sandbox over HTTP: signed routes for institutions, plain ones for whoever runs the test.

Signed (both ways, `backend/channels/signed_http.py`): ``/bank/…``, ``/channel/…`` (top-ups),
``/card/…`` and ``/fund/…`` (payments).
Plain, on the loopback: ``/control/…`` opens accounts, moves the clock, arms faults, charges back.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from backend.channels import day_file, iso20022, signed_http
from backend.channels.day_file import DayRow
from backend.channels.model import TopUpAnswer, TopUpOrder
from backend.sandbox.bank import Bank
from backend.sandbox.channels import ChannelName, Channels, ChargebackBody, china_day
from backend.sandbox.faults import Faults, FaultSettings
from protocol.clock import Clock
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError, TillwayError
from protocol.messages.base import CurrencyText, Minor, Name, PositiveMinor
from protocol.money import Money

BODY_BYTES_MAX = 8 * 1024 * 1024
SLOW_ANSWER_S = 1
OWN_ACCOUNT = "OWN-TILLWAY"
_log = structlog.get_logger()
Answer = tuple[int, bytes, str]


class TopUpBody(BaseModel):
    """A top-up order."""

    model_config = ConfigDict(strict=True, extra="forbid")

    topup_id: Name
    account: Name
    amount_minor: PositiveMinor
    currency: CurrencyText


class AccountBody(BaseModel):
    """An account to open."""

    model_config = ConfigDict(extra="forbid")

    account: Name
    name: Name
    currency: CurrencyText = "CNY"
    opening_minor: Minor = 0


class TokenBody(BaseModel):
    """What a channel calls a payer's account."""

    model_config = ConfigDict(extra="forbid")

    channel: ChannelName
    token: Name
    account: Name


class ClockBody(BaseModel):
    """How far to move the sandbox's own clock."""

    advance_ms: int = Field(ge=0, le=400 * 86_400_000)


class Institutions:
    """The bank, the channel, their clock, their faults and whose signatures they know."""

    def __init__(
        self,
        *,
        bank: Bank,
        clock: Clock,
        key: SigningKey,
        peers: Mapping[str, VerifyKey],
        reserve_account: str,
        own_account: str = OWN_ACCOUNT,
    ) -> None:
        self.bank = bank
        self.faults = Faults()
        self.late: list[Callable[[], Answer]] = []
        """Requests that the fault ``arrive_late`` keeps on the way."""
        self.channels = Channels(
            bank, self.faults, reserve_account=reserve_account, own_account=own_account
        )
        self.key = key
        self.peers = dict(peers)
        self.reserve_account = reserve_account
        self._clock = clock
        self._offset_ms = 0

    def now_ms(self) -> int:
        """The sandbox's own time."""
        return self._clock.now_ms() + self._offset_ms

    def advance(self, advance_ms: int) -> None:
        """Move the sandbox's clock forward."""
        self._offset_ms += advance_ms

    def today(self) -> date:
        """The business day, in China's time."""
        return china_day(self.now_ms())

    def instruct(self, body: bytes) -> Answer:
        """``POST /bank/instructions``: pain.001 in, pain.002 out."""
        instruction = iso20022.read_instruction(body)
        if self.faults.strikes("reject_payout"):
            nowhere = tuple(
                replace(transfer, creditor_account="NO-SUCH-ACCOUNT")
                for transfer in instruction.transfers
            )
            instruction = replace(instruction, transfers=nowhere)
        at_ms = self.now_ms()
        answer = self.bank.execute(instruction, body, day=self.today(), at_ms=at_ms)
        return 200, answer, "application/xml"

    def query(self, message_id: str) -> Answer:
        """``GET /bank/instructions/{id}``: the pain.002 again, 404 if it never arrived."""
        report = self.bank.status(message_id)
        if report is None:
            return 404, b"", "application/xml"
        return 200, iso20022.write_status_report(report), "application/xml"

    def statement(self, account: str, day: date) -> Answer:
        """``GET /bank/accounts/{account}/statements/{day}``: camt.053."""
        self.channels.close_days(self.now_ms())
        page = self.bank.statement(account, day=day, at_ms=self.now_ms())
        return 200, iso20022.write_statement(page), "application/xml"

    def top_up(self, body: bytes) -> Answer:
        """``POST /channel/topups``."""
        try:
            order = TopUpBody.model_validate_json(body)
        except ValueError:
            raise CallerError("field_invalid") from None
        amount = Money(order.amount_minor, order.currency)
        result = self.bank.top_up(
            TopUpOrder(order.topup_id, order.account, amount), day=self.today()
        )
        return _top_up_said(result)

    def top_up_result(self, topup_id: str) -> Answer:
        """``GET /channel/topups/{id}``."""
        result = self.bank.top_up_result(topup_id)
        if result is None:
            return 404, b"{}", "application/json"
        return _top_up_said(result)

    def settle(self, day: date) -> Answer:
        """``POST /channel/days/{day}/settlement``: pay the day into the reserve."""
        total = self.bank.settle_channel(self.reserve_account, day=day, booked_on=self.today())
        body = JSONResponse(
            {"reference": f"STL-BANK-{day:%Y%m%d}", "amount_minor": total.amount_minor}
        ).body
        return 200, bytes(body), "application/json"

    def file(self, day: date) -> Answer:
        """``GET /channel/days/{day}/file``."""
        return self._file(day, self.bank.day_rows(day))

    def channel_file(self, name: ChannelName, day: date) -> Answer:
        """``GET /{channel}/days/{day}/file``."""
        return self._file(day, self.channels.rows(name, day))

    def _file(self, day: date, rows: list[DayRow]) -> Answer:
        return 200, b"".join(day_file.write_day_file(day, self._faulty(rows))), "text/csv"

    def _faulty(self, rows: list[DayRow]) -> list[DayRow]:
        if rows and self.faults.strikes("file_amount_off_by_one"):
            amount = rows[0].amount
            rows[0] = replace(rows[0], amount=Money(amount.amount_minor + 1, amount.currency))
        if rows and self.faults.strikes("file_row_missing"):
            del rows[-1]
        if rows and self.faults.strikes("file_row_twice"):
            rows.append(rows[0])
        return rows


def _top_up_said(result: TopUpAnswer) -> Answer:
    content = {
        "topup_id": result.topup_id,
        "state": result.state,
        "reason": result.reason,
        "day": result.settlement_date,
    }
    return 200, bytes(JSONResponse(content).body), "application/json"


def build_app(world: Institutions) -> FastAPI:
    """The HTTP face of the institutions."""
    app = FastAPI(title="Tillway sandbox institutions", docs_url=None, redoc_url=None)
    app.exception_handler(TillwayError)(_refuse)

    async def signed(request: Request, act: Callable[[bytes], Answer]) -> Response:
        return await _signed(world, request, act)

    @app.post("/bank/instructions")
    async def instruct(request: Request) -> Response:
        return await signed(request, world.instruct)

    @app.get("/bank/instructions/{message_id}")
    async def query(request: Request, message_id: str) -> Response:
        return await signed(request, lambda _: world.query(message_id))

    @app.get("/bank/accounts/{account}/statements/{day}")
    async def statement(request: Request, account: str, day: date) -> Response:
        return await signed(request, lambda _: world.statement(account, day))

    @app.post("/channel/topups")
    async def top_up(request: Request) -> Response:
        return await signed(request, world.top_up)

    @app.get("/channel/topups/{topup_id}")
    async def top_up_result(request: Request, topup_id: str) -> Response:
        return await signed(request, lambda _: world.top_up_result(topup_id))

    @app.post("/channel/days/{day}/settlement")
    async def settle(request: Request, day: date) -> Response:
        return await signed(request, lambda _: world.settle(day))

    @app.get("/channel/days/{day}/file")
    async def file(request: Request, day: date) -> Response:
        return await signed(request, lambda _: world.file(day))

    _add_channels(app, world)
    _add_control(app, world)
    return app


def _add_channels(app: FastAPI, world: Institutions) -> None:
    """A payment channel's routes, the same for each of them."""
    channels = world.channels

    async def signed(request: Request, act: Callable[[bytes], Answer]) -> Response:
        channels.close_days(world.now_ms())
        return await _signed(world, request, act)

    @app.post("/{name}/orders")
    async def pay(request: Request, name: ChannelName) -> Response:
        return await signed(request, lambda body: channels.pay(name, body, world.now_ms()))

    @app.get("/{name}/orders/{order_id}")
    async def order(request: Request, name: ChannelName, order_id: str) -> Response:
        return await signed(request, lambda _: channels.order(name, order_id))

    @app.post("/{name}/orders/{order_id}/reversal")
    async def reverse(request: Request, name: ChannelName, order_id: str) -> Response:
        return await signed(request, lambda _: channels.reverse(name, order_id, world.now_ms()))

    @app.post("/{name}/refunds")
    async def refund(request: Request, name: ChannelName) -> Response:
        return await signed(request, lambda body: channels.refund(name, body, world.now_ms()))

    @app.get("/{name}/refunds/{refund_id}")
    async def refund_result(request: Request, name: ChannelName, refund_id: str) -> Response:
        return await signed(request, lambda _: channels.refund_result(name, refund_id))

    @app.post("/{name}/days/{day}/settlement")
    async def settle(request: Request, name: ChannelName, day: date) -> Response:
        return await signed(request, lambda _: channels.settle(name, day, world.now_ms()))

    @app.get("/{name}/days/{day}/file")
    async def file(request: Request, name: ChannelName, day: date) -> Response:
        return await signed(request, lambda _: world.channel_file(name, day))


def _add_control(app: FastAPI, world: Institutions) -> None:
    @app.post("/control/accounts")
    async def open_account(body: AccountBody) -> dict[str, str]:
        opening = Money(body.opening_minor, body.currency)
        world.bank.open_account(body.account, body.name, opening, day=world.today())
        return {"account": body.account}

    @app.get("/control/accounts/{account}")
    async def balance(account: str) -> dict[str, object]:
        world.channels.close_days(world.now_ms())
        found = world.bank.balance(account)
        return {"balance_minor": found.amount_minor, "currency": found.currency}

    @app.get("/control/accounts/{account}/statements/{day}")
    async def statement(account: str, day: date) -> Response:
        _, content, media_type = world.statement(account, day)
        return Response(content, media_type=media_type)

    @app.post("/control/tokens")
    async def bind(body: TokenBody) -> dict[str, str]:
        world.channels.books[body.channel].bind(body.token, body.account)
        return {"token": body.token}

    @app.post("/control/chargebacks")
    async def charge_back(body: ChargebackBody) -> dict[str, str]:
        world.channels.close_days(world.now_ms())
        return {"case_id": body.case_id, "day": world.channels.charge_back(body, world.now_ms())}

    @app.post("/control/late")
    async def deliver_late() -> dict[str, int]:
        """Let the requests that were kept on the way arrive."""
        kept, world.late = world.late, []
        for act in kept:
            act()
        return {"delivered": len(kept)}

    @app.post("/control/clock")
    async def clock(body: ClockBody) -> dict[str, object]:
        world.advance(body.advance_ms)
        return {"now_ms": world.now_ms(), "day": world.today().isoformat()}

    @app.post("/control/faults")
    async def faults(body: FaultSettings) -> dict[str, int]:
        world.faults.set(body)
        return world.faults.as_dict()

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "ok"}


async def _signed(
    world: Institutions, request: Request, act: Callable[[bytes], Answer]
) -> Response:
    """Check the peer's signature, act, sign the answer; strike the faults that are due."""
    if world.faults.strikes("be_down"):
        return Response(status_code=503)
    body = await _read(request)
    signature = signed_http.check_request(
        world.peers, request.headers, method=request.method, path=request.url.path, body=body
    )
    if request.method == "POST" and world.faults.strikes("arrive_late"):
        world.late.append(partial(act, body))
        return Response(status_code=504)
    status, answer, media_type = act(body)
    if world.faults.strikes("run_twice"):
        status, answer, media_type = act(body)
    if world.faults.strikes("answer_slowly"):
        await asyncio.sleep(SLOW_ANSWER_S)
    if world.faults.strikes("drop_answer_after_commit"):
        _log.info("fault_struck", fault="drop_answer_after_commit", path=request.url.path)
        return Response(status_code=504)
    headers = signed_http.response_headers(
        world.key, status=status, request_signature=signature, body=answer
    )
    if world.faults.strikes("bad_signature"):
        headers[signed_http.SIGNATURE_HEADER] = "AAAA"
    return Response(answer, status, headers, media_type)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise CallerError("file_rejected", "too large")
    return bytes(body)


async def _refuse(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, TillwayError)
    status = 401 if error.code == "signature_invalid" else 400
    return JSONResponse(error.to_wire() | {"detail": error.detail}, status)
