"""UnionPay's QR gateway in the test's own process, a payer with a telephone, and our adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from backend.channels.acp.adapter import Merchant, UnionPayQr
from backend.channels.model import OpenCode
from backend.sandbox.acp.days import PAYEE, Days, business_day
from backend.sandbox.acp.gateway import Gateway, Seal
from backend.sandbox.acp.program import build_app, make_seal
from backend.sandbox.acp.transactions import Transactions
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.house import House, furnish
from protocol.clock import Clock
from protocol.crypto.keys import generate
from protocol.money import Money
from tests.support.alipay_world import opened_plainly
from tests.support.houses import NearReserve, served

MER_ID, PAYER = "777290058110048", "hanmeimei"
OPENING_MINOR = 100_000
DAY_MS = 86_400_000


@cache
def seal_of(_whose: str, at_s: int) -> tuple[RSAPrivateKey, x509.Certificate, x509.Certificate]:
    return make_seal(datetime.fromtimestamp(at_s, UTC))


@dataclass
class AcpWorld:
    """A gateway that listens, the payer, us, and the reserve bank."""

    url: str
    house: House
    gateway: Gateway
    adapter: UnionPayQr
    reserve_bank: NearReserve

    def code(self) -> str:
        """What the payer's telephone shows now."""
        return self.gateway.transactions.show_code(PAYER, self.house.clock.now_ms())

    def confirm(self, what: str) -> None:
        """The payer enters the password."""
        self.gateway.transactions.confirm(PAYER, what, self.house.clock.now_ms())

    def waiting(self) -> list[str]:
        """What waits for the password."""
        return self.gateway.transactions.waiting(PAYER, self.house.clock.now_ms())

    def arm(self, **counts: int) -> None:
        self.house.faults.arm(counts)

    def left_minor(self) -> int:
        return self.house.books.balance(PAYER).amount_minor

    async def next_day(self) -> None:
        """The gateway's day ends."""
        self.house.clock.advance(DAY_MS)
        self.gateway.days.close(business_day(self.house.clock.now_ms()))
        await self.gateway.days.outbox.tell(self.reserve_bank)


@asynccontextmanager
async def acp_world(
    clock: Clock, *, open_code: OpenCode = opened_plainly
) -> AsyncIterator[AcpWorld]:
    """The world, served on a port of its own."""
    house = furnish("acp", Books(":memory:"), clock=clock, key=generate("ES256"), peers={})
    counter = iter(range(1, 10**6))
    transactions = Transactions(
        house.books,
        lambda count: f"{next(counter):0{count}}",
        business_day=business_day,
        lends_to=MER_ID,
    )
    at_s = clock.now_ms() // 1000
    key, certificate, _ = seal_of("merchant", at_s)
    seal = Seal(*seal_of("gateway", at_s))
    gateway = Gateway(house, transactions, seal, Days(house.books, replace(PAYEE, number=MER_ID)))
    cert_id = gateway.add_merchant(MER_ID, certificate.public_bytes(Encoding.PEM))
    opening, now_ms = Money(OPENING_MINOR, "CNY"), house.clock.now_ms()
    transactions.open_payer(PAYER, opening, password_free=50_000, now_ms=now_ms)
    async with served(build_app(gateway)) as url:
        adapter = UnionPayQr(
            find=lambda: url,
            find_files=lambda: url,
            merchant=Merchant(MER_ID, "10000001", cert_id, key, seal.root),
            clock=house.clock,
            open_code=open_code,
        )
        yield AcpWorld(url, house, gateway, adapter, NearReserve())
        await adapter.close()
    house.books.close()
