"""An institution's line to another over signed HTTP, and the one to the reserve bank: pacs.009 out,
pacs.002 back."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from backend.channels import iso20022
from backend.channels.institution import Institution
from backend.sandbox.institution.program import Place
from backend.sandbox.institution.settling import SettlementOrder, SettlementWord
from backend.sandbox.institution.state_files import own_key
from protocol.errors import CallerError, OperatingError

RESERVE_BANK = "reserve-bank"
NETTING_PREFIX = "STL-"
"""The references of clearing houses' results, which settle at any time of the day."""


class NeighbourLine:
    """Asks a neighbour wherever it listens now. Close it when done."""

    def __init__(self, place: Place, name: str) -> None:
        self._place = place
        self._name = name
        self._institution: Institution | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The neighbour's signed answer; ``OperatingError`` where there is none."""
        if self._institution is None:
            found = self._place.neighbours.find(self._name)
            self._institution = Institution(
                url=lambda: self._place.neighbours.find(self._name).url(),
                key=own_key(self._place.directory),
                peer=found.key,
            )
        answer = await self._institution.ask(method, path, body)
        if answer is None:
            raise OperatingError("internal", f"{self._name} knows nothing of it")
        return answer

    async def close(self) -> None:
        """Close the connections."""
        if self._institution is not None:
            await self._institution.close()


class ReserveLine:
    """``SettlementAgent`` over the network."""

    def __init__(self, place: Place) -> None:
        self._line = NeighbourLine(place, RESERVE_BANK)

    async def settle(self, order: SettlementOrder) -> SettlementWord:
        """``SettlementAgent.settle``: the reference is the message's id, too."""
        message = settlement_message(order)
        return read_word(await self._line.ask("POST", "/rtgs/transfers", message), order)

    async def close(self) -> None:
        """Close the connections."""
        await self._line.close()


def settlement_message(order: SettlementOrder) -> bytes:
    """The pacs.009 of an order: the same bytes each time it is told."""
    leg = iso20022.Leg(order.reference, order.debtor, order.creditor, order.amount)
    day = order.value_date
    day_ms = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
    return iso20022.write_financial(
        iso20022.FinancialTransfers(order.reference, day_ms, order.value_date, (leg,))
    )


def read_word(
    answer: bytes,
    order: SettlementOrder,
    *,
    read: Callable[[bytes], "_Report"] = iso20022.read_status,
) -> SettlementWord:
    """What an answer (a pacs.002, or what ``read`` reads) says of an order."""
    try:
        report = read(answer)
    except CallerError as error:
        raise OperatingError("timeout", f"{error.code}: {error.detail}") from error
    for transfer in report.transfers:
        if transfer.end_to_end_id == order.reference:
            match transfer.status:
                case "ACSC":
                    return SettlementWord("settled")
                case "RJCT":
                    return SettlementWord("refused", transfer.reason)
            return SettlementWord("waiting", transfer.reason)
    raise OperatingError("timeout", "the answer is about something else")


class _Report(Protocol):
    """What became of transfers: pacs.002 and pain.002."""

    @property
    def transfers(self) -> tuple[iso20022.TransferStatus, ...]: ...
