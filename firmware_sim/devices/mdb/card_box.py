"""Somebody else's cashless reader with its payers: what a bus master meets in the field."""

from dataclasses import dataclass, field

from firmware_sim.devices.mdb.cashless import (
    CashlessReader,
    EventKind,
    ReaderEvent,
    ReaderState,
)
from protocol.errors import CallerError


@dataclass(slots=True)
class CardBox:
    """A reader that decides by the funds of whoever holds a card to it. ``sold`` counts what the
    reader takes for sold, ``refunded`` what it gave back."""

    reader: CashlessReader = field(default_factory=CashlessReader)
    sold: int = 0
    refunded: int = 0
    _funds: int | None = None

    def tap(self, funds: int) -> None:
        """Hold a card with these funds to the reader."""
        if self.reader.state is ReaderState.VEND and not self.reader.is_settled:
            self._decide(self.reader.requested, funds)
        elif self.reader.state is ReaderState.ENABLED and not self.reader.is_idle_always:
            self.reader.begin_session(funds)
            self._funds = funds
        else:
            raise CallerError(
                "field_invalid",
                f"the reader takes no card now: {self.reader.state}",
                detail_zh=f"读卡器现在不收卡：{self.reader.state}",
            )

    def take_away(self) -> None:
        """Take the card away before anything is bought."""
        self.reader.end_session()

    def look(self) -> None:
        """Take note of what has happened on the bus, and decide what can be decided."""
        while self.reader.events:
            self._take(self.reader.events.popleft())

    def _take(self, event: ReaderEvent) -> None:
        if event.kind is EventKind.REQUESTED and self._funds is not None:
            self._decide(event.amount, self._funds)
        elif event.kind is EventKind.SUCCEEDED:
            self.sold += 1
        elif event.kind is EventKind.FAILED:
            self.refunded += 1
        elif event.kind is EventKind.STATE and event.state is not ReaderState.IDLE:
            self._funds = None

    def _decide(self, amount: int, funds: int) -> None:
        if amount <= funds:
            self.reader.approve(amount)
        else:
            self.reader.deny()
