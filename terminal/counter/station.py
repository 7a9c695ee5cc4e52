"""A till as people use it: its payments, its drawer, its keypad; the real one and its training.

Rule 1: training is a second till of the same parts on a journal, a key and a link of its own. It
        has no way to the hub, so nothing of it can leave the device.
"""

from dataclasses import dataclass

from terminal.agent import Agent
from terminal.counter.cards import CardDesk
from terminal.counter.drafts import Drafts
from terminal.counter.shifts import ShiftDesk
from terminal.counter.sign_in import SignIn
from terminal.counter.staffing import Staffing
from terminal.shell import Shell


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One of the two tills: the real one or its training."""

    agent: Agent
    shell: Shell
    shifts: ShiftDesk
    cards: CardDesk
    drafts: Drafts
    is_training: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Both tills, and who works at them."""

    sign_in: SignIn
    staffing: Staffing
    real: Station
    training: Station

    def station(self) -> Station:
        """The one that whoever is signed in works at."""
        session = self.sign_in.session()
        return self.training if session is not None and session.is_training else self.real

    def tell_payers_side(self) -> None:
        """Somebody came, went, or began or ended training: whoever follows either till looks again
        which of them it is."""
        self.real.shell.announce()
        self.training.shell.announce()
