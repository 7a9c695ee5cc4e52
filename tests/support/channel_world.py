"""A shop beside its channels: payers whose cards and fund accounts a sandbox bank keeps."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from structlog.testing import capture_logs

from backend.channels.model import (
    ADVANCING_BANK,
    CUP,
    FUND,
    NUCC,
)
from backend.sagas.repository import SagaRepository
from protocol.money import Money
from tests.support.channels import near_channels, runner_of
from tests.support.institutions import NearInstitutions
from tests.support.shop import Shop, bugs_in

CARD_TOKEN, FUND_TOKEN = "tok_payers_card", "tok_payers_fund"


@contextmanager
def quiet_channel_world(url: str) -> Iterator["ChannelWorld"]:
    """A shop with one merchant beside its channels. At its end no bug may have been logged."""
    shop = Shop(url)
    shop.add_merchant()
    world = ChannelWorld(shop)
    with capture_logs() as logs:
        yield world
    world.close()
    shop.close()
    assert not bugs_in(logs)


@dataclass
class ChannelWorld:
    """A shop, a sandbox bank with a payer's card and fund account, and the runner between them."""

    shop: Shop
    card_minor: int = 50_000
    _payers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.near = NearInstitutions(self.shop.clock)
        self.bank = self.near.bank
        self.channels = near_channels(self.near.world)
        self.card, self.fund = self.channels[NUCC], self.channels[ADVANCING_BANK]
        self.cup = self.channels[CUP]
        self.runner = runner_of(self.shop, {**self.channels})
        opening = Money(self.card_minor, "CNY")
        for channel, token, account in (
            (self.card, CARD_TOKEN, "CARD-1"),
            (self.fund, FUND_TOKEN, "FUND-1"),
        ):
            self.bank.open_account(account, "李雷", opening, day=channel.day())
            channel.book.bind(token, account)
        self.cup.book.bind(CARD_TOKEN, "CARD-1")
        self.channels[FUND].book.bind(FUND_TOKEN, "FUND-1")

    def close(self) -> None:
        self.near.close()

    def card_payer(self, *channels: str) -> str:
        """The payer whose pay codes are paid by the card: through the clearing house, or those
        channels that are named."""
        return self._payer("card", CARD_TOKEN, channels)

    def fund_payer(self) -> str:
        """The payer whose pay codes are paid by the fund."""
        return self._payer("fund", FUND_TOKEN)

    def _payer(self, kind: str, token: str, channels: Sequence[str] = ()) -> str:
        if kind not in self._payers:
            self._payers[kind] = self.shop.add_payer()
            self.shop.add_instrument(self._payers[kind], kind, token=token, channels=channels)
        return self._payers[kind]

    def charged(self, account: str = "CARD-1") -> int:
        """What has left a payer's account, net."""
        return self.card_minor - self.bank.balance(account).amount_minor

    async def wait(self, *, seconds: int = 1) -> None:
        """Let time pass, then carry on what is due."""
        self.shop.clock.at_ms += seconds * 1000
        await self.runner.run_due()

    async def finish(self) -> None:
        """Let time pass until no conversation is open."""
        for _ in range(40):
            if not await self.runner.settle(date.max):
                return
            self.shop.clock.at_ms += 60_000
        raise AssertionError("a conversation does not end")

    def settle_card(self) -> None:
        """The card channel closes its present day early, and has paid it."""
        self.card.close_early(self.card.day())

    def state(self, payment_id: str) -> str:
        return str(self.shop.ask("payment.query", {"payment_id": payment_id})["state"])

    def sagas(self, payment_id: str) -> dict[str, str]:
        """The conversations of a payment: id → state."""
        rows = SagaRepository(self.shop.reader).of_payment(payment_id)
        return {row["saga_id"]: row["state"] for row in rows}

    def timeline(self, saga_id: str) -> list[str]:
        """What happened in a conversation."""
        return [row["event"] for row in SagaRepository(self.shop.reader).timeline(saga_id)]

    def check_quiet(self) -> None:
        """Nothing is pending, the ledger proves itself, and the channel agrees with the books."""
        assert self.shop.verify().is_whole
        assert not self.shop.rows("SELECT id FROM ledger_hold WHERE state = 'pending'")
        assert self.shop.balance("C:REFUND:CNY") == self.shop.balance("C:LONG:CNY") == 0
        days = {row["settlement_date"] for row in self.shop.rows("SELECT * FROM saga")} - {""}
        for name, channel in self.channels.items():
            nets = {day: channel.net(date.fromisoformat(day)) for day in days}
            if name == FUND:
                assert self.shop.balance("O:ADVANCE:CNY") == sum(nets.values())
                continue
            for day, net in nets.items():
                given = self.given_minor(day) if name == NUCC else 0
                assert self.shop.balance(f"C:CH:{name}.{day}:CNY") == net + given

    def given_minor(self, day: str) -> int:
        """What ``Shop.top_up`` has given payers on a day, behind the channel's back."""
        rows = self.shop.rows(f"SELECT * FROM topup WHERE settlement_date = '{day}'")
        unknown = (row for row in rows if self.card.book.order(row["topup_id"]) is None)
        return sum(row["amount_minor"] for row in unknown)
