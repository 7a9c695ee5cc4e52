"""A merchant's lists: refunds, and its stores with their devices."""

from fastapi import APIRouter, Request, Response

from backend.console.limits import ROWS_PER_PAGE
from backend.console.money_list import MoneyList
from backend.console.parts import ConsoleParts
from backend.console.places import names_of
from backend.console.session import OF_MERCHANT, ROOT
from backend.db.tables import Row
from backend.devices.repository import DeviceRepository
from backend.listing.filters import REFUND_STATES, TypedRefunds
from backend.listing.limits import FILTER_CHARS_MAX
from backend.listing.paged import refund_list
from backend.payments.services import Services
from protocol.errors import CallerError
from protocol.topics import is_name


def add_pages(pages: APIRouter, parts: ConsoleParts) -> None:
    """``/console/refunds`` and ``/console/stores``."""
    services = parts.payments.services
    _refunds(pages, parts, services)
    _stores(pages, parts, services)


def _refunds(pages: APIRouter, parts: ConsoleParts, services: Services) -> None:
    listed = MoneyList(
        parts, refund_list(services),
        name="refunds", states=REFUND_STATES, wanted=TypedRefunds.wanted,
    )  # fmt: skip

    @pages.get(ROOT + "/refunds")
    async def refunds(request: Request) -> Response:
        person = await parts.person(request)
        return await listed.page(request, person, TypedRefunds.of(request), {})

    @pages.get(ROOT + "/refunds.csv")
    async def export(request: Request) -> Response:
        return await listed.file(request, TypedRefunds.of(request))


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
