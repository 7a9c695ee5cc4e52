"""A payer's wallet in a running backend, and a till that sells to it."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from playwright.async_api import CDPSession, Page, ViewportSize

from backend.channels.netsunion import Reserve
from backend.channels.signed_http import by_kid, key_text
from backend.clock import OffsetClock, SystemClock
from backend.coupons.service import IssueCoupon
from backend.devices.model import DeviceKind
from backend.devices.service import CreateStore, EnrolDevice, NewKey
from backend.instruments.model import HOME_CHANNELS, InstrumentKind
from backend.instruments.service import AddInstrument
from backend.mandates.service import CreateMandate
from backend.merchant_api.papay.schemas import NewContract, NewPlan
from backend.merchant_api.payscore.schemas import NewService
from backend.pay_page.service import MakeStaticCode
from backend.payments.model import DeviceRequest
from backend.payments.repository import PaymentRepository
from backend.payments.requests import command_of, parse_request
from backend.sandbox.netsunion.clearing_house import ClearingHouse
from backend.wallet.desk import WalletDesk
from protocol.crypto import SigningKey, VerifyKey, generate
from protocol.errors import CallerError
from protocol.messages.mandate import MandateText, sign_mandate
from protocol.money import Money
from protocol.paycode import STEP_MS
from tests.kit.patience import PATIENCE_S
from tests.support.backend import MERCHANT, Served, a_merchant, mint, served
from tests.support.merchant_caller import Caller
from tests.support.netsunion_world import ACCOUNT, clearing_house, serving
from tests.support.shop import confirmed_top_up

PIN = "482913"
PHONE: ViewportSize = {"width": 390, "height": 844}
DAY_MS = 24 * 3_600_000
AGREEMENT = "agr_phone_0001"
CARD_NUMBER = "6222021234567894"
"""A bank card in Li Na's own name, which her wallet does not have."""


@dataclass
class Phone:
    """One payer, Li Na, with a token for a browser; and what happens around her."""

    served: Served
    payer_id: str
    token: str
    key: SigningKey
    desk: WalletDesk
    clearing: ClearingHouse
    """What charges her card."""
    _numbers: Any = field(default_factory=lambda: count(1))

    @property
    def base(self) -> str:
        """By its name, where a browser lets a page ask for a finger."""
        return self.numbered.replace("127.0.0.1", "localhost")

    @property
    def numbered(self) -> str:
        """The same page by its number."""
        return self.served.url("public")

    def id(self, prefix: str) -> str:
        return mint(prefix, next(self._numbers), self.payer_id)

    async def sell(
        self, amount_minor: int, *, device: str = "till-1", **more: Any
    ) -> dict[str, Any]:
        """A till's payment, as its hub would send it: by ``pay_code``, or a shown code; or what
        another ``device`` asks for."""
        services = self.served.backend.services
        wanted = {
            "payment_id": self.id("pay"), "attempt_id": self.id("att"),
            "method": "pay_code" if "pay_code" in more else "merchant_qr",
            "amount_minor": amount_minor, "currency": "CNY", "merchant_id": MERCHANT,
            "till": device, **more,
        }  # fmt: skip
        request = DeviceRequest(
            request_id=self.id("req"), device=device, store="store-1", merchant_id=MERCHANT,
            message_type="payment.create", body=parse_request("payment.create", wanted),
            content_hash=b"", received_at_ms=services.clock.now_ms(), trace_id="",
        )  # fmt: skip
        _, answer = await services.submit(command_of(request, services.rules))
        return dict(answer)

    def let_codes_renew(self) -> None:
        """Half a minute later, when a wallet may show four other codes."""
        clock = self.served.backend.clock
        assert isinstance(clock, OffsetClock)
        clock.advance(STEP_MS)

    async def charge(self, mandate_id: str, device: str) -> str:
        """A charger's payment by a mandate, which it explains; its number."""
        ended_at_ms = self.served.backend.clock.now_ms()
        line = {
            "what": "energy", "quantity": 11_416, "unit": "Wh", "price_minor": 150, "per": 1_000,
            "amount_minor": 1_712,
        }  # fmt: skip
        said = {
            "thing": "charge", "reason": "limit_reached", "lines": [line], "readings": [],
            "began_at_ms": ended_at_ms - 2_460_000, "ended_at_ms": ended_at_ms,
        }  # fmt: skip
        paid = await self.sell(
            1_712, device=device, method="mandate", mandate_id=mandate_id, explanation=said
        )
        return str(paid["payment_id"])

    async def state(self, payment_id: str) -> str:
        return str((await self.desk.bill(self.payer_id, payment_id))["state"])

    async def until_captured(self, payment_id: str) -> None:
        """Wait for the money to have moved, which no page may have told."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self._is_captured(payment_id):  # noqa: ASYNC110  # a row has no event
                await asyncio.sleep(0.02)

    async def _is_captured(self, payment_id: str) -> bool:
        try:
            return await self.state(payment_id) == "captured"
        except CallerError as error:
            assert error.code == "payment_not_found"
            return False

    async def state_seen(self, payment_id: str) -> str:
        """As the merchant sees it, also while no payer is known."""
        services = self.served.backend.services
        row = await services.run_read(
            lambda: PaymentRepository(services.reader).payment(payment_id)
        )
        return str(row["state"])

    async def agree(self, device: str) -> str:
        """A mandate for a device, signed by the payer's key."""
        now_ms = self.served.backend.clock.now_ms()
        text = MandateText(
            mandate_id=self.id("mdt"), payer_id=self.payer_id, merchant_id=MERCHANT,
            device=device, currency="CNY", limit_payment_minor=3_000, limit_day_minor=10_000,
            valid_from_ms=now_ms, valid_until_ms=now_ms + 90 * DAY_MS,
        )  # fmt: skip
        signed = sign_mandate(text, self.key)
        await self._do(CreateMandate(payer_id=self.payer_id, signed=signed))
        return text.mandate_id

    async def proposals(self, *, name: str, service: str) -> tuple[str, str]:
        """A contract and a service that the merchant's program wants signed."""
        api = self.served.backend.merchant_api
        csr = b64encode(Caller.csr()).decode()
        made = await api.accounts.open(merchant_id=MERCHANT, csr=csr, key_mode="certificate")
        account = await api.accounts.account(made["mchid"])
        assert account is not None
        plan = {
            "plan_id": 12_535, "mchid": made["mchid"], "name": name,
            "limit_payment_minor": 5_000, "limit_day_minor": 8_000, "notice_hours": None,
        }  # fmt: skip
        await api.contracts.add_plan(NewPlan.model_validate(plan))
        wish = {
            "sign_scene": "SIGN_SCENE_QRCODE", "appid": made["appid"], "plan_id": 12_535,
            "out_contract_code": "code-1", "contract_display_account": "li.na",
            "contract_notify_url": "https://shop.example/contract",
        }  # fmt: skip
        contract = await api.contracts.propose(account, NewContract.model_validate(wish))
        asked = {
            "out_order_no": "svc-1", "appid": made["appid"], "service_id": "12535",
            "service_introduction": service, "time_range": {"start_time": "OnAccept"},
            "risk_fund": {"name": "DEPOSIT", "amount": 4_900}, "need_user_confirm": True,
            "notify_url": "https://shop.example/service",
        }  # fmt: skip
        order = await api.agreed.create(account, NewService.model_validate(asked))
        return contract["contract_id"], order["order_id"]

    async def hang_code(self) -> str:
        """A code that hangs in the merchant's shop; its id."""
        made = MakeStaticCode(code_id="cmqtjl3qzw5hu", merchant_id=MERCHANT, label="柜台 Counter")
        await self._do(made)
        return made.code_id

    async def fill(self) -> None:
        """A coupon and a card."""
        now_ms = self.served.backend.clock.now_ms()
        await self._do(IssueCoupon(
            coupon_id=self.id("cpn"), payer_id=self.payer_id, merchant_id=None, amount_minor=500,
            currency="CNY", minimum_minor=2_000, valid_from_ms=now_ms,
            valid_until_ms=now_ms + 30 * DAY_MS,
        ))  # fmt: skip
        tokens = dict.fromkeys(HOME_CHANNELS[InstrumentKind.CARD], AGREEMENT)
        await self._do(AddInstrument(
            instrument_id=self.id("ins"), payer_id=self.payer_id, kind=InstrumentKind.CARD,
            bank="招商银行", last4="1234", tokens=tokens,
        ))  # fmt: skip

    async def _do(self, command: Any) -> None:
        await self.served.backend.services.submit(command)


_PLATFORM = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
    "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@dataclass(frozen=True)
class Finger:
    """What a device verifies."""

    line: CDPSession
    id: str

    async def is_known(self, *, is_known: bool) -> None:
        """Whether the finger that touches is the owner's."""
        told = {"authenticatorId": self.id, "isUserVerified": is_known}
        await self.line.send("WebAuthn.setUserVerified", told)


@asynccontextmanager
async def running_phone(directory: Path, *, shop: str = "街角小店") -> AsyncIterator[Phone]:
    """A backend over TLS with one merchant and one payer, who has 2,000 yuan. A clearing house
    charges the card that ``fill`` gives; the reserve bank is configured, and not there."""
    key, peers = generate(), dict[str, VerifyKey]()
    clearing = clearing_house(SystemClock(), key, peers)
    clearing.book.bind(AGREEMENT, ACCOUNT)
    bank, opening = Reserve().payers_bank, Money(100_000, "CNY")
    clearing.customers.open(CARD_NUMBER, "李娜", bank, opening, day=clearing.today())
    async with serving(clearing, peers) as url:
        there, nowhere = key_text(key.public), "http://127.0.0.1:9"
        changes = {
            "reserve_bank": {"url": nowhere, "key": there},
            "netsunion": {"url": url, "key": there},
        }
        switches = {"failure_switches": True}
        async with served(
            directory, wallet=switches, institutions=changes, opening_links=True, clock_control=True
        ) as (found, _):
            peers.update(by_kid(found.backend.state.identity.signing_key.public))
            yield await _open(found, shop, clearing)


MACHINE, _STORE = "vending-08", "store-machines"
"""A thing of the merchant's, for which a payer may sign."""


async def _open(found: Served, shop: str, clearing: ClearingHouse) -> Phone:
    submit = found.backend.services.submit
    await submit(replace(a_merchant(), name=shop))
    await submit(CreateStore(store=_STORE, merchant_id=MERCHANT, name="自助售货"))
    machine = NewKey(suite="Ed25519", public_key=bytes(32), kid=MACHINE.encode())
    await submit(
        EnrolDevice(
            tid=MACHINE, kind=DeviceKind.THING, store=_STORE, key=machine, actor="test",
            is_active=True,
        )
    )  # fmt: skip
    payer_id, key = mint("pyr", 1), generate()
    desk = WalletDesk(found.backend.services)
    made = await desk.create_payer(
        payer_id=payer_id, name="李娜", pin=PIN, key_suite="SM2-SM3",
        key_public=key.public.public,
    )  # fmt: skip
    for command in confirmed_top_up(mint("top", 1), payer_id, 200_000):
        await submit(command)
    return Phone(found, payer_id, made["token"], key, desk, clearing)


async def open_wallet(phone: Phone, page: Page, language: str = "zh") -> None:
    """Sign in as a tester does: paste the token."""
    await page.goto(f"{phone.base}/wallet?lang={language}")
    await page.fill("#token", phone.token)
    await page.click("button.primary")
    await page.wait_for_selector("[data-code]")


async def give_finger(page: Page) -> Finger:
    """Let this page's device verify a finger, as a phone does: Chromium's virtual authenticator."""
    line = await page.context.new_cdp_session(page)
    await line.send("WebAuthn.enable", {"enableUI": False})
    made = await line.send("WebAuthn.addVirtualAuthenticator", {"options": _PLATFORM})
    return Finger(line, made["authenticatorId"])


async def add_finger(phone: Phone, page: Page) -> None:
    """Let it stand for the PIN in this wallet."""
    await page.goto(f"{phone.base}/wallet/passkeys")
    await page.fill("#passkey_pin", PIN)
    await page.click("[data-passkey-add]")
    await page.wait_for_selector(".rows li")


async def shown_code(page: Page) -> str:
    """The pay code on the phone's screen."""
    return str(await page.get_attribute("[data-code]", "data-code"))
