"""The switch over HTTP: its day files, signed, and the plain routes of whoever runs the test."""

from datetime import date

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from backend.sandbox.institution.control import add_control
from backend.sandbox.institution.house import Answer
from backend.sandbox.institution.signed import answer_signed, new_app
from backend.sandbox.unionpay.day_files import day_file
from backend.sandbox.unionpay.switch import Switch
from protocol.errors import CallerError
from protocol.messages.base import Minor, Name, PositiveMinor
from protocol.money import Money


class CardBody(BaseModel):
    """A card to issue, and what the switch calls it."""

    model_config = ConfigDict(extra="forbid")

    account: Name
    name: Name
    token: Name
    opening_minor: Minor = 0


class ChargebackBody(BaseModel):
    """A lost dispute, under the payment institution's id for the case."""

    model_config = ConfigDict(extra="forbid")

    case_id: Name
    order_id: Name
    amount_minor: PositiveMinor


def build_app(switch: Switch) -> FastAPI:
    """The switch's HTTP face."""
    app = new_app("UnionPay switch")
    house = switch.house
    add_control(app, house)

    @app.get("/days/{day}/file")
    async def file(request: Request, day: date) -> Response:
        def act(_body: bytes) -> Answer:
            switch.close_days()
            if day >= switch.day():
                raise CallerError("day_not_closed", day.isoformat())
            return 200, day_file(switch, day), "text/plain"

        return await answer_signed(house, request, act)

    @app.post("/control/cards")
    async def issue(body: CardBody) -> dict[str, str]:
        opening = Money(body.opening_minor, "CNY")
        house.books.open_account(body.account, body.name, opening, day=switch.day())
        switch.book.bind(body.token, body.account)
        return {"account": body.account, "token": body.token}

    @app.get("/control/cards/{account}")
    async def balance(account: str) -> dict[str, int]:
        return {"balance_minor": house.books.balance(account).amount_minor}

    @app.post("/control/chargebacks")
    async def charge_back(body: ChargebackBody) -> dict[str, str]:
        amount = Money(body.amount_minor, "CNY")
        day = switch.book.charge_back(body.case_id, body.order_id, amount, day=switch.day())
        return {"case_id": body.case_id, "day": day}

    @app.get("/control/batches/{tid}/{batch}")
    async def batch(tid: str, batch: int) -> Response:
        found = switch.traces.batch(tid, batch)
        if found is None:
            return JSONResponse({}, 404)
        return JSONResponse({"balance": found[0], "uploaded": found[1]})

    @app.get("/control/days")
    async def days() -> dict[str, str]:
        switch.close_days()
        return {"day": switch.day().isoformat()}

    return app
