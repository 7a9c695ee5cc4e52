"""A supervisor resolves an unknown: the mark stands in the journal, the sale is asked about on."""

from protocol.errors import CallerError
from terminal.desk import Desk, log
from terminal.domain.mark import Mark, check_reason
from terminal.domain.sale import Step
from terminal.inputs import MarkOutcome
from terminal.journal.marks import Marks


class MarkFlow:
    """The marks of one terminal's payments."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._marks = Marks(desk.journal.database)

    def of(self, payment_id: str) -> Mark | None:
        """The latest mark of a payment."""
        return self._marks.of(payment_id)

    def mark(self, wish: MarkOutcome) -> None:
        """Write it down and leave the screen; ``payment_state`` for what is not unknown."""
        sale = self._desk.journal.sale(wish.payment_id)
        if sale is None:
            raise CallerError("payment_not_found")
        moved, event = sale.move(Step.MARK)
        self._desk.journal.save_sale(moved)
        self._marks.add(
            Mark(
                subject=moved.payment_id,
                marked_as=wish.marked_as,
                reason=check_reason(wish.reason),
                by_name=wish.by_name,
                at_ms=self._desk.clock.now_ms(),
                amount_minor=moved.amount_minor,
            )
        )
        log.info(
            "sale_moved", payment_id=moved.payment_id, what=event, marked_as=wish.marked_as.value
        )
        if self._desk.current == moved.payment_id:
            self._desk.current = None
