"""Whatever comes to the reserve bank's queue in whatever order, money is neither made nor lost."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.channels.iso20022 import Leg
from backend.sandbox.institution.books import Books
from backend.sandbox.reserve_bank.rtgs import Rtgs
from tests.support.iso20022 import cny

MEMBERS = ("A", "B", "C")
DAY = date(2026, 9, 23)
_LEGS = st.lists(
    st.tuples(st.sampled_from(MEMBERS), st.sampled_from(MEMBERS), st.integers(1, 150)).filter(
        lambda leg: leg[0] != leg[1]
    ),
    min_size=1,
    max_size=3,
)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), _LEGS),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("close"), st.just(0)),
    ),
    max_size=25,
)


@dataclass
class Queue:
    """The queue beside what was told to it."""

    lines: dict[str, int]
    books: Books = field(default_factory=lambda: Books(":memory:"))
    told: dict[str, list[Leg]] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rtgs = Rtgs(self.books)
        for number in MEMBERS:
            self.books.open_account(number, number, cny(100), day=DAY)
            self.rtgs.add_member(number, kind="settlement", line_minor=self.lines[number])

    def take(self, step: tuple[str, object]) -> None:
        with self.books.transaction():
            match step:
                case ("submit", list() as wanted):
                    name = f"M{len(self.told)}"
                    legs = [
                        Leg(f"{name}-{n}", debtor, creditor, cny(minor))
                        for n, (debtor, creditor, minor) in enumerate(wanted)
                    ]
                    self.told[name] = legs
                    any_time = bool(len(self.told) % 2)
                    self.rtgs.submit(name, name.encode(), legs, any_time=any_time, info="")
                case ("cancel", int() as number) if number < len(self.told):
                    self.rtgs.cancel(f"M{number}")
                case ("close", _):
                    self.rtgs.close_window()
            self.rtgs.settle_waiting(DAY)
        self.settled += [
            name
            for name in self.told
            if name not in self.settled and self.rtgs.word(name).state == "settled"
        ]

    def check(self) -> None:
        balances = {number: self.books.balance(number).amount_minor for number in MEMBERS}
        assert sum(balances.values()) == 100 * len(MEMBERS)
        for number in MEMBERS:
            assert balances[number] >= -self.lines[number]
        for name, legs in self.told.items():
            moved = {self.books.has_moved(leg.reference) for leg in legs}
            assert moved == {name in self.settled}
        self._check_order()

    def _check_order(self) -> None:
        """Of a debtor's entries none is settled while an earlier one still waits."""
        waiting = set(self.rtgs.waiting())
        blocked: set[str] = set()
        for name, legs in self.told.items():
            debtors = net_debtors(legs)
            if name in waiting:
                blocked |= debtors
            elif name in self.settled and debtors & blocked:
                earlier = [
                    one
                    for one in waiting
                    if int(one[1:]) < int(name[1:]) and debtors & net_debtors(self.told[one])
                ]
                assert not earlier, (name, earlier)


def net_debtors(legs: list[Leg]) -> set[str]:
    paid, got = Counter[str](), Counter[str]()
    for leg in legs:
        paid[leg.debtor] += leg.amount.amount_minor
        got[leg.creditor] += leg.amount.amount_minor
    return {one for one in MEMBERS if paid[one] > got[one]}


@given(st.fixed_dictionaries(dict.fromkeys(MEMBERS, st.integers(0, 60))), _STEPS)
@settings(max_examples=150)
def test_no_account_falls_below_its_limit_and_no_money_is_made(
    lines: dict[str, int], steps: list[tuple[str, object]]
) -> None:
    queue = Queue(lines)
    try:
        for step in steps:
            queue.take(step)
            queue.check()
    finally:
        queue.books.close()
