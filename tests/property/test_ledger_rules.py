"""Random business over several payers, merchants and currencies: after every step each book sums to
zero, the reserve equation holds, UNSWEPT equals DUE_CLIENT, nothing forbidden is negative, and the
chain is whole. An independent tally says what every balance must be."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.db.migrate import upgrade
from backend.ledger import rules
from backend.ledger.chart import channel, client, customer, merchant_available, merchant_pending
from backend.ledger.model import Transfer
from backend.ledger.rules import Event
from protocol.errors import CallerError
from protocol.money import fee_half_up, fee_returned
from tests.support.books import DATE, START_MS, Books, open_books

STEPS = 100
USERS, MERCHANTS, CURRENCIES = ("ann", "ben", "cho"), ("shop", "kiosk"), ("CNY", "USD")
FEE_BPS = 60


class Business:
    """Makes events at random, from what the ledger says is possible and sometimes beyond it."""

    def __init__(self, books: Books, seed: int) -> None:
        self.books = books
        self.dice = random.Random(seed)
        self.number = 0
        self.payments: list[tuple[str, str, str, int, int, list[Transfer]]] = []
        self.refunded: Counter[str] = Counter()
        self.transit: list[tuple[str, str, int]] = []
        self.paid_out: list[tuple[str, str, int]] = []
        self.holds: list[Transfer] = []
        self.tally: Counter[str] = Counter()

    def event(self, currency: str) -> Event:
        self.number += 1
        return Event(f"evt_{self.number}", currency, DATE)

    def step(self) -> None:
        """One event of a random kind; a refused one must change nothing."""
        made = self.dice.choice(self.kinds())(self.dice.choice(CURRENCIES))
        transfers, after = made
        if not transfers:
            return
        try:
            self.books.post(transfers)
        except CallerError as refused:
            assert refused.code in {
                "insufficient_balance", "merchant_balance_short", "account_short", "transfer_state"
            }  # fmt: skip
            return
        for transfer in transfers:
            if transfer.kind in {"posted", "post"}:
                self.tally[transfer.debit] += transfer.amount_minor
                self.tally[transfer.credit] -= transfer.amount_minor
        after()

    def kinds(self) -> list[Callable[[str], tuple[list[Transfer], Callable[[], None]]]]:
        return [
            self.top_up, self.top_up, self.channel, self.pay, self.pay, self.pay, self.refund,
            self.settle, self.payout, self.payout_end, self.payout_back, self.sweep, self.coupon,
            self.hold, self.hold_end, self.reverse, self.fee,
        ]  # fmt: skip

    def amount(self, most: int = 50_000) -> int:
        return self.dice.randint(1, most)

    def top_up(self, currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        user = self.dice.choice(USERS)
        return rules.top_up(
            self.event(currency), user_id=user, channel_id="BANK", settlement_date=DATE,
            amount_minor=self.amount(),
        ), _nothing  # fmt: skip

    def channel(self, currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        owed = self.books.balance(channel("BANK", DATE, currency))
        return rules.channel_settled(
            self.event(currency), channel_id="BANK", settlement_date=DATE,
            amount_minor=owed if self.dice.random() < 0.7 else self.amount() - 25_000,
        ), _nothing  # fmt: skip

    def pay(self, currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        user, shop, amount = self.dice.choice(USERS), self.dice.choice(MERCHANTS), self.amount()
        transfers = rules.balance_paid(
            self.event(currency), user_id=user, merchant_id=shop, amount_minor=amount,
            fee_minor=fee_half_up(amount, FEE_BPS),
        )  # fmt: skip
        payment = (transfers[0].event_id, user, shop, amount, FEE_BPS, transfers)
        return transfers, lambda: self.payments.append(payment)

    def refund(self, _currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        if not self.payments:
            return [], _nothing
        payment_id, user, shop, amount, bps, paid = self.dice.choice(self.payments)
        currency, left = paid[0].currency, amount - self.refunded[payment_id]
        if left <= 0:
            return [], _nothing
        part = self.amount(left)
        back = fee_returned(
            refunded_before_minor=self.refunded[payment_id], refund_minor=part, fee_bps=bps
        )
        source = self.dice.choice((merchant_pending, merchant_available))
        transfers = rules.balance_refunded(
            self.event(paid[0].currency), user_id=user,
            sources=[(source(shop, currency), part)],
            fee_back_minor=back, refers_to=paid[0].id,
        )  # fmt: skip
        return transfers, lambda: self.refunded.update({payment_id: part})

    def reverse(self, _currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        untouched = [one for one in self.payments if not self.refunded[one[0]]]
        if not untouched:
            return [], _nothing
        payment_id, _, _, amount, _, paid = self.dice.choice(untouched)
        event = Event(f"{payment_id}.reversed", paid[0].currency, DATE)
        done = rules.reversed_transfers(event, paid)
        return done, lambda: self.refunded.update({payment_id: amount})

    def fee(self, currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        shop = self.dice.choice(MERCHANTS)
        event = self.event(currency)
        return rules.fee_charged(event, merchant_id=shop, fee_minor=self.amount(50)), _nothing

    def settle(self, currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        shop = self.dice.choice(MERCHANTS)
        due = self.books.available(merchant_pending(shop, currency))
        return rules.merchant_settled(
            self.event(currency), merchant_id=shop, amount_minor=due
        ), _nothing

    def payout(self, currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        shop = self.dice.choice(MERCHANTS)
        due = self.books.available(merchant_available(shop, currency))
        amount = due if self.dice.random() < 0.8 else due + 1
        out = (shop, currency, amount)
        return rules.payout_instructed(
            self.event(currency), merchant_id=shop, amount_minor=amount
        ), lambda: self.transit.append(out)

    def payout_end(self, _currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        if not self.transit:
            return [], _nothing
        out = self.dice.choice(self.transit)
        shop, currency, amount = out
        if self.dice.random() < 0.3:
            return rules.payout_rejected(
                self.event(currency), merchant_id=shop, amount_minor=amount
            ), lambda: self.transit.remove(out)

        def confirmed() -> None:
            self.transit.remove(out)
            self.paid_out.append(out)

        return rules.payout_confirmed(self.event(currency), amount_minor=amount), confirmed

    def payout_back(self, _currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        if not self.paid_out:
            return [], _nothing
        out = self.dice.choice(self.paid_out)
        return rules.payout_returned(
            self.event(out[1]), merchant_id=out[0], amount_minor=out[2]
        ), lambda: self.paid_out.remove(out)

    def sweep(self, currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        unswept = self.books.balance(client("UNSWEPT", currency))
        return rules.fees_swept(self.event(currency), amount_minor=unswept), _nothing

    def coupon(self, currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        shop = self.dice.choice(MERCHANTS)
        event = self.event(currency)
        return rules.coupon_paid(event, merchant_id=shop, amount_minor=self.amount(500)), _nothing

    def hold(self, currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        held = rules.balance_held(
            self.event(currency), user_id=self.dice.choice(USERS),
            merchant_id=self.dice.choice(MERCHANTS), amount_minor=self.amount(),
            expires_at_ms=START_MS + 5,
        )  # fmt: skip
        return held, lambda: self.holds.extend(held)

    def hold_end(self, _currency: str) -> tuple[list[Transfer], Callable[[], None]]:
        if not self.holds:
            return [], _nothing
        held = self.dice.choice(self.holds)  # also one that has ended: refused
        event = self.event(held.currency)
        if self.dice.random() < 0.5:
            return rules.hold_voided(event, held), _nothing
        part = self.dice.randint(1, held.amount_minor + 1)
        return rules.hold_posted(event, held, amount_minor=part), _nothing

    def check(self) -> None:
        """Everything the ledger promises, and the tally's balances."""
        report = self.books.report()
        assert report.breaks == []
        rows = self.books.read(lambda repository: list(repository.accounts()))
        stored = {row["id"]: row["debits_posted"] - row["credits_posted"] for row in rows}
        assert {k: v for k, v in stored.items() if v} == {k: v for k, v in self.tally.items() if v}
        for currency in CURRENCIES:
            owed = sum(amount for _, its, amount in self.transit if its == currency)
            assert stored.get(client("PAYOUT", currency), 0) == -owed


def _nothing() -> None:
    return


@pytest.mark.parametrize("seed", range(8))
def test_random_business_keeps_every_promise_after_every_step(tmp_path: Path, seed: int) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    upgrade(url)
    with open_books(url) as books:
        business = Business(books, seed)
        for _ in range(STEPS):
            business.step()
            business.check()
        assert books.balance(customer("ann", "CNY")) >= 0


def test_fifty_refunds_give_back_the_fee_exactly(migrated_url: str) -> None:
    with open_books(migrated_url) as books:
        books.fund("ann", 10_000)
        fee = fee_half_up(10_000, FEE_BPS)
        books.post(
            rules.balance_paid(Event("pay_1", "CNY", DATE), user_id="ann", merchant_id="shop",
                               amount_minor=10_000, fee_minor=fee)
        )  # fmt: skip
        for number in range(50):
            back = fee_returned(
                refunded_before_minor=number * 200, refund_minor=200, fee_bps=FEE_BPS
            )
            books.post(
                rules.balance_refunded(
                    Event(f"rfd_{number}", "CNY", DATE),
                    user_id="ann",
                    sources=[(merchant_pending("shop", "CNY"), 200)],
                    fee_back_minor=back,
                    refers_to="pay_1:1",
                )
            )
        assert books.balance("C:CUST:ann:CNY") == 10_000
        assert books.balance("C:UNSWEPT:CNY") == books.balance("C:MPEND:shop:CNY") == 0
        assert books.report().breaks == []
