"""A supervisor resolves an unknown: the mark stands in the journal, and the outcome is asked about
on."""

from protocol.errors import CallerError
from terminal.desk import Desk, log
from terminal.domain.mark import Mark, check_reason
from terminal.domain.refund import RefundStep
from terminal.domain.sale import Step
from terminal.inputs import MarkOutcome, MarkRefund
from terminal.journal.marks import Marks


class MarkFlow:
    """The marks of one terminal's payments and refunds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._marks = Marks(desk.journal.database)

    def of(self, subject: str) -> Mark | None:
        """The latest mark of a payment or refund."""
        return self._marks.of(subject)

    def mark(self, wish: MarkOutcome) -> None:
        """Write it down and leave the screen; ``payment_state`` for what is not unknown."""
        sale = self._desk.journal.sale(wish.payment_id)
        if sale is None:
            raise CallerError("payment_not_found")
        moved, event = sale.move(Step.MARK)
        self._desk.journal.save_sale(moved)
        self._keep(moved.payment_id, moved.amount_minor, wish)
        log.info(
            "sale_moved", payment_id=moved.payment_id, what=event, marked_as=wish.marked_as.value
        )

    def mark_refund(self, wish: MarkRefund) -> None:
        """The same for a refund. It still counts as open: no other of its payment is begun."""
        refund = self._desk.journal.refund(wish.refund_id)
        if refund is None:
            raise CallerError("refund_not_found")
        moved, event = refund.move(RefundStep.MARK, error_code=refund.error_code)
        self._desk.journal.save_refund(moved)
        self._keep(moved.refund_id, moved.amount_minor, wish)
        log.info(
            "refund_moved", refund_id=moved.refund_id, what=event, marked_as=wish.marked_as.value
        )

    def _keep(self, subject: str, amount_minor: int, wish: MarkOutcome | MarkRefund) -> None:
        self._marks.add(
            Mark(
                subject=subject,
                marked_as=wish.marked_as,
                reason=check_reason(wish.reason),
                by_name=wish.by_name,
                at_ms=self._desk.clock.now_ms(),
                amount_minor=amount_minor,
            )
        )
        if self._desk.current == subject:
            self._desk.current = None
