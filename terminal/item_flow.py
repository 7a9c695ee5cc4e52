"""How a vending machine gives out what was paid, or gives the money back.

Rule 1: *paid and owed* is committed, then *dispensing* in a turn of its own, and only then does the
        motor hear of it. So a power cut leaves *owed* (nothing can have fallen: the payment is
        reversed) or *dispensing* (it may have fallen: uncertain, and no machine decides).
Rule 2: goods are given out while the payer stands there: not after a restart, nor for an answer
        that came late, nor once somebody else uses the screen. Then the payment is reversed. A
        meter takes its token whenever it is paid: nobody stands there.
Rule 3: where the backend refuses the reversal the sale stays paid and not given, for the owner.
Rule 4: what was paid and may have been given is not sold again by a machine that gives each thing
        once: it is told again.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from protocol.errors import CallerError
from terminal.desk import Desk, log
from terminal.domain.delivery import Delivery, DeliveryStep
from terminal.domain.sale import Sale, SaleState
from terminal.effects import DispenseItem

DISPENSE = "dispense"
"""The kind of the timer between *owed* and *dispensing*."""
NOT_GIVEN, UNCERTAIN = "item_not_given", "item_uncertain"
_D, _T = Delivery, DeliveryStep


class ItemFlow:
    """The goods of one machine. ``give_back`` reverses a paid sale."""

    def __init__(self, desk: Desk, give_back: Callable[[Sale], None]) -> None:
        self._desk = desk
        self._journal = desk.journal
        self._give_back = give_back

    def on_paid(self, sale: Sale, *, may_give: bool) -> None:
        """A sale has become paid: its item is owed, or the money is."""
        if sale.item is None or sale.delivery is not _D.NONE:
            return
        if may_give:
            self._move(sale, _T.OWE)
            self._desk.after((DISPENSE, sale.payment_id), 0)
        else:
            self._withhold(sale)

    def on_timer(self, payment_id: str) -> None:
        """*Owed* is committed: start the motor, unless the sale was undone meanwhile."""
        sale = self._journal.sale(payment_id)
        if sale is None or sale.item is None or sale.delivery is not _D.OWED:
            return
        if sale.state is SaleState.PAID:
            self._move(sale, _T.START)
            self._desk.effects.append(DispenseItem(payment_id, sale.item))
        else:
            self._withhold(sale)

    def on_word(self, payment_id: str, code: str | None) -> None:
        """The dispenser said *given* (None), ``item_not_given``, or something that says neither."""
        sale = self._journal.sale(payment_id)
        if sale is None or sale.delivery is not _D.DISPENSING:
            log.warning("dispenser_ignored", payment_id=payment_id, code=code)
        elif code is None:
            self._move(sale, _T.GIVE)
        elif code == NOT_GIVEN:
            self._give_back(self._move(sale, _T.FAIL))
        else:
            self._move(replace(sale, error_code=UNCERTAIN), _T.LOSE_CONTACT)

    def goes_on_with(self, item: str | None) -> bool:
        """Whether an item that is wanted is being paid, or was, and is not sold now (rule 4)."""
        if item is None or not self._desk.profile.gives_once:
            return False
        sale = next((one for one in self._not_over() if one.item == item), None)
        if sale is None:
            return False
        self._desk.current = sale.payment_id
        if sale.delivery is _D.UNCERTAIN:
            self._move(replace(sale, error_code=None), _T.START)
            self._desk.effects.append(DispenseItem(sale.payment_id, item))
        return True

    def _not_over(self) -> Iterator[Sale]:
        """What was paid and may have been given; where nothing is sold twice, also what was given
        for certain, and what is being paid or undone."""
        states: tuple[Delivery, ...] = (_D.OWED, _D.DISPENSING, _D.UNCERTAIN)
        if self._desk.profile.sells_once:
            yield from self._journal.open_sales()
            states += (_D.GIVEN,)
        for state in states:
            yield from self._journal.sales_by_delivery(state)

    def confirm(self, sale: Sale) -> None:
        """The owner has looked: the item that was uncertain was given."""
        if sale.delivery is not _D.UNCERTAIN:
            raise CallerError("payment_state", f"confirm an item that is {sale.delivery}")
        self._move(replace(sale, error_code=None), _T.GIVE)

    def deny(self, sale: Sale) -> None:
        """The owner has looked: it was not given. The money goes back."""
        self._withhold(sale)

    def recover(self) -> None:
        """After a restart: what was owed never fell; of what was dispensing nobody can tell, but a
        machine that gives each thing once, however often it is told: it is told again."""
        for sale in self._journal.sales_by_delivery(_D.OWED):
            self._withhold(replace(sale, is_recovered=True))
        for sale in self._journal.sales_by_delivery(_D.DISPENSING):
            if self._desk.profile.gives_once and sale.item is not None:
                self._desk.effects.append(DispenseItem(sale.payment_id, sale.item))
                continue
            self._move(replace(sale, error_code=UNCERTAIN, is_recovered=True), _T.LOSE_CONTACT)

    def _withhold(self, sale: Sale) -> None:
        self._give_back(self._move(sale, _T.WITHHOLD))

    def _move(self, sale: Sale, step: DeliveryStep) -> Sale:
        moved, event = sale.deliver(step)
        log.info(
            "item_moved",
            payment_id=moved.payment_id,
            item=moved.item,
            what=event,
            delivery=moved.delivery,
        )
        self._journal.save_sale(moved)
        return moved
