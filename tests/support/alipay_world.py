"""Alipay's gateway in the test's own process, a buyer with a telephone, and our adapter to it."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.channels.alipay.adapter import Alipay, App
from backend.channels.model import OpenCode
from backend.sandbox.alipay.authority import Authority, make_authority
from backend.sandbox.alipay.days import PAYEE, Days, Tickets
from backend.sandbox.alipay.gateway import Gateway, notice_of
from backend.sandbox.alipay.notices import Notices
from backend.sandbox.alipay.program import build_app
from backend.sandbox.alipay.trades import Trades
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.house import House, furnish
from protocol.clock import Clock
from protocol.crypto.keys import generate
from protocol.money import Money
from tests.support.houses import NearReserve, served

APP, BUYER = "2021000000000001", "lilei@example.com"
OPENING_MINOR = 100_000
DAY_MS = 86_400_000
RESERVE = "RESERVE-TILLWAY"


@cache
def rsa_key(_whose: str) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def authority(now_ms: int) -> Authority:
    return make_authority(rsa_key("alipay"), now_ms)


def key_text(key: RSAPrivateKey) -> str:
    """The public key as a console shows it."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def opened_plainly(_order_id: str, token: str) -> str:
    """Where a test gives the adapter the code itself."""
    return token


@dataclass
class AlipayWorld:
    """A gateway that listens, the buyer, us, and the reserve bank."""

    url: str
    house: House
    gateway: Gateway
    adapter: Alipay
    reserve_bank: NearReserve
    notices: Notices

    def code(self) -> str:
        """What the buyer's telephone shows now."""
        return self.gateway.trades.show_code(BUYER, self.house.clock.now_ms())

    def confirm(self, what: str) -> None:
        """The buyer enters the password."""
        self.gateway.trades.confirm(BUYER, what, self.house.clock.now_ms())

    def waiting(self) -> list[str]:
        """What waits for the password."""
        return self.gateway.trades.waiting(BUYER, self.house.clock.now_ms())

    def arm(self, **counts: int) -> None:
        self.house.faults.arm(counts)

    def left_minor(self) -> int:
        return self.house.books.balance(BUYER).amount_minor

    async def next_day(self) -> None:
        """Midnight passes at the gateway."""
        self.house.clock.advance(DAY_MS)
        self.gateway.days.close(self.house.clock.today())
        await self.gateway.days.outbox.tell(self.reserve_bank)


@asynccontextmanager
async def alipay_world(
    clock: Clock, *, open_code: OpenCode = opened_plainly
) -> AsyncIterator[AlipayWorld]:
    """The world, served on a port of its own."""
    house = furnish("alipay", Books(":memory:"), clock=clock, key=generate("ES256"), peers={})
    counter = iter(range(1, 10**6))
    trades = Trades(house.books, lambda count: f"{next(counter):0{count}}", lends_to=APP)
    days = Days(house.books, replace(PAYEE, number=APP, reserve=RESERVE))
    now_ms = house.clock.now_ms()
    notices = Notices(house.books, rsa_key("alipay"), house.clock)
    trades.tell = notice_of(trades, notices)
    gateway = Gateway(
        house, trades, rsa_key("alipay"), days, Tickets(house.clock), authority(now_ms)
    )
    gateway.add_app(APP, base64.b64decode(key_text(rsa_key("seller"))))
    opening = Money(OPENING_MINOR, "CNY")
    trades.open_buyer(BUYER, opening, password_free=50_000, now_ms=now_ms)
    async with served(build_app(gateway)) as url:
        app = App(APP, rsa_key("seller"), rsa_key("alipay").public_key())
        adapter = Alipay(find=lambda: url, app=app, clock=house.clock, open_code=open_code)
        yield AlipayWorld(url, house, gateway, adapter, NearReserve(), notices)
        await adapter.close()
    await notices.close()
    house.books.close()
