"""A shop on a real database with a clock that only the test moves: no process, no network."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from structlog.testing import capture_logs

from backend.channels.facts import DEFAULT_FACTS
from backend.channels.model import ChannelAnswer
from backend.db.command import Command, Outcome, Seal
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.instruments.model import HOME_CHANNELS, InstrumentKind
from backend.instruments.service import AddInstrument, ChooseDefault
from backend.ledger.repository import LedgerRepository
from backend.ledger.service import LedgerSeal
from backend.ledger.verify import Report, verify
from backend.mandates.service import CreateMandate
from backend.merchants.service import CreateMerchant
from backend.payments.model import DeviceRequest, PaymentRules
from backend.payments.requests import command_of, parse_request
from backend.risk.judging.engine import Engine
from backend.risk.judging.memory import remember_committed
from backend.risk.model import RiskRules
from backend.routing.model import Routing
from backend.sagas.model import Ask
from backend.sagas.ports import Word
from backend.sagas.service import ClaimSagas
from backend.topups.service import OrderTopUp, ResolveTopUp
from backend.wallet.limits import PIN_FREE_PER_DAY_MAX
from backend.wallet.model import WalletRules, hash_token
from backend.wallet.service import CreatePayer
from protocol.crypto.keys import SigningKey, generate
from protocol.ids import mint
from protocol.messages.mandate import MandateText, sign_mandate
from protocol.money import AMOUNT_MINOR_MAX, Money
from protocol.paycode import make_code, wallet_secret

START_MS = 1_795_406_400_000  # 2026-11-23T12:00:00 in the shop
MASTER_KEY = bytes(range(32))
MERCHANT, OTHER_MERCHANT = "mch_1001", "mch_1002"
BIOMETRIC_ABOVE = 100_000
UNLIMITED: dict[str, Any] = {
    "pin_free_day_count": PIN_FREE_PER_DAY_MAX,
    "pin_free_day_minor": AMOUNT_MINOR_MAX,
}
"""Payers who never need a PIN for the day's sake; most tests are not about it."""


TOP_UP_MINOR_MAX = DEFAULT_FACTS["NUCC"].amount_minor_max


def confirmed_top_up(topup_id: str, payer_id: str, amount_minor: int) -> tuple[Command, ...]:
    """A top-up's order, its claim and the channel's word on it."""
    order = OrderTopUp(
        topup_id=topup_id,
        payer_id=payer_id,
        bank_account="CARD",
        amount=Money(amount_minor, "CNY"),
        rules=PaymentRules(code_master_key=MASTER_KEY, routing=Routing(facts=DEFAULT_FACTS)),
    )
    answer = ChannelAnswer(topup_id, "succeeded", "", "", "2026-11-23")
    resolve = ResolveTopUp(saga_id=topup_id, word=Word(ask=Ask.SEND, answer=answer))
    return order, ClaimSagas(saga_ids=(topup_id,)), resolve


def bugs_in(logs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What the writer logs when a command has a bug that its callers may not notice."""
    return [log for log in logs if log["event"] in {"command_bug", "group_bug", "group_failed"}]


class ShopClock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.at_ms = START_MS

    def now_ms(self) -> int:
        return self.at_ms


@dataclass
class Shop:
    """Two merchants, any number of payers, devices by name."""

    url: str
    risk: RiskRules = field(default_factory=RiskRules)
    clock: ShopClock = field(default_factory=ShopClock)
    first_id: int = 1
    """Where the ids of ``id`` begin: two shops that one channel sees have others."""
    engine: Engine | None = None
    """The risk engine; most tests are not about it."""

    wallet: WalletRules = field(default_factory=partial(WalletRules, **UNLIMITED))
    seals: Sequence[Seal] = field(default_factory=lambda: (LedgerSeal(),))

    def __post_init__(self) -> None:
        self._numbers = count(self.first_id)
        self._codes: dict[tuple[str, int], int] = {}
        self._engine = open_engine(self.url)
        self.writer = GroupCommitWriter(
            open_store(self._engine),
            clock=self.clock,
            seals=self.seals,
            observers=[partial(remember_committed, self.engine.desk)] if self.engine else [],
        )
        self.reader = Reader.open(self.url)
        self.rules = PaymentRules(
            code_master_key=MASTER_KEY,
            risk=self.risk,
            wallet=self.wallet,
            engine=self.engine,
            routing=Routing(facts=DEFAULT_FACTS),
        )
        self.routes: dict[str, int] = {}
        self.keys: dict[str, SigningKey] = {}

    def close(self) -> None:
        self.writer.close()
        self.reader.close()
        self._engine.dispose()

    def id(self, prefix: str) -> str:
        """A new id, the same in every run."""
        raw = hashlib.sha256(f"{next(self._numbers)}".encode()).digest()[:10]
        return mint(prefix, time_ms=self.clock.at_ms, random_bytes=raw)

    def apply(self, *commands: Command) -> list[Outcome]:
        return self.writer.apply(list(commands))

    def do(self, command: Command) -> Any:
        """The command's answer; raises its error."""
        return self.apply(command)[0].value()

    def add_merchant(self, merchant_id: str = MERCHANT, **changes: Any) -> Any:
        fields: dict[str, Any] = {
            "merchant_id": merchant_id,
            "name": "晨光便利店",
            "currency": "CNY",
            "rate_bps": 60,
            "min_minor": 0,
            "cap_minor": 0,
            "payout_bank": "bank_a",
            "payout_account_name": "晨光商贸有限公司",
            "payout_account_no": "6222000000001234",
            "biometric_above_minor": BIOMETRIC_ABOVE,
        }
        return self.do(CreateMerchant(**(fields | changes)))

    def add_payer(self, *, balance_minor: int = 0, name: str = "李雷") -> str:
        payer_id = self.id("pyr")
        key = self.keys[payer_id] = generate("Ed25519")
        row = self.do(
            CreatePayer(
                payer_id=payer_id,
                name=name,
                key_suite=key.suite.name,
                key_public=key.public.public,
                pin_salt=b"s" * 16,
                pin_hash=b"h" * 32,
                token_hash=hash_token(f"token of {payer_id}"),
            )
        )
        self.routes[payer_id] = row["route"]
        if balance_minor:
            self.top_up(payer_id, balance_minor)
        return payer_id

    def add_instrument(
        self,
        payer_id: str,
        kind: str,
        *,
        token: str,
        is_default: bool = True,
        channels: Sequence[str] = (),
    ) -> str:
        """A card or a fund account, under the same token at its home channels or those that are
        named; as the default, it pays what a pay code asks for."""
        instrument_id = self.id("ins")
        self.do(
            AddInstrument(
                instrument_id=instrument_id,
                payer_id=payer_id,
                kind=InstrumentKind(kind),
                bank="招商银行",
                last4="1234",
                tokens=dict.fromkeys(channels or HOME_CHANNELS[InstrumentKind(kind)], token),
            )
        )
        if is_default:
            self.do(ChooseDefault(instrument_id=instrument_id, payer_id=payer_id))
        return instrument_id

    def top_up(self, payer_id: str, amount_minor: int) -> None:
        """Money from the payer's bank account, the channel's word at once; in parts where it is
        more than the channel takes in one."""
        for left in range(amount_minor, 0, -TOP_UP_MINOR_MAX):
            part = min(left, TOP_UP_MINOR_MAX)
            for command in confirmed_top_up(self.id("top"), payer_id, part):
                self.do(command)

    def code(self, payer_id: str) -> str:
        """The payer's next pay code, made as a wallet makes it."""
        route, step = self.routes[payer_id], self.clock.at_ms // 30_000
        counter = self._codes.get((payer_id, step), 0)
        self._codes[payer_id, step] = counter + 1
        if counter >= 4:
            self.clock.at_ms += 30_000
            return self.code(payer_id)
        secret = wallet_secret(MASTER_KEY, route)
        return make_code(secret, route=route, at_ms=self.clock.at_ms, counter=counter)

    def add_mandate(self, payer_id: str, *, device: str = "vend1", **changes: Any) -> str:
        fields: dict[str, Any] = {
            "mandate_id": self.id("mdt"),
            "payer_id": payer_id,
            "merchant_id": MERCHANT,
            "device": device,
            "currency": "CNY",
            "limit_payment_minor": 1_000,
            "limit_day_minor": 2_500,
            "valid_from_ms": START_MS,
            "valid_until_ms": START_MS + 30 * 24 * 3_600_000,
        }
        text = MandateText(**(fields | changes))
        signed = sign_mandate(text, self.keys[payer_id])
        self.do(CreateMandate(payer_id=payer_id, signed=signed))
        return text.mandate_id

    def request(
        self,
        message_type: str,
        body: dict[str, Any],
        *,
        device: str = "pos1",
        merchant_id: str = MERCHANT,
        request_id: str | None = None,
    ) -> DeviceRequest:
        checked = parse_request(message_type, body)
        request_id = request_id or self.id("req")
        content = f"{message_type}|{request_id}|{device}|{sorted(body.items())}"
        return DeviceRequest(
            request_id=request_id,
            device=device,
            store=f"store-of-{merchant_id}",
            merchant_id=merchant_id,
            message_type=message_type,
            body=checked,
            content_hash=hashlib.sha256(content.encode()).digest(),
            received_at_ms=self.clock.at_ms,
            trace_id="trace-1",
        )

    def command(self, request: DeviceRequest) -> Command:
        return command_of(request, self.rules)

    def ask(self, message_type: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Send a request as a device would; the answer's body with its type as ``type``."""
        answer_type, answer = self.do(self.command(self.request(message_type, body, **options)))
        return {"type": answer_type, **answer}

    def create_body(self, method: str, amount_minor: int, **changes: Any) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "payment_id": self.id("pay"),
            "attempt_id": self.id("att"),
            "method": method,
            "amount_minor": amount_minor,
            "currency": "CNY",
            "merchant_id": MERCHANT,
            "till": "till-1",
        }
        return fields | changes

    def pay(self, payer_id: str, amount_minor: int, **changes: Any) -> dict[str, Any]:
        """A payment by pay code."""
        body = self.create_body("pay_code", amount_minor, pay_code=self.code(payer_id), **changes)
        return self.ask("payment.create", body)

    def show_qr(self, amount_minor: int, **changes: Any) -> dict[str, Any]:
        return self.ask("payment.create", self.create_body("merchant_qr", amount_minor, **changes))

    def refund(self, payment_id: str, amount_minor: int, **options: Any) -> dict[str, Any]:
        body = {
            "refund_id": self.id("rfd"),
            "payment_id": payment_id,
            "amount_minor": amount_minor,
            "currency": "CNY",
            "till": "till-1",
        }
        return self.ask("refund.create", body, **options)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Look into the database."""
        with self.reader.snapshot() as connection:
            return [dict(row) for row in connection.exec_driver_sql(query).mappings()]

    def balance(self, account_id: str) -> int:
        with self.reader.snapshot() as connection:
            rows = list(LedgerRepository(connection).accounts(account_id, limit=1))
        if not rows or rows[0]["id"] != account_id:
            return 0
        net = int(rows[0]["debits_posted"] - rows[0]["credits_posted"])
        return net if rows[0]["side"] == "debit" else -net

    def payer_balance(self, payer_id: str) -> int:
        return self.balance(f"C:CUST:{payer_id}:CNY")

    def verify(self) -> Report:
        with self.reader.snapshot() as connection:
            return verify(LedgerRepository(connection))


@contextmanager
def shop_of_two(url: str, **options: Any) -> Iterator[Shop]:
    """A shop with two merchants. A bug that the writer swallows fails at the end."""
    shop = Shop(url, **options)
    shop.add_merchant()
    shop.add_merchant(OTHER_MERCHANT)
    with capture_logs() as logs:
        yield shop
    shop.close()
    assert not bugs_in(logs)
