"""What every bank's customers ask of it over signed HTTP: ISO 20022 in, ISO 20022 out."""

from datetime import date
from typing import Protocol

from fastapi import FastAPI, Request, Response

from backend.sandbox.institution.house import Answer, House
from backend.sandbox.institution.signed import answer_signed

XML = "application/xml"


class Bank(Protocol):
    """A bank with customers. None: what is asked about never arrived."""

    house: House

    async def instruct(self, data: bytes) -> bytes:
        """pain.001 in, pain.002 out."""
        ...

    def status(self, message_id: str) -> bytes | None:
        """The pain.002 of an instruction as it stands now."""
        ...

    def statement(self, number: str, day: date) -> bytes:
        """The camt.053 of an account's day."""
        ...

    def notification(self, number: str, cursor: int) -> bytes:
        """A camt.054 of what was booked after a place."""
        ...


def said(answer: bytes | None) -> Answer:
    """A message as HTTP's answer; none: it never arrived."""
    return (404, b"", XML) if answer is None else (200, answer, XML)


def add_customers(app: FastAPI, bank: Bank) -> None:
    """What customers of a bank ask: instructions, and their accounts' statements. Without the
    signature, for whoever tests with the sandbox: ``/control/…/statements``."""

    @app.post("/bank/instructions")
    async def instruct(request: Request) -> Response:
        async def act(body: bytes) -> Answer:
            return said(await bank.instruct(body))

        return await answer_signed(bank.house, request, act)

    @app.get("/bank/instructions/{message_id}")
    async def status(request: Request, message_id: str) -> Response:
        return await answer_signed(bank.house, request, lambda _: said(bank.status(message_id)))

    @app.get("/bank/accounts/{account}/statements/{day}")
    async def statement(request: Request, account: str, day: date) -> Response:
        return await answer_signed(
            bank.house, request, lambda _: said(bank.statement(account, day))
        )

    @app.get("/bank/accounts/{account}/bookings/{cursor}")
    async def bookings(request: Request, account: str, cursor: int) -> Response:
        return await answer_signed(
            bank.house, request, lambda _: said(bank.notification(account, cursor))
        )

    @app.get("/control/accounts/{account}/statements/{day}")
    async def open_statement(account: str, day: date) -> Response:
        return Response(bank.statement(account, day), media_type=XML)
