"""The fund over HTTP: both channels' signed routes, prices, and plain routes for whoever runs the
test."""

from datetime import date

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict

from backend.sandbox.fund.company import FundCompany
from backend.sandbox.institution.control import add_control
from backend.sandbox.institution.house import Answer
from backend.sandbox.institution.signed import answer_signed, new_app
from backend.sandbox.json_channel import ChargebackBody, JsonChannel, add_channel, said
from protocol.messages.base import Minor, Name
from protocol.money import Money


class InvestorBody(BaseModel):
    """An investor's account to open, and what the payment institution calls it."""

    model_config = ConfigDict(extra="forbid")

    number: Name
    holder: Name
    units_minor: Minor = 0
    token: Name


def build_app(fund: FundCompany) -> FastAPI:
    """The HTTP face of the fund company and its bank."""
    house = fund.house
    app = new_app("Tillway sandbox: fund")
    channels = {
        "fund": JsonChannel(house, fund.advanced, fund.close_days, fund.day_of),
        "advance": JsonChannel(house, fund.unadvanced, fund.close_days, fund.day_of),
    }
    for name, channel in channels.items():
        add_channel(app, name, channel)

    @app.get("/fund/prices/{day}")
    async def price(request: Request, day: date) -> Response:
        fund.close_days()
        return await answer_signed(house, request, lambda _: _price(fund, day))

    @app.post("/control/investors")
    async def open_investor(body: InvestorBody) -> dict[str, str]:
        units = Money(body.units_minor, "CNY")
        fund.till.open_investor(body.number, body.holder, units, day=fund.day())
        for book in (fund.advanced, fund.unadvanced):
            book.bind(body.token, body.number)
        return {"investor": body.number}

    @app.get("/control/investors/{number}")
    async def units(number: str) -> dict[str, int]:
        fund.close_days()
        return {"units_minor": house.books.balance(number).amount_minor}

    @app.post("/control/chargebacks")
    async def charge_back(body: ChargebackBody) -> dict[str, str]:
        fund.close_days()
        return {"case_id": body.case_id, "day": channels[body.channel].charge_back(body)}

    add_control(app, house)
    return app


def _price(fund: FundCompany, day: date) -> Answer:
    found = fund.till.published(day)
    return (404, b"{}", "application/json") if found is None else said(dict(found.text()))
