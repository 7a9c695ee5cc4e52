"""Faults to be put into a rule: one leg of its answer, wrong in one way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from backend.ledger import rules
from backend.ledger.model import Kind, Transfer
from tests.support.business.ledgers import PaperLedger
from tests.support.business.world import Step, World

Fault = Callable[[Transfer], list[Transfer]]
_WRONG_KINDS: dict[Kind, Kind] = {
    "posted": "pending", "pending": "posted", "post": "void", "void": "post", "expire": "pending"
}  # fmt: skip


def swapped(leg: Transfer) -> list[Transfer]:
    """Debit and credit the wrong way round."""
    return [leg._replace(debit=leg.credit, credit=leg.debit)]


def a_fen_more(leg: Transfer) -> list[Transfer]:
    return [leg._replace(amount_minor=leg.amount_minor + 1)]


def a_fen_less(leg: Transfer) -> list[Transfer]:
    return [leg._replace(amount_minor=leg.amount_minor - 1)]


def left_out(_leg: Transfer) -> list[Transfer]:
    return []


def wrong_debit(leg: Transfer) -> list[Transfer]:
    return [leg._replace(debit=_another(leg))]


def wrong_credit(leg: Transfer) -> list[Transfer]:
    return [leg._replace(credit=_another(leg))]


def wrong_kind(leg: Transfer) -> list[Transfer]:
    """Held and not posted, taken and not released, or the other way round."""
    return [leg._replace(kind=_WRONG_KINDS[leg.kind])]


FAULTS: tuple[Fault, ...] = (
    swapped, a_fen_more, a_fen_less, left_out, wrong_debit, wrong_credit, wrong_kind
)  # fmt: skip


def _another(leg: Transfer) -> str:
    """An account of the same book and currency that the leg does not name."""
    book = leg.debit.split(":")[0]
    codes = {
        "C": ("LONG", "UNSWEPT", "REDPKT"),
        "O": ("ROUNDING", "LOSS"),
        "M": ("FUND_OWED:other",),
    }
    names = (f"{book}:{code}:{leg.currency}" for code in codes[book])
    return next(name for name in names if name not in {leg.debit, leg.credit})


def faulty(rule: Callable[..., list[Transfer]], fault: Fault, leg: int) -> Any:
    """The rule, but for one leg."""

    def answer(*args: Any, **kwargs: Any) -> list[Transfer]:
        honest = rule(*args, **kwargs)
        answered = [*honest[:leg], *fault(honest[leg]), *honest[leg + 1 :]]
        event_id = honest[leg].event_id
        return [one._replace(id=f"{event_id}:{n}") for n, one in enumerate(answered, 1)]

    return answer


class Trial:
    """One moment of a business, lived through again and again with a faulty rule in it."""

    def __init__(self, world: World, ledger: PaperLedger) -> None:
        self.world, self.ledger = world, ledger
        self.kind = world.choose()
        self._luck, self._number = world.dice.getstate(), world.number

    def made(self) -> Step | None:
        """The step that comes now, from the same luck each time."""
        self.world.dice.setstate(self._luck)
        self.world.number = self._number
        return self.kind(self.world)

    def notices(self, rule: str, fault: Fault, leg: int) -> str:
        """What the business says of the fault; empty if it does not notice."""
        with self._lived_again(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(rules, rule, faulty(getattr(rules, rule), fault, leg))
            try:
                step = self.made()
                assert step is not None
                self.world.take(step)
            except AssertionError as noticed:
                return str(noticed) or "an assertion of the ledger's"
        return ""

    @contextmanager
    def _lived_again(self) -> Iterator[None]:
        world, mark = self.world, self.ledger.mark()
        before = world.tally.copy(), world.pending.copy(), world.refused.copy()
        try:
            yield
        finally:
            world.tally, world.pending, world.refused = before
            self.ledger.undo(mark)
