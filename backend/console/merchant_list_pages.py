"""A merchant's lists: refunds, and its stores with their devices."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response

from backend.console.export import REFUNDS, csv_pages
from backend.console.face import shown_time
from backend.console.filters import (
    Readers,
    TypedFilter,
    amount_minor,
    from_ms,
    one_of,
    place_of,
    until_ms,
)
from backend.console.limits import FILTER_CHARS_MAX, ROWS_PER_PAGE, SUMMED_ROWS_MAX
from backend.console.parts import ConsoleParts
from backend.console.payment_repository import Place
from backend.console.places import names_of
from backend.console.session import OF_MERCHANT, ROOT
from backend.console.sums import Sums, sums_of
from backend.db.tables import Row
from backend.db.totals import Totals
from backend.devices.repository import DeviceRepository
from backend.payments.services import Services
from backend.refunds.model import RefundState
from backend.refunds.repository import RefundFilter, RefundRepository
from protocol.errors import CallerError
from protocol.topics import is_name

STATES = ("processing", "succeeded", "failed")


@dataclass(frozen=True, slots=True)
class TypedRefunds(TypedFilter):
    """The refunds' filter."""

    state: str
    store: str
    who: str
    amount: str
    since: str
    until: str
    merchant: str
    """For operators, who see every merchant's."""
    readers: ClassVar[Readers] = {
        "state": lambda text: one_of(text, STATES, "state"),
        "since": from_ms,
        "until": until_ms,
        "amount": amount_minor,
    }

    def wanted(self, merchant_id: str | None) -> RefundFilter:
        """The question to the database; ``field_invalid`` names what cannot be read."""
        return RefundFilter(
            merchant_id=merchant_id or self.merchant or None,
            state=one_of(self.state, STATES, "state"),
            store=self.store,
            who=self.who,
            amount_minor=amount_minor(self.amount),
            from_ms=from_ms(self.since),
            until_ms=until_ms(self.until),
        )


def add_pages(pages: APIRouter, parts: ConsoleParts) -> None:
    """``/console/refunds`` and ``/console/stores``."""
    services = parts.payments.services
    _refunds(pages, parts, services)
    _stores(pages, parts, services)


def _refunds(pages: APIRouter, parts: ConsoleParts, services: Services) -> None:
    face, repository = parts.face, RefundRepository(services.reader)

    async def listed(wanted: RefundFilter, place: Place | None, limit: int) -> list[Row]:
        after = None if place is None else (place.at_ms, place.key)
        rows: list[Row] = await services.run_read(
            lambda: repository.listed(wanted, limit=limit, after=after)
        )
        return rows

    async def sums(wanted: RefundFilter) -> Sums:
        newest = SUMMED_ROWS_MAX
        totals: Totals = await services.run_read(lambda: repository.totals(wanted, limit=newest))
        return sums_of(totals, moved={RefundState.SUCCEEDED}, newest=newest)

    @pages.get(ROOT + "/refunds")
    async def refunds(request: Request) -> Response:
        person = await parts.person(request)
        place = place_of(request)
        asked = await parts.naming.asked(TypedRefunds.of(request), person.scope)
        typed, wrong = asked.typed, asked.typed.wrong()
        wanted = None if asked.choices or wrong else typed.wanted(person.scope)
        rows = [] if wanted is None else await listed(wanted, place, ROWS_PER_PAGE + 1)
        more = ""
        if len(rows) > ROWS_PER_PAGE:
            rows = rows[:ROWS_PER_PAGE]
            more = typed.query(after="{created_at_ms}~{refund_id}".format(**rows[-1]))
        return face.page(
            request, "refunds", person, tab="refunds", rows=rows, typed=typed, more=more,
            is_first=place is None, choices=STATES, export=typed.query(),
            sums=await sums(wanted) if wanted and rows else None, asked=asked, wrong=wrong,
            known=await parts.naming.known(typed, person.scope),
            places=await names_of(services, rows),
        )  # fmt: skip

    @pages.get(ROOT + "/refunds.csv")
    async def export(request: Request) -> Response:
        person = await parts.person(request)
        asked = await parts.naming.asked(TypedRefunds.of(request), person.scope)
        wanted = asked.clear().wanted(person.scope)

        async def read(place: Place | None, limit: int) -> list[Row]:
            return await listed(wanted, place, limit)

        name = f"refunds-{parts.payments.today().isoformat()}"
        return face.csv(request, name, csv_pages(REFUNDS, read, shown_time))


def _stores(pages: APIRouter, parts: ConsoleParts, services: Services) -> None:
    repository = DeviceRepository(services.reader)

    @pages.get(ROOT + "/stores")
    @pages.get(OF_MERCHANT + "/stores")
    async def stores(request: Request) -> Response:
        person = await parts.merchant(request)
        store, _, tid = request.query_params.get("after", "")[:FILTER_CHARS_MAX].partition("~")
        if (store or tid) and not (is_name(store) and is_name(tid)):
            raise CallerError("field_invalid", "after")
        devices: list[Row] = await services.run_read(
            lambda: repository.of_merchant(
                person.merchant_id, limit=ROWS_PER_PAGE + 1, after=(store, tid)
            )
        )
        more = ""
        if len(devices) > ROWS_PER_PAGE:
            devices = devices[:ROWS_PER_PAGE]
            more = "{store}~{tid}".format(**devices[-1])
        return parts.face.page(
            request, "stores", person, tab="stores", devices=devices, more=more,
            is_first=not store, places=await names_of(services, devices),
            stores=await services.run_read(lambda: repository.stores(person.merchant_id)),
        )  # fmt: skip
