"""The operator over HTTP: the channel's signed routes, the wallet's statement, and plain ones for
whoever runs the test."""

from datetime import date
from typing import Annotated

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.channels.wallet_statement import write_wallet_statement
from backend.sandbox.ecny.operator import EcnyOperator
from backend.sandbox.institution.control import add_control
from backend.sandbox.institution.house import Answer
from backend.sandbox.institution.signed import answer_signed, new_app
from backend.sandbox.json_channel import JsonChannel, add_channel
from protocol.messages.base import Minor, Name
from protocol.money import Money


class WalletBody(BaseModel):
    """A wallet to open, and what the payment institution calls it."""

    model_config = ConfigDict(extra="forbid")

    number: Name
    holder: Name
    wallet_class: Annotated[int, Field(ge=1, le=4)]
    opening_minor: Minor = 0
    token: Name


def build_app(operator: EcnyOperator) -> FastAPI:
    """The HTTP face of the operator."""
    house = operator.house
    app = new_app("Tillway sandbox: e-CNY")
    add_channel(app, "ecny", JsonChannel(house, operator.book, operator.close_days))

    @app.get("/ecny/wallet/statements/{day}")
    async def statement(request: Request, day: date) -> Response:
        operator.close_days()
        return await answer_signed(house, request, lambda _: _statement(operator, day))

    @app.post("/control/wallets")
    async def open_wallet(body: WalletBody) -> dict[str, str]:
        opening = Money(body.opening_minor, "CNY")
        today = house.clock.today()
        operator.till.open_wallet(body.number, body.holder, body.wallet_class, opening, day=today)
        operator.book.bind(body.token, body.number)
        return {"wallet": body.number}

    @app.get("/control/wallets/{number}")
    async def balance(number: str) -> dict[str, int]:
        operator.close_days()
        return {"balance_minor": house.books.balance(number).amount_minor}

    add_control(app, house)
    return app


def _statement(operator: EcnyOperator, day: date) -> Answer:
    return 200, write_wallet_statement(operator.statement(day)), "application/json"
