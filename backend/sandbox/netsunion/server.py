"""The clearing house over HTTP: ``POST /epcc`` for members, plain control routes for the test.

Rule 1: nothing happens before the member's signature held; a message that cannot be taken is
        answered by a signed system code.
Rule 2: a fault strikes before, at or after the act, as it would on a real line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from backend.channels.epcc import day_text, frame, ids
from backend.channels.epcc.day_text import DayLine
from backend.channels.epcc.limits import MESSAGE_BYTES_MAX
from backend.channels.epcc.model import (
    FROM_INSTITUTION,
    SYSTEM_BAD_SIGNATURE,
    SYSTEM_MALFORMED,
    TO_INSTITUTION,
    AskDay,
    Header,
    Message,
    type_name,
)
from backend.channels.signed_http import by_kid
from backend.sandbox.institution import control as institution_control
from backend.sandbox.institution.house import Answer, House
from backend.sandbox.institution.orders import OVERCHARGES
from backend.sandbox.institution.program import Place, Running
from backend.sandbox.institution.reserve_line import ReserveLine
from backend.sandbox.institution.signed import new_app, read_body, strike
from backend.sandbox.netsunion.clearing_house import ClearingHouse, Members
from backend.sandbox.netsunion.desk import WRITING, Desk, refusal
from protocol.crypto.keys import VerifyKey
from protocol.errors import CallerError
from protocol.messages.base import Minor, Name, PositiveMinor
from protocol.money import Money

TRAFFIC_COUNT = 200
"""Payments a day among the other members, so that the net is of more than our own."""
OWN_FAULTS = ("refuse_order", "refuse_refund", "return_later", *OVERCHARGES)
_XML, _TEXT = "application/xml", "text/plain; charset=utf-8"
_Bank = Annotated[str, StringConstraints(pattern=r"^C[0-9A-Z]{13}$")]


class AccountBody(BaseModel):
    """A customer's account at a member bank."""

    model_config = ConfigDict(extra="forbid")

    account: Name
    name: Name
    bank: _Bank = "C1010411000013"
    opening_minor: Minor = 0


class TokenBody(BaseModel):
    """An agreement that is there without the two steps of its making."""

    model_config = ConfigDict(extra="forbid")

    token: Name
    account: Name


class DisputeBody(BaseModel):
    """A payer's bank disputes a payment."""

    model_config = ConfigDict(extra="forbid")

    case_id: Name
    order_id: Name
    amount_minor: PositiveMinor
    reason: Name = "goods_not_received"


class ChargebackBody(BaseModel):
    """A dispute that the payer's side has won."""

    model_config = ConfigDict(extra="forbid")

    case_id: Name
    order_id: Name
    amount_minor: PositiveMinor


def add_line(app: FastAPI, clearing: ClearingHouse, keys: Mapping[str, VerifyKey]) -> None:
    """Mount ``POST /epcc``. ``keys``: serial → the key of our payment institution."""
    house, desk = clearing.house, Desk(clearing)

    def key_of(issuer: str, serial: str) -> VerifyKey | None:
        return keys.get(serial) if issuer == ids.INSTITUTION else None

    @app.post(frame.PATH)
    async def epcc(request: Request) -> Response:
        if house.faults.strikes("be_down"):
            return Response(status_code=503)
        body = await read_body(request)
        try:
            header, message = frame.read(body[:MESSAGE_BYTES_MAX], key_of=key_of, key=house.key)
            _check_headers(request.headers, header)
        except CallerError as error:
            is_signature = error.code == "signature_invalid"
            code = SYSTEM_BAD_SIGNATURE if is_signature else SYSTEM_MALFORMED
            said = refusal(code, error.detail or error.code, frame.digest(body))
            return Response(_signed(house, "900", said, house.key.public), 200, None, _XML)
        number = header.message_type
        peer = keys[_serial(body)]
        if number == "341" and isinstance(message, AskDay):
            return StreamingResponse(_day(clearing, message.day), media_type=_TEXT)

        def act() -> Answer:
            answered, said = desk.answer(number, message, frame.digest(body))
            return 200, _signed(house, answered, said, peer), _XML

        answer = await strike(house, act, is_writing=number in WRITING)
        if answer is None:
            return Response(status_code=504)
        status, content, media_type = answer
        if house.faults.strikes("bad_signature"):
            content = content[: content.rindex(b"{S:")] + b"{S:AAAA}"
        return Response(content, status, None, media_type)


def add_control(app: FastAPI, clearing: ClearingHouse) -> None:
    """Mount ``/control/accounts``, ``/control/tokens``, ``/control/codes``, ``/control/texts``,
    ``/control/disputes`` and ``/control/chargebacks``."""

    @app.post("/control/accounts")
    async def open_account(body: AccountBody) -> dict[str, str]:
        opening = Money(body.opening_minor, "CNY")
        clearing.customers.open(body.account, body.name, body.bank, opening, day=clearing.today())
        return {"account": body.account}

    @app.get("/control/accounts/{account}")
    async def balance(account: str) -> dict[str, object]:
        found = clearing.house.books.balance(account)
        return {"balance_minor": found.amount_minor, "currency": found.currency}

    @app.post("/control/tokens")
    async def bind(body: TokenBody) -> dict[str, str]:
        clearing.book.bind(body.token, body.account)
        return {"token": body.token}

    @app.get("/control/codes/{trx_id}")
    async def code(trx_id: str) -> dict[str, str | None]:
        return {"code": clearing.customers.code_sent(trx_id)}

    @app.get("/control/texts/{account}")
    async def text(account: str) -> dict[str, str | None]:
        return {"code": clearing.customers.text_of(account)}

    @app.post("/control/disputes")
    async def dispute(body: DisputeBody) -> dict[str, str]:
        amount = Money(body.amount_minor, "CNY")
        day = clearing.dispute(body.case_id, body.order_id, amount, body.reason)
        return {"case_id": body.case_id, "day": day.isoformat()}

    @app.post("/control/chargebacks")
    async def charge_back(body: ChargebackBody) -> dict[str, str]:
        clearing.close_days()
        amount = Money(body.amount_minor, "CNY")
        day = clearing.book.charge_back(body.case_id, body.order_id, amount, day=clearing.today())
        return {"case_id": body.case_id, "day": day}


def build_app(clearing: ClearingHouse, keys: Mapping[str, VerifyKey]) -> FastAPI:
    """The clearing house's HTTP face, without what every institution has."""
    app = new_app("Clearing house of bank accounts")
    add_line(app, clearing, keys)
    add_control(app, clearing)
    return app


def _check_headers(said: Mapping[str, str], header: Header) -> None:
    if header.direction != FROM_INSTITUTION:
        raise CallerError("file_rejected", "Drctn: not from an institution")
    if said.get("MsgTp") != type_name(header.message_type):
        raise CallerError("file_rejected", "MsgTp: the HTTP header says something else")
    if said.get("OriIssrId") != header.issuer:
        raise CallerError("file_rejected", "OriIssrId: the HTTP header says something else")


def _serial(body: bytes) -> str:
    xml, _ = frame.split(body)
    return frame.serial(xml)


def _signed(house: House, number: str, said: Message, peer: VerifyKey) -> bytes:
    header = Header(house.clock.now_ms(), number, ids.CLEARING_HOUSE, TO_INSTITUTION)
    return frame.write(header, said, key=house.key, receiver=peer)


def _day(clearing: ClearingHouse, day: date) -> Iterator[bytes]:
    clearing.close_days()
    rows = _spoilt(clearing.house, list(clearing.lines(day)))
    return day_text.write(day, ids.INSTITUTION, rows, key=clearing.house.key)


def _spoilt(house: House, rows: list[DayLine]) -> list[DayLine]:
    """A day's rows with the faults of files that are due; an empty day waits for a fuller one."""
    if rows and house.faults.strikes("amount_off_by_one"):
        amount = rows[0].amount
        rows[0] = replace(rows[0], amount=Money(amount.amount_minor + 1, amount.currency))
    if rows and house.faults.strikes("row_missing"):
        del rows[-1]
    if rows and house.faults.strikes("row_twice"):
        rows.append(rows[0])
    return rows


def build(place: Place) -> Running:
    """The clearing house as an institution of its own; its members may be set by options."""
    house = place.furnish(faults=OWN_FAULTS)
    line = ReserveLine(place)
    clearing = ClearingHouse(house, Members(**{"traffic_count": TRAFFIC_COUNT, **place.options}))
    app = build_app(clearing, by_kid(*place.told))
    institution_control.add_control(app, house)

    async def time_passes() -> None:
        clearing.close_days()
        clearing.fail_accepted()
        await clearing.outbox.tell(line)

    house.time_passes = time_passes
    return Running(house, app, close=line.close)
