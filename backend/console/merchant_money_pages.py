"""The pages about a merchant's money: settlements and withdrawals, one day of them, bills.

Rule: each begins by asking whose page it is: a merchant's person sees the own, an operator the one
      that the address names, and takes nothing out.
"""

from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from backend.bills.trade import BillType, TradeTotals
from backend.console.beside import WITHDRAWAL
from backend.console.face import base_of
from backend.console.limits import DAYS_PER_PAGE, ROWS_PER_PAGE
from backend.console.merchant_money_desk import MoneyDesk, Paper
from backend.console.model import Person
from backend.console.parts import ConsoleParts
from backend.console.session import OF_MERCHANT, ROOT
from backend.forms import Form
from backend.listing.filters import date_of, minor_of, place_of
from backend.listing.limits import FILTER_CHARS_MAX
from protocol.errors import CallerError
from protocol.money import positive


def add_pages(pages: APIRouter, parts: ConsoleParts, desk: MoneyDesk) -> None:
    """``/console/settlements`` and ``/console/bills``."""
    _settlements(pages, parts, desk)
    _withdrawals(pages, parts, desk)
    _bills(pages, parts, desk)


def _settlements(pages: APIRouter, parts: ConsoleParts, desk: MoneyDesk) -> None:
    face = parts.face

    @pages.get(ROOT + "/settlements")
    @pages.get(OF_MERCHANT + "/settlements")
    async def settlements(request: Request) -> Response:
        person = await parts.merchant(request)
        return await _shown(parts, desk, request, person)

    @pages.get(ROOT + "/settlements/{day}")
    @pages.get(OF_MERCHANT + "/settlements/{day}")
    async def one(request: Request, day: str) -> Response:
        person = await parts.merchant(request)
        found, came_back = await desk.day(person.merchant_id, _day_at(day))
        standing = await desk.standing(person.merchant_id)
        return face.page(
            request, "settlement_day", person, tab="settlements", day=found, came_back=came_back,
            currency=standing["currency"],
        )  # fmt: skip


def _withdrawals(pages: APIRouter, parts: ConsoleParts, desk: MoneyDesk) -> None:
    face = parts.face

    @pages.get(ROOT + "/payouts")
    @pages.get(OF_MERCHANT + "/payouts")
    async def payouts(request: Request) -> Response:
        person = await parts.merchant(request)
        place = place_of(request)
        rows = await desk.payouts(
            person.merchant_id, None if place is None else (place.at_ms, place.key)
        )
        more = ""
        if len(rows) > ROWS_PER_PAGE:
            rows = rows[:ROWS_PER_PAGE]
            more = "{instructed_at_ms}~{payout_id}".format(**rows[-1])
        return face.page(
            request, "payouts", person, tab="settlements", rows=rows, more=more,
            is_first=place is None,
        )  # fmt: skip

    @pages.post(ROOT + "/payouts/check")
    async def check(request: Request) -> Response:
        person, form = await parts.merchant_posted(request)
        standing = await desk.standing(person.merchant_id)
        try:
            wanted = _wanted(standing, form)
            if wanted["amount_minor"] > standing["available_minor"]:
                raise CallerError("merchant_balance_short")
        except CallerError as refusal:
            return await _shown(parts, desk, request, person, refusal, form)
        return face.page(
            request, "withdraw", person, tab="settlements", here=f"{ROOT}/settlements",
            **wanted, standing=standing,
        )  # fmt: skip

    @pages.post(ROOT + "/payouts")
    async def withdraw(request: Request) -> Response:
        person, form = await parts.merchant_posted(request)
        try:
            wanted = _wanted(await desk.standing(person.merchant_id), form)
            await desk.withdraw(person, **wanted)
        except CallerError as refusal:
            return await _shown(parts, desk, request, person, refusal, form)
        return face.done(request, "/payouts", "withdrawn")


def _bills(pages: APIRouter, parts: ConsoleParts, desk: MoneyDesk) -> None:
    face = parts.face

    @pages.get(ROOT + "/bills")
    @pages.get(OF_MERCHANT + "/bills")
    async def bills(request: Request) -> Response:
        person = await parts.merchant(request)
        until = _until(request, desk)
        return face.page(
            request, "bills", person, tab="bills", days=await desk.days(person.merchant_id, until),
            numbers=await desk.numbers(person.merchant_id), number=_text(request, "number"),
            types=list(BillType), today=desk.today(), **_window(until, desk),
        )  # fmt: skip

    @pages.get(ROOT + "/bills/{day}/{paper}.csv")
    @pages.get(OF_MERCHANT + "/bills/{day}/{paper}.csv")
    async def bill(request: Request, day: str, paper: Paper) -> Response:
        person = await parts.merchant(request)
        on, kind = _day_at(day), _text(request, "type") or BillType.ALL
        if kind not in list(BillType):
            raise CallerError("field_invalid", "type")
        number = _text(request, "number")
        found = await desk.bill(
            person.merchant_id, on, paper, bill_type=BillType(kind), number=number
        )
        name = "-".join(one for one in (paper, number or person.merchant_id, f"{on}") if one)
        return face.csv(request, name, found.chunks(), size_bytes=found.size_bytes)


async def _shown(
    parts: ConsoleParts,
    desk: MoneyDesk,
    request: Request,
    person: Person,
    refusal: CallerError | None = None,
    typed: Form | None = None,
) -> Response:
    """What the merchant has and its days, with what was refused above or beside its field, and in
    its form what was typed."""
    until = _until(request, desk)
    payouts = await desk.payouts(person.merchant_id, None)
    days = await desk.days(person.merchant_id, until)
    return parts.face.page(
        request, "settlements", person, tab="settlements", here=f"{base_of(person)}/settlements",
        refusal=refusal, fields=WITHDRAWAL, typed=typed or {},
        standing=await desk.standing(person.merchant_id),
        days=days, total=TradeTotals.joined(day.sales for day in days),
        payout_id=desk.new_payout_id(), payouts=payouts[:_PAYOUTS_SHOWN], **_window(until, desk),
    )  # fmt: skip


_PAYOUTS_SHOWN = 5


def _wanted(standing: dict[str, Any], form: Form) -> dict[str, Any]:
    currency = standing["currency"]
    amount = positive(minor_of(form.get("amount", ""), currency), currency)
    return {
        "payout_id": form.get("payout_id", "")[:FILTER_CHARS_MAX],
        "amount_minor": amount.amount_minor,
        "currency": currency,
    }


def _until(request: Request, desk: MoneyDesk) -> date:
    text = _text(request, "until")
    return min(date_of(text, "until"), desk.today()) if text else desk.today()


def _window(until: date, desk: MoneyDesk) -> dict[str, Any]:
    """The month's ends, and where the ones beside it end; empty where the later is to come."""
    month = timedelta(days=DAYS_PER_PAGE)
    later = "" if until >= desk.today() else f"{min(until + month, desk.today())}"
    since = until - month + timedelta(days=1)
    return {"since": since, "until": until, "earlier": f"{until - month}", "later": later}


def _text(request: Request, name: str) -> str:
    return request.query_params.get(name, "").strip()[:FILTER_CHARS_MAX]


def _day_at(text: str) -> date:
    """The day that an address names; there is no page of any other word."""
    try:
        return date_of(text, "day")
    except CallerError as error:
        raise CallerError("route_unknown", text) from error
