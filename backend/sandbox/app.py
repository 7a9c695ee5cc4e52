"""The sandbox over HTTP: signed routes for institutions, plain ones for whoever runs the test.

Signed (both ways, `backend/channels/signed_http.py`): ``/bank/…``.
Plain, on the loopback: ``/control/…`` opens accounts, moves the clock, arms faults.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict

from backend.channels import iso20022
from backend.channels.day_file import DayRow
from backend.channels.signed_http import by_kid
from backend.sandbox.bank import Bank
from backend.sandbox.institution.control import add_control
from backend.sandbox.institution.faults import spoil_rows
from backend.sandbox.institution.house import Answer, furnish
from backend.sandbox.institution.program import BOOKS, Place, Running
from backend.sandbox.institution.signed import answer_signed, new_app
from backend.sandbox.institution.state_files import own_key
from protocol.clock import Clock
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.messages.base import CurrencyText, Minor, Name
from protocol.money import Money


class AccountBody(BaseModel):
    """An account to open."""

    model_config = ConfigDict(extra="forbid")

    account: Name
    name: Name
    currency: CurrencyText = "CNY"
    opening_minor: Minor = 0


def build(place: Place) -> Running:
    """The institutions as a program."""
    place.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    world = Institutions(
        bank=Bank(place.directory / BOOKS),
        clock=place.clock,
        key=own_key(place.directory),
        peers=by_kid(*place.told),
        reserve_account="RESERVE-TILLWAY",
    )
    return Running(world.house, build_app(world))


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
    ) -> None:
        self.bank = bank
        own_faults = ("reject_payout",)
        self.house = furnish(
            "institutions", bank, clock=clock, key=key, peers=peers, faults=own_faults
        )
        self.faults = self.house.faults
        self.reserve_account = reserve_account

    def now_ms(self) -> int:
        """The sandbox's own time."""
        return self.house.clock.now_ms()

    def advance(self, advance_ms: int) -> None:
        """Move the sandbox's clock forward."""
        self.house.clock.advance(advance_ms)

    def today(self) -> date:
        """The business day, in China's time."""
        return self.house.clock.today()

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
        page = self.bank.statement(account, day=day, at_ms=self.now_ms())
        return 200, iso20022.write_statement(page), "application/xml"

    def faulty(self, rows: list[DayRow]) -> list[DayRow]:
        """A file's rows with the faults that are due."""
        return list(spoil_rows(self.faults, rows))


def build_app(world: Institutions) -> FastAPI:
    """The HTTP face of the institutions."""
    app = new_app("Tillway sandbox institutions")

    async def signed(request: Request, act: Callable[[bytes], Answer]) -> Response:
        return await answer_signed(world.house, request, act)

    @app.post("/bank/instructions")
    async def instruct(request: Request) -> Response:
        return await signed(request, world.instruct)

    @app.get("/bank/instructions/{message_id}")
    async def query(request: Request, message_id: str) -> Response:
        return await signed(request, lambda _: world.query(message_id))

    @app.get("/bank/accounts/{account}/statements/{day}")
    async def statement(request: Request, account: str, day: date) -> Response:
        return await signed(request, lambda _: world.statement(account, day))

    _add_control(app, world)
    add_control(app, world.house)
    return app


def _add_control(app: FastAPI, world: Institutions) -> None:
    @app.post("/control/accounts")
    async def open_account(body: AccountBody) -> dict[str, str]:
        opening = Money(body.opening_minor, body.currency)
        world.bank.open_account(body.account, body.name, opening, day=world.today())
        return {"account": body.account}

    @app.get("/control/accounts/{account}")
    async def balance(account: str) -> dict[str, object]:
        found = world.bank.balance(account)
        return {"balance_minor": found.amount_minor, "currency": found.currency}

    @app.get("/control/accounts/{account}/statements/{day}")
    async def statement(account: str, day: date) -> Response:
        _, content, media_type = world.statement(account, day)
        return Response(content, media_type=media_type)
