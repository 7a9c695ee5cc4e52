"""What the page does, without HTTP: who opens a code is sent on, or shown what there is to pay."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from backend.pay_page.limits import CODE_BYTES
from backend.pay_page.model import STATIC_PATH, code_id_of
from backend.pay_page.repository import PageRepository
from backend.pay_page.service import ACTIVE, MakeStaticCode, OpenByWallet, StopStaticCode
from backend.payments.create import CreatePayment
from backend.payments.model import DeviceRequest
from backend.payments.services import Services
from protocol import ids
from protocol.errors import CallerError
from protocol.messages import PaymentCreate
from protocol.payment import WAITING_STATES, PaymentState

CarryOn = Callable[[str], Awaitable[None]]
"""Speaks with a conversation's channel now, and returns when it has."""
_NO_STORE, _TILL = "", "static-code"


@dataclass(frozen=True, slots=True)
class Opened:
    """What there is to pay. ``address``: where this wallet pays it; empty where it has no way of
    its own from here."""

    payment: dict[str, Any]
    address: str = ""


class PageDesk:
    """One per process. ``carry_on`` is None where no channel is configured."""

    def __init__(self, services: Services, carry_on: CarryOn | None) -> None:
        self._services = services
        self._carry_on = carry_on
        self._pages = PageRepository(services.reader)

    async def open(self, payment_id: str, wallet: str) -> Opened:
        """A shown code, opened in a wallet (or in any browser: then ``wallet`` is empty)."""
        payment = await self._payment(payment_id)
        state = PaymentState(payment["state"])
        is_theirs = state in WAITING_STATES and payment["funding"] == wallet
        is_served = bool(self._services.rules.routing.channels_of_wallet(wallet))
        if is_theirs and payment["shown_code"]:
            return Opened(payment, payment["shown_code"])
        is_open = state is PaymentState.AWAITING_PAYER or is_theirs
        is_served = is_served and not payment["notify_form"]
        if not is_open or not is_served or self._carry_on is None:
            return Opened(payment)
        command = OpenByWallet(
            payment_id=payment_id,
            attempt_id=self._mint(ids.ATTEMPT),
            wallet=wallet,
            rules=self._services.rules,
        )
        await self._services.submit(command)
        await self._carry_on(payment_id)
        payment = await self._payment(payment_id)
        return Opened(payment, payment["shown_code"] or "")

    async def code(self, code_id: str) -> dict[str, Any]:
        """A static code that still pays."""
        row = await self._services.run_read(lambda: self._pages.code(code_id))
        if row is None or row["status"] != ACTIVE:
            raise CallerError("code_not_found")
        return dict(row)

    async def begin(self, code_id: str, amount_minor: int) -> str:
        """A payment of what somebody typed under a static code; its id."""
        row = await self.code(code_id)
        body = PaymentCreate(
            payment_id=self._mint(ids.PAYMENT),
            attempt_id=self._mint(ids.ATTEMPT),
            method="merchant_qr",
            amount_minor=amount_minor,
            currency=row["currency"],
            merchant_id=row["merchant_id"],
            description=row["label"],
            till=_TILL,
        )
        request = DeviceRequest(
            request_id=self._mint(ids.REQUEST),
            device=f"code-{code_id}",
            store=_NO_STORE,
            merchant_id=row["merchant_id"],
            message_type="payment.create",
            body=body,
            content_hash=b"",
            received_at_ms=self._services.clock.now_ms(),
            trace_id="",
        )
        command = CreatePayment(request=request, body=body, rules=self._services.rules)
        _, answer = await self._services.submit(command)
        if "error" in answer:
            raise CallerError(answer["error"]["code"])
        return body.payment_id

    async def make(self, merchant_id: str, label: str) -> dict[str, Any]:
        """A new code for a merchant, with the address that it says."""
        if not self._services.rules.page_url:
            raise CallerError("config_invalid", "page_url")
        code_id = code_id_of(self._services.entropy.token_bytes(CODE_BYTES))
        command = MakeStaticCode(code_id=code_id, merchant_id=merchant_id, label=label)
        return self._shown(await self._services.submit(command))

    async def stop(self, code_id: str) -> dict[str, Any]:
        """Stop a code: nobody can be paid by it any more."""
        return self._shown(await self._services.submit(StopStaticCode(code_id=code_id)))

    async def codes_of(self, merchant_id: str) -> list[dict[str, Any]]:
        """A merchant's codes."""
        rows = await self._services.run_read(lambda: self._pages.codes_of(merchant_id))
        return [self._shown(row) for row in rows]

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        url = f"{self._services.rules.page_url}{STATIC_PATH}{row['code_id']}"
        return {**row, "url": url}

    async def _payment(self, payment_id: str) -> dict[str, Any]:
        row = await self._services.run_read(lambda: self._pages.shown(payment_id))
        if row is None:
            raise CallerError("payment_not_found")
        return dict(row)

    def _mint(self, prefix: str) -> str:
        services = self._services
        luck = services.entropy.token_bytes(ids.RANDOM_BYTES)
        return ids.mint(prefix, time_ms=services.clock.now_ms(), random_bytes=luck)
