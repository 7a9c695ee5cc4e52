"""The sandbox's payer: gives the PIN, or refuses to, some seconds after a code was not enough.

Rule: it does what a payer does in the wallet, and no more. Nobody waits for it: it acts when a
merchant's program next asks how the payment stands.
"""

from backend.merchant_api.limits import MAGIC_PAYER_MS
from backend.merchant_api.magic import PayerWord, Sandbox
from backend.merchant_api.orders.engine import Engine
from backend.merchant_api.orders.repository import Found
from backend.payments.confirm import ConfirmByPayer
from backend.payments.services import Services
from backend.payments.word import RefuseByPayer
from protocol import ids
from protocol.payment import PaymentState


class SandboxPayer:
    """One per process."""

    def __init__(self, services: Services, engine: Engine, sandbox: Sandbox) -> None:
        self._services = services
        self._engine = engine
        self._sandbox = sandbox

    async def answer(self, found: Found) -> bool:
        """Whether the payer has given a word on this payment now, so that it stands otherwise."""
        order, payment = found
        word = self._sandbox.payer_word(payment["amount_minor"])
        is_asked = payment["method"] == "pay_code"
        is_open = PaymentState(payment["state"]) is PaymentState.AWAITING_PAYER
        is_time = self._services.clock.now_ms() >= order["created_at_ms"] + MAGIC_PAYER_MS
        if not (is_asked and is_open and is_time) or word in {None, PayerWord.NONE}:
            return False
        payment_id, payer_id = payment["payment_id"], payment["payer_id"]
        if word is PayerWord.REFUSES:
            await self._services.submit(RefuseByPayer(payment_id=payment_id, payer_id=payer_id))
            return True
        confirm = ConfirmByPayer(
            payment_id=payment_id,
            attempt_id=self._engine.mint(ids.ATTEMPT),
            payer_id=payer_id,
            is_pin_verified=True,
            rules=self._services.rules,
        )
        await self._services.submit(confirm)
        return True
