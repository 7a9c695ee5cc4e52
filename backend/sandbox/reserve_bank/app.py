"""The reserve bank over HTTP: signed routes for its members, control beside."""

from datetime import date, time

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.channels.signed_http import KEY_HEADER
from backend.sandbox.institution.bank_face import add_customers, said
from backend.sandbox.institution.control import add_control
from backend.sandbox.institution.house import Answer
from backend.sandbox.institution.program import Place, Running
from backend.sandbox.institution.reserve_line import NeighbourLine
from backend.sandbox.institution.signed import answer_signed, new_app
from backend.sandbox.reserve_bank.bank import OWN_FAULTS, ReserveBank
from backend.sandbox.reserve_bank.rtgs import Kind
from backend.sandbox.reserve_bank.signers import OWNERS, Signers
from backend.sandbox.reserve_bank.window import Window
from protocol.messages.base import CurrencyText, Minor, Name
from protocol.money import Money

SETTLEMENT_OPENING = Money(100_000_000_000, "CNY")
RATE_BPS = 35
"""Interest on reserves, a year."""
RESERVE_ACCOUNTS, DEFAULT_BANK = ("RESERVE-TILLWAY",), "bank-a"


class AccountBody(BaseModel):
    """A member's account."""

    model_config = ConfigDict(extra="forbid")

    account: Name
    name: Name = ""
    kind: Kind = "reserve"
    currency: CurrencyText = "CNY"
    opening_minor: Minor = 0
    line_minor: Minor = 0


class RouteBody(BaseModel):
    """Which bank keeps the accounts whose numbers begin so."""

    model_config = ConfigDict(extra="forbid")

    prefix: str = Field(max_length=64)
    bank: Name


class FarBanks:
    """``Banks`` over the network."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lines: dict[str, NeighbourLine] = {}

    async def transfer(self, bank: str, message: bytes) -> bytes:
        """``Banks.transfer``."""
        return await self._line(bank).ask("POST", "/bank/credit-transfers", message)

    async def recall(self, bank: str, message: bytes) -> bytes:
        """``Banks.recall``."""
        return await self._line(bank).ask("POST", "/bank/recalls", message)

    async def close(self) -> None:
        """Close the connections."""
        for line in self._lines.values():
            await line.close()

    def _line(self, bank: str) -> NeighbourLine:
        if bank not in self._lines:
            self._lines[bank] = NeighbourLine(self._place, bank)
        return self._lines[bank]


def build(place: Place) -> Running:
    """The reserve bank of the sandbox. Options: ``opens`` and ``closes`` (the window's hours),
    ``rate_bps`` (interest), ``reserves`` (reserve accounts), ``routes`` (prefix → bank), ``owners``
    (further settlement accounts → institution)."""
    banks = FarBanks(place)
    bank = ReserveBank(
        place.furnish(faults=OWN_FAULTS),
        banks=banks,
        window=Window(
            time.fromisoformat(place.options.get("opens", "20:30")),
            time.fromisoformat(place.options.get("closes", "17:15")),
        ),
        rate_bps=int(place.options.get("rate_bps", RATE_BPS)),
    )
    owners = {**OWNERS, **place.options.get("owners", {})}
    for number in owners:
        bank.open(number, SETTLEMENT_OPENING, kind="settlement")
    for number in place.options.get("reserves", RESERVE_ACCOUNTS):
        bank.open(number, Money(0, "CNY"), kind="reserve")
    for prefix, name in place.options.get("routes", {"": DEFAULT_BANK}).items():
        bank.transfers.add_route(prefix, name)
    signers = Signers(place.neighbours, owners)
    return Running(bank.house, build_app(bank, signers), close=banks.close)


def build_app(bank: ReserveBank, signers: Signers) -> FastAPI:
    """The HTTP face of the reserve bank."""
    app = new_app("Tillway sandbox reserve bank")
    add_customers(app, bank)
    _add_recalls(app, bank)
    _add_members(app, bank, signers)
    add_control(app, bank.house)
    _add_control(app, bank)
    return app


def _add_recalls(app: FastAPI, bank: ReserveBank) -> None:
    """Customers ask for money back: the bank that has it is asked."""

    @app.post("/bank/recalls")
    async def recall(request: Request) -> Response:
        async def act(body: bytes) -> Answer:
            return said(await bank.recall(body))

        return await answer_signed(bank.house, request, act)


def _add_members(app: FastAPI, bank: ReserveBank, signers: Signers) -> None:
    """What banks and clearing houses tell, each with the key whose money it is."""

    @app.post("/rtgs/transfers")
    async def financial(request: Request) -> Response:
        def act(body: bytes) -> Answer:
            signers.check_financial(request.headers[KEY_HEADER], body)
            return said(bank.financial(body))

        return await answer_signed(bank.house, request, act)

    @app.post("/rtgs/credit-transfers")
    async def transfer(request: Request) -> Response:
        def act(body: bytes) -> Answer:
            signers.check_transfers(request.headers[KEY_HEADER], body)
            return said(bank.transfer(body))

        return await answer_signed(bank.house, request, act)

    @app.post("/rtgs/returns")
    async def give_back(request: Request) -> Response:
        def act(body: bytes) -> Answer:
            settled = bank.transfers.settled
            signers.check_returns(request.headers[KEY_HEADER], body, settled)
            return said(bank.give_back(body))

        return await answer_signed(bank.house, request, act)

    @app.post("/rtgs/liquidity")
    async def liquidity(request: Request) -> Response:
        def act(body: bytes) -> Answer:
            signers.check_liquidity(request.headers[KEY_HEADER], body)
            return said(bank.liquidity(body))

        return await answer_signed(bank.house, request, act)


def _add_control(app: FastAPI, bank: ReserveBank) -> None:
    @app.post("/control/accounts")
    async def open_account(body: AccountBody) -> dict[str, str]:
        opening = Money(body.opening_minor, body.currency)
        bank.open(body.account, opening, name=body.name, kind=body.kind, line_minor=body.line_minor)
        return {"account": body.account}

    @app.get("/control/accounts/{account}")
    async def balance(account: str) -> dict[str, object]:
        found = bank.books.balance(account)
        return {
            "balance_minor": found.amount_minor,
            "available_minor": bank.rtgs.available(account),
            "currency": found.currency,
        }

    @app.post("/control/routes")
    async def route(body: RouteBody) -> dict[str, str]:
        bank.transfers.add_route(body.prefix, body.bank)
        return {"prefix": body.prefix, "bank": body.bank}

    @app.get("/control/queue")
    async def queue() -> dict[str, list[str]]:
        return {"waiting": bank.rtgs.waiting()}

    @app.post("/control/queue/{message_id}/cancel")
    async def cancel(message_id: str) -> dict[str, str]:
        word = bank.cancel(message_id)
        return {"state": word.state, "reason": word.reason}

    @app.post("/control/interest/{due}")
    async def interest(due: date) -> dict[str, list[str]]:
        return {"paid": bank.pay_interest(due)}
