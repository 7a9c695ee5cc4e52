"""Sales that were accepted offline: from the token in the journal to the backend's word on it.

Rule: the request is there from the first moment and goes as soon as it can, to the hub's spool if
not further. What may have arrived is asked about, while somebody can be asked, until an answer
comes; no age ends it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from protocol.messages.offline import OfflineToken
from terminal.desk import Desk
from terminal.domain.sale import Sale, SaleState, Step
from terminal.limits import OFFLINE_ASK_GAP_MS
from terminal.sale_facts import bearer_facts, create_body, receipt_facts

ASK = "query"
"""The kind of its timer: that of every question about a sale."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What the flow of all sales does for these."""

    move: Callable[..., Sale]
    """Takes a sale, its step, and the fields that change."""
    send_create: Callable[[Sale], None]
    query: Callable[[Sale], None]
    is_in_doubt: Callable[[Sale], bool]


class Returning:
    """The accepted sales of one till."""

    def __init__(self, desk: Desk, ways: Ways) -> None:
        self._desk = desk
        self._ways = ways

    def accept(self, sale: Sale, token: OfflineToken, text: str, *, at_ms: int) -> None:
        """A token holds: store the request, tell the payer, let it go if it can."""
        masked = token.voucher.payer_masked
        moved = self._ways.move(
            sale, Step.ACCEPT, error_code=None, sent_at_ms=at_ms, payer_masked=masked, code_url=None
        )
        body = create_body(moved, self._desk.profile, offline_token=text, accepted_at_ms=at_ms)
        self._desk.courier.post("payment.create", body, subject=moved.payment_id)
        facts = {**receipt_facts(moved), **bearer_facts(token)}
        self._desk.print_receipt(moved.payment_id, SaleState.ACCEPTED.value, facts)

    def wait(self, sale: Sale) -> None:
        """The request has left: set a timer to ask about it."""
        self._desk.after((ASK, sale.payment_id), OFFLINE_ASK_GAP_MS)

    def on_timer(self, sale: Sale) -> None:
        """The timer is due: ask about it."""
        self.wait(sale)
        self.bring_back(sale)

    def on_backend_back(self) -> None:
        """The hub has its backend again: ask what became of all."""
        for sale in self._desk.journal.open_sales():
            if sale.state is SaleState.ACCEPTED:
                self.bring_back(sale)

    def bring_back(self, sale: Sale) -> None:
        """Send what never left; ask about what the hub may have."""
        if not self._ways.is_in_doubt(sale):
            self._ways.send_create(sale)
        elif self._desk.is_hub_online:
            self._ways.query(sale)
