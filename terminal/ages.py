"""How old a sale is, by two clocks: the wall clock, which went on without power but may be set, and
the ticks, which never go back but stand still without power. The older age counts.
"""

from terminal.domain.sale import Sale
from terminal.timing import TerminalClock


class Ages:
    """Ages of the open sales of one terminal."""

    def __init__(self, clock: TerminalClock) -> None:
        self._clock = clock
        self._born: dict[str, int] = {}

    def begin(self, sale: Sale) -> int:
        """Count this sale's age from now on, no younger than the wall clock says; the age now."""
        age_ms = self._wall_ms(sale)
        self._born[sale.payment_id] = self._clock.ticks_ms() - age_ms
        return age_ms

    def of_ms(self, sale: Sale) -> int:
        """The age since its request was stored."""
        now_ticks = self._clock.ticks_ms()
        ticked_ms = now_ticks - self._born.get(sale.payment_id, now_ticks)
        return max(self._wall_ms(sale), ticked_ms)

    def end(self, sale: Sale) -> None:
        """Forget this sale: its age is not asked for any more."""
        self._born.pop(sale.payment_id, None)

    def _wall_ms(self, sale: Sale) -> int:
        return max(self._clock.now_ms() - (sale.sent_at_ms or sale.created_at_ms), 0)
