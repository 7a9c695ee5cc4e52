"""A business that makes events at random, and what each of them must do, written down by hand.

Nothing here is computed by the rules: every step says in words of balances what the rule must do
(``C:CUST:ann -100, C:MPEND:shop +99, …``, each on the account's own side). The world keeps the
tally of these words, foresees from it what the ledger must refuse, and compares after every step.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from backend.db.tables import Row
from backend.ledger.model import Transfer
from backend.ledger.rules import Event
from protocol.errors import CallerError

USERS = ("ann", "ben", "cho")
MERCHANTS = ("shop", "kiosk", "mall")
SHARDS = {"mall": ("mall#0", "mall#1", "mall#2")}
CURRENCIES = ("CNY", "USD", "JPY")
DATES = ("2026-09-30", "2026-10-01")
START_MS = 1_790_700_000_000
HOLD_MS = 120

CLIENT_ASSETS = {"RESERVE", "CH", "ECNY", "NOSTRO", "FXPOS", "SHORT", "OWN_DUE"}
CLIENT_LIABILITIES = {
    "CUST", "MPEND", "MAVAIL", "PAYOUT", "REFUND", "LONG", "REDPKT", "ESCROW", "DISPUTE", "SHARE",
    "STOCK", "UNSWEPT",
}  # fmt: skip
DEBIT_SIDE = CLIENT_ASSETS | {
    "OWN", "ADVANCE", "MERCH_RECV", "DUE_CLIENT", "CHANNEL_COST", "PROMO", "LOSS",
    "ROUNDING", "FUND_ADVANCED",
}  # fmt: skip
MAY_BE_NEGATIVE = {
    "CH", "ECNY", "FXPOS", "OWN_DUE", "UNSWEPT", "OWN", "DUE_CLIENT", "COST_PAYABLE", "OWN_PAYABLE",
    "MDR", "ADVANCE", "WITHDRAWAL_FEE", "FX_SPREAD", "CHANNEL_COST", "PROMO", "LOSS", "ROUNDING",
    "FUND_ADVANCED", "FUND_OWED", "INTEREST",
}  # fmt: skip
REFUSALS = {
    "CUST": "insufficient_balance",
    "MPEND": "merchant_balance_short",
    "MAVAIL": "merchant_balance_short",
}

Changes = list[tuple[str, int]]
"""(account without its currency, or with it; what its balance gains on its own side)."""
Held = list[tuple[str, str, int]]
"""(account, ``Dr`` or ``Cr``, what more of it is pending on that side)."""


class Ledger(Protocol):
    """What the business posts to."""

    def post(self, transfers: Sequence[Transfer], now_ms: int) -> None:
        """Post one event, or raise ``CallerError`` and change nothing."""
        ...

    def accounts(self) -> Iterable[Row]:
        """Every account's row."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event: the rule that was asked, what it answered, and what it must do."""

    rule: str
    transfers: list[Transfer]
    changes: Changes
    held: Held = field(default_factory=list)
    refused: str = ""
    """The code of the refusal that must come, where it is not a floor's."""
    then: Callable[[], Any] = lambda: None
    """What the business remembers when it has succeeded."""


@dataclass(slots=True)
class World:
    """The state of the business, from its own memory."""

    ledger: Ledger
    dice: random.Random
    kinds: Sequence[tuple[Callable[["World"], Step | None], int]]
    now_ms: int = START_MS
    number: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    pending: Counter[tuple[str, str]] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    memory: dict[str, list[Any]] = field(default_factory=dict)

    def choose(self) -> Callable[["World"], Step | None]:
        """The kind of the next event."""
        self.now_ms += self.dice.randint(0, 2)
        makers, weights = zip(*self.kinds, strict=True)
        maker: Callable[[World], Step | None] = self.dice.choices(makers, weights)[0]
        return maker

    def step(self) -> str | None:
        """One event of a random kind, posted and checked; its rule, if it succeeded."""
        made = self.choose()(self)
        return self.take(made) if made is not None else None

    def take(self, step: Step) -> str | None:
        """Post a step's transfers. Whatever is not as foreseen is an ``AssertionError``."""
        foreseen = self.foreseen(step)
        names = [(one.id, one.link) for one in step.transfers]
        numbered = [(f"evt_{self.number}:{leg + 1}", 1) for leg in range(len(names))]
        assert names == numbered, f"{step.rule}: numbered {names}"
        try:
            self.ledger.post(step.transfers, self.now_ms)
        except CallerError as error:
            assert error.code in foreseen, f"{step.rule} was refused: {error.code} {error}"
            self.refused[step.rule] += 1
            self.check(step.rule)
            return None
        assert not foreseen, f"{step.rule} was posted, but had to be refused: {foreseen}"
        for account, amount in step.changes:
            self.tally[account] += amount
        for account, side, amount in step.held:
            self.pending[account, side] += amount
        self.check(step.rule)
        self.done[step.rule] += 1
        step.then()
        return step.rule

    def foreseen(self, step: Step) -> set[str]:
        """The codes one of which the ledger must refuse it with; none if it must post it."""
        if step.refused:
            return {step.refused}
        after: Counter[str] = Counter()
        for account, amount in step.changes:
            after[account] += amount
        for account, side, amount in step.held:
            after[account] -= amount if side == against(account) else 0
        short = [
            code_of(account)
            for account, amount in after.items()
            if code_of(account) not in MAY_BE_NEGATIVE and self.available(account) + amount < 0
        ]
        return {REFUSALS.get(code, "account_short") for code in short}

    def available(self, account: str) -> int:
        """What the tally says of an account, less holds."""
        return self.tally[account] - self.pending[account, against(account)]

    def check(self, rule: str) -> None:
        """The stored balances against the tally, and against what must hold whatever happens."""
        rows = {row["id"]: row for row in self.ledger.accounts()}
        found = {account: own_side(row) for account, row in rows.items()}
        differ(rule, "balances", found, self.tally)
        held = {(account, "Dr"): row["debits_pending"] for account, row in rows.items()}
        held |= {(account, "Cr"): row["credits_pending"] for account, row in rows.items()}
        differ(rule, "holds", held, self.pending)
        negative = {
            account: found[account]
            for account in rows
            if code_of(account) not in MAY_BE_NEGATIVE and found[account] < held[account,
                                                                                  against(account)]
        }  # fmt: skip
        assert not negative, f"{rule}: negative {negative}"
        check_equations(rule, list(rows.values()))

    # What the kinds of events ask for

    def event(self, currency: str) -> Event:
        """A new event's name."""
        self.number += 1
        return Event(f"evt_{self.number}", currency, DATES[0])

    def currency(self) -> str:
        """Any currency."""
        return self.dice.choice(CURRENCIES)

    def user(self) -> str:
        """Any payer."""
        return self.dice.choice(USERS)

    def merchant(self) -> str:
        """Any merchant."""
        return self.dice.choice(MERCHANTS)

    def owner(self, merchant: str) -> str:
        """A merchant's pending account: itself, or one of a hot one's shards."""
        return self.dice.choice(SHARDS.get(merchant, (merchant,)))

    def amount(self, most: int = 50_000) -> int:
        """Any amount up to this."""
        return self.dice.randint(1, most)

    def luck(self, chance: float) -> bool:
        """True so often."""
        return self.dice.random() < chance

    def keep(self, what: str, thing: object) -> Callable[[], None]:
        """Remember, when the step has succeeded."""
        return lambda: self.memory.setdefault(what, []).append(thing)

    def drop(self, what: str, thing: object) -> Callable[[], None]:
        """Forget, when the step has succeeded."""
        return lambda: self.memory[what].remove(thing)

    def pick(self, what: str) -> Any:
        """One of the remembered things, or None."""
        things = self.memory.get(what)
        return self.dice.choice(things) if things else None


def within(currency: str, *changes: tuple[str, int]) -> Changes:
    """The changes of accounts of one currency."""
    return [(f"{account}:{currency}", amount) for account, amount in changes]


def opposite(changes: Changes) -> Changes:
    """The contra."""
    return [(account, -amount) for account, amount in changes]


def fee(amount: int, income: str = "O:MDR") -> Changes:
    """A fee earned (rule 4): ours, still in the reserve, in both books."""
    return [("C:UNSWEPT", amount), ("O:DUE_CLIENT", amount), (income, amount)]


def promised(amount: int, purpose: str = "O:PROMO") -> Changes:
    """Own money promised to the reserve, in both books, and what for (rule 17)."""
    return [("C:OWN_DUE", amount), ("O:OWN_PAYABLE", amount), (purpose, amount)]


def code_of(account: str) -> str:
    """``CUST`` of ``C:CUST:ann:CNY``."""
    return account.split(":")[1]


def against(account: str) -> str:
    """The side on which a hold may still take from the account."""
    return "Cr" if code_of(account) in DEBIT_SIDE else "Dr"


def own_side(row: Row) -> int:
    """A stored balance on the side that this file says is the account's own."""
    net: int = row["debits_posted"] - row["credits_posted"]
    return net if code_of(row["id"]) in DEBIT_SIDE else -net


def differ(rule: str, what: str, found: dict[Any, int], foreseen: Counter[Any]) -> None:
    """Refuse a difference, and say where and how much."""
    wrong = {
        key: f"{found.get(key, 0)}, must be {foreseen[key]}"
        for key in found.keys() | foreseen.keys()
        if found.get(key, 0) != foreseen[key]
    }
    assert not wrong, f"{rule}: {what} {dict(sorted(wrong.items(), key=str))}"


def check_equations(rule: str, rows: list[Row]) -> None:
    """Each book sums to zero; assets are liabilities; the two books say the same of each other."""
    books: Counter[tuple[str, str]] = Counter()
    codes: Counter[tuple[str, str]] = Counter()
    for row in rows:
        book, code, *_, currency = row["id"].split(":")
        books[book, currency] += row["debits_posted"] - row["credits_posted"]
        codes[code, currency] += own_side(row)
    assert not any(books.values()), f"{rule}: books that do not sum to zero {books}"
    for currency in {currency for _, currency in codes}:
        assets = sum(codes[code, currency] for code in CLIENT_ASSETS)
        owed = sum(codes[code, currency] for code in CLIENT_LIABILITIES)
        assert assets == owed, f"{rule}: {currency} client assets {assets}, liabilities {owed}"
        for ours, theirs in (("UNSWEPT", "DUE_CLIENT"), ("OWN_DUE", "OWN_PAYABLE")):
            pair = codes[ours, currency], codes[theirs, currency]
            assert pair[0] == pair[1], f"{rule}: {ours}, {theirs} {currency} {pair}"
