"""The pages that a merchant has: today, payments, one payment, its refund."""

from typing import Any

from fastapi import APIRouter, Request, Response

from backend.console.beside import ANSWER, REFUND
from backend.console.merchant_money_desk import MoneyDesk
from backend.console.model import Person
from backend.console.money_list import MoneyList
from backend.console.parts import ConsoleParts
from backend.console.payments_desk import left_minor
from backend.console.places import names_of
from backend.console.session import ROOT
from backend.db.tables import Row
from backend.forms import Form
from backend.listing.filters import PAYMENT_STATES, TypedPayments, minor_of
from backend.listing.limits import FILTER_CHARS_MAX
from backend.listing.paged import payment_list
from protocol.errors import CallerError
from protocol.money import positive


def add_pages(pages: APIRouter, parts: ConsoleParts, money: MoneyDesk) -> None:
    """``/console/today`` and ``/console/payments``."""
    _today(pages, parts, money)
    _payments(pages, parts)
    _one(pages, parts)
    _refund(pages, parts)
    _answer(pages, parts)


def _today(pages: APIRouter, parts: ConsoleParts, money: MoneyDesk) -> None:
    face, desk = parts.face, parts.payments

    @pages.get(ROOT + "/today")
    async def today(request: Request) -> Response:
        person = await parts.person(request)
        if person.is_operator:
            return face.sent(request, "/overview")
        on = desk.today()
        unknowns = await desk.unknowns(person.merchant_id)
        return face.page(
            request, "today", person, tab="today", on=on.isoformat(),
            days=await desk.day(person.merchant_id, on),
            unknowns=unknowns, places=await names_of(desk.services, unknowns),
            month=await money.chart(person.merchant_id, on),
            currency=(await money.standing(person.merchant_id))["currency"],
        )  # fmt: skip


def _payments(pages: APIRouter, parts: ConsoleParts) -> None:
    listed = MoneyList(
        parts, payment_list(parts.payments.services),
        name="payments", states=PAYMENT_STATES, wanted=TypedPayments.wanted,
    )  # fmt: skip

    @pages.get(ROOT + "/payments")
    async def payments(request: Request) -> Response:
        person = await parts.person(request)
        typed, wrong = TypedPayments.of(request), {}
        try:
            if typed.number:
                found = await parts.payments.payment(person, typed.number)
                return parts.face.sent(request, f"/payments/{found['payment_id']}")
        except CallerError as refusal:
            wrong["number"] = refusal
        return await listed.page(request, person, typed, wrong)

    @pages.get(ROOT + "/payments.csv")
    async def export(request: Request) -> Response:
        return await listed.file(request, TypedPayments.of(request))


def _one(pages: APIRouter, parts: ConsoleParts) -> None:
    @pages.get(ROOT + "/payments/{payment_id}")
    async def payment(request: Request, payment_id: str) -> Response:
        person = await parts.person(request)
        row = await parts.payments.payment(person, payment_id)
        return await _shown(parts, request, person, row)


def _refund(pages: APIRouter, parts: ConsoleParts) -> None:
    face, desk = parts.face, parts.payments

    @pages.post(ROOT + "/payments/{payment_id}/refund/check")
    async def check(request: Request, payment_id: str) -> Response:
        person, form = await parts.posted(request)
        row = await desk.payment(person, payment_id)
        try:
            wanted = _wanted(row, form)
            positive(wanted["amount_minor"], row["currency"])
            if wanted["amount_minor"] > left_minor(row):
                raise CallerError("refund_exceeds")
        except CallerError as refusal:
            return await _shown(parts, request, person, row, refusal, form)
        return face.page(
            request, "refund", person, tab="payments", here=_path(row), payment=row, **wanted
        )

    @pages.post(ROOT + "/payments/{payment_id}/refund")
    async def refund(request: Request, payment_id: str) -> Response:
        person, form = await parts.posted(request)
        row = await desk.payment(person, payment_id)
        try:
            await desk.refund(row, person, **_wanted(row, form))
        except CallerError as refusal:
            return await _shown(parts, request, person, row, refusal, form)
        return face.done(request, f"/payments/{row['payment_id']}", "refunded")


def _answer(pages: APIRouter, parts: ConsoleParts) -> None:
    desk = parts.payments

    @pages.post(ROOT + "/payments/{payment_id}/disputes/{dispute_id}/answer")
    async def answer(request: Request, payment_id: str, dispute_id: str) -> Response:
        person, form = await parts.posted(request)
        row = await desk.payment(person, payment_id)
        try:
            await desk.answer(person, row, dispute_id, form.get("evidence", "").strip())
        except CallerError as refusal:
            form["dispute_id"] = dispute_id
            return await _shown(parts, request, person, row, refusal, form)
        return parts.face.done(request, f"/payments/{row['payment_id']}", "answered")


async def _shown(
    parts: ConsoleParts,
    request: Request,
    person: Person,
    row: Row,
    refusal: CallerError | None = None,
    typed: Form | None = None,
) -> Response:
    """A payment's page, with what was refused above it or beside its field, and in its forms what
    was typed."""
    typed = typed or {}
    story = await parts.payments.story(person, row)
    subjects = [(one["subject_kind"], one["subject_id"]) for one in story["cases"]]
    return parts.face.page(
        request, "payment", person, tab="payments", here=_path(row), payment=row, refusal=refusal,
        places=await names_of(parts.payments.services, [row], subjects), typed=typed,
        answered=typed.get("dispute_id", ""), fields={**REFUND, **ANSWER},
        refund_id=parts.payments.new_refund_id(), **story,
    )  # fmt: skip


def _path(row: Row) -> str:
    return f"{ROOT}/payments/{row['payment_id']}"


def _wanted(row: Row, form: Form) -> dict[str, Any]:
    return {
        "refund_id": form.get("refund_id", ""),
        "amount_minor": minor_of(form.get("amount", ""), row["currency"]),
        "reason": form.get("reason", "").strip()[:FILTER_CHARS_MAX],
    }
