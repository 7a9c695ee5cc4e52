"""A list's page, its sums and its file: the same for a person who looks and a program that asks."""

from collections.abc import AsyncIterator, Collection
from dataclasses import asdict, dataclass
from typing import Any, Generic, Protocol, TypeVar

from backend.db.tables import Row
from backend.db.totals import Totals
from backend.listing.export import PAYMENTS, REFUNDS, Sheet, csv_pages, csv_part
from backend.listing.filters import Place, place_said
from backend.listing.limits import SUMMED_ROWS_MAX
from backend.listing.sums import Sums, sums_of
from backend.payments.list_repository import PaymentFilter, PaymentLists
from backend.payments.services import Services
from backend.refunds.model import RefundState
from backend.refunds.repository import RefundFilter, RefundRepository
from protocol.payment import PAID_STATES

F_contra = TypeVar("F_contra", contravariant=True)


class Lists(Protocol[F_contra]):
    """What answers a filter from committed rows, on a reading thread."""

    def listed(
        self, wanted: F_contra, *, limit: int, after: tuple[int, str] | None = None
    ) -> list[Row]: ...

    def totals(self, wanted: F_contra, *, limit: int) -> Totals: ...


@dataclass(frozen=True, slots=True)
class ListPage:
    """Rows, the newest first."""

    rows: list[Row]
    after: Place | None
    """Where the next page begins; None behind the last row."""


NO_ROWS = ListPage([], None)
"""Of a question that could not be asked."""


class PagedList(Generic[F_contra]):
    """One for each list and process. ``moved``: the states in which the money has moved."""

    def __init__(
        self, services: Services, lists: Lists[F_contra], sheet: Sheet, moved: Collection[str]
    ) -> None:
        self._services = services
        self._lists = lists
        self._sheet = sheet
        self._moved = moved

    async def page(self, wanted: F_contra, place: Place | None, *, rows_max: int) -> ListPage:
        """The rows behind a place."""
        rows = await self._read(wanted, place, rows_max + 1)
        if len(rows) <= rows_max:
            return ListPage(rows, None)
        return ListPage(rows[:rows_max], self._sheet.place(rows[rows_max - 1]))

    async def sums(self, wanted: F_contra) -> Sums:
        """What the newest ``SUMMED_ROWS_MAX`` of those rows come to."""
        newest = SUMMED_ROWS_MAX
        totals: Totals = await self._services.run_read(
            lambda: self._lists.totals(wanted, limit=newest)
        )
        return sums_of(totals, moved=self._moved, newest=newest)

    async def answer(self, wanted: F_contra, after: str, *, rows_max: int) -> dict[str, Any]:
        """A page for a program: ``rows``, where the next one begins, and with the first what all
        rows come to."""
        place = place_said(after)
        page = await self.page(wanted, place, rows_max=rows_max)
        return {
            "rows": page.rows,
            "after": page.after and page.after.told,
            "sums": asdict(await self.sums(wanted)) if place is None else None,
        }

    async def csv_page(
        self, wanted: F_contra, after: str, *, rows_max: int
    ) -> tuple[bytes, Place | None]:
        """A part of that file, and where the next one begins: its parts, one behind the other, are
        the whole."""
        place = place_said(after)
        page = await self.page(wanted, place, rows_max=rows_max)
        return csv_part(self._sheet, page.rows, is_first=place is None), page.after

    def csv(self, wanted: F_contra) -> AsyncIterator[bytes]:
        """All of them as a file."""

        async def read(place: Place | None, limit: int) -> list[Row]:
            return await self._read(wanted, place, limit)

        return csv_pages(self._sheet, read)

    async def _read(self, wanted: F_contra, place: Place | None, limit: int) -> list[Row]:
        rows: list[Row] = await self._services.run_read(
            lambda: self._lists.listed(wanted, limit=limit, after=place)
        )
        return rows


def payment_list(services: Services) -> PagedList[PaymentFilter]:
    """The payments."""
    return PagedList(services, PaymentLists(services.reader), PAYMENTS, PAID_STATES)


def refund_list(services: Services) -> PagedList[RefundFilter]:
    """The refunds."""
    moved = {RefundState.SUCCEEDED}
    return PagedList(services, RefundRepository(services.reader), REFUNDS, moved)
