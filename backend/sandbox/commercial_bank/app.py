"""A commercial bank over HTTP: signed routes for the reserve bank and customers, control beside."""

from typing import Literal

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict

from backend.sandbox.commercial_bank.bank import OWN_FAULTS, CommercialBank
from backend.sandbox.institution.bank_face import add_customers, said
from backend.sandbox.institution.control import add_control
from backend.sandbox.institution.program import Place, Running
from backend.sandbox.institution.reserve_line import RESERVE_BANK, NeighbourLine
from backend.sandbox.institution.signed import answer_signed, new_app
from protocol.messages.base import CurrencyText, Minor, Name
from protocol.money import Money


class AccountBody(BaseModel):
    """An account to open."""

    model_config = ConfigDict(extra="forbid")

    account: Name
    name: Name
    currency: CurrencyText = "CNY"
    opening_minor: Minor = 0


class MarkBody(BaseModel):
    """An account to close, to block, or to open again."""

    model_config = ConfigDict(extra="forbid")

    reason: Literal["AC04", "AC06", ""]


class ReturnBody(BaseModel):
    """A credited transfer to send back."""

    model_config = ConfigDict(extra="forbid")

    end_to_end_id: Name
    reason: Literal["AC01", "AC03", "AC04", "AC06", "MD06"] = "AC04"


class FarReserveBank:
    """``ReserveBankLine`` over the network."""

    def __init__(self, place: Place) -> None:
        self._line = NeighbourLine(place, RESERVE_BANK)

    async def transfer(self, message: bytes) -> bytes:
        """``ReserveBankLine.transfer``."""
        return await self._line.ask("POST", "/rtgs/credit-transfers", message)

    async def give_back(self, message: bytes) -> bytes:
        """``ReserveBankLine.give_back``."""
        return await self._line.ask("POST", "/rtgs/returns", message)

    async def close(self) -> None:
        """Close the connections."""
        await self._line.close()


def build(place: Place) -> Running:
    """A bank of the sandbox, beside its reserve bank. It opens ``options.accounts`` (number →
    opening amount)."""
    line = FarReserveBank(place)
    bank = CommercialBank(place.furnish(faults=OWN_FAULTS), line)
    for number, opening_minor in place.options.get("accounts", {}).items():
        bank.open(number, number, Money(opening_minor, "CNY"))
    return Running(bank.house, build_app(bank), close=line.close)


def build_app(bank: CommercialBank) -> FastAPI:
    """The HTTP face of a bank."""
    app = new_app("Tillway sandbox bank")
    add_customers(app, bank)

    @app.post("/bank/credit-transfers")
    async def receive(request: Request) -> Response:
        return await answer_signed(bank.house, request, lambda body: said(bank.receive(body)))

    @app.post("/bank/recalls")
    async def recall(request: Request) -> Response:
        return await answer_signed(bank.house, request, lambda body: said(bank.recall(body)))

    add_control(app, bank.house)
    _add_control(app, bank)
    return app


def _add_control(app: FastAPI, bank: CommercialBank) -> None:
    @app.post("/control/accounts")
    async def open_account(body: AccountBody) -> dict[str, str]:
        bank.open(body.account, body.name, Money(body.opening_minor, body.currency))
        return {"account": body.account}

    @app.get("/control/accounts/{account}")
    async def balance(account: str) -> dict[str, object]:
        found = bank.books.balance(account)
        return {"balance_minor": found.amount_minor, "currency": found.currency}

    @app.post("/control/accounts/{account}/state")
    async def mark(account: str, body: MarkBody) -> dict[str, str]:
        bank.mark(account, body.reason)
        return {"account": account, "reason": body.reason}

    @app.post("/control/returns")
    async def give_back(body: ReturnBody) -> dict[str, str]:
        bank.return_now(body.end_to_end_id, body.reason)
        await bank.time_passes()
        return {"end_to_end_id": body.end_to_end_id}
