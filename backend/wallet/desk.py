"""What a payer's wallet can ask, as async calls: the routes only translate HTTP to these.

The PIN's slow hash runs on its own few threads, never on the loop or the writer.
"""

import asyncio
import json
from typing import Any

from backend.db.tables import Row
from backend.merchants.repository import MerchantRepository
from backend.passkeys.desk import PasskeyDesk
from backend.passkeys.model import Deed
from backend.passkeys.schemas import ByWord, PasskeyAnswer, PasskeyOffer
from backend.payments.confirm import ConfirmByPayer, ReadTerms, ScanPayment
from backend.payments.repository import PaymentRepository
from backend.payments.services import Services
from backend.payments.word import RefuseByPayer
from backend.wallet.limits import BILLS_PER_PAGE_MAX, PIN_CHECKS_AT_ONCE_MAX, TOKEN_BYTES
from backend.wallet.model import (
    PIN_SALT_BYTES,
    hash_pin,
    hash_token,
    is_same_hash,
    is_weak_pin,
    scanned_payment_id,
)
from backend.wallet.pin_free import ChoosePinFree, day_of
from backend.wallet.repository import WalletRepository
from backend.wallet.schemas import Confirmation, PinChange, PinFreeLimit
from backend.wallet.service import (
    BeginPinTry,
    ChangePin,
    CreatePayer,
    EndPinTry,
    IssueToken,
    PinTry,
    ShowPayCode,
)
from backend.wallet.switch_desk import SwitchDesk
from protocol.crypto.keys import VerifyKey
from protocol.crypto.suites import suite_named
from protocol.errors import CallerError
from protocol.messages.consent import ConsentText, open_consent
from protocol.paycode import STEP_MS, expires_at_ms, make_code, wallet_secret


class WalletDesk:
    """Serves payers. One per program."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._wallets = WalletRepository(services.reader)
        self._payments = PaymentRepository(services.reader)
        self._merchants = MerchantRepository(services.reader)
        self.switches = SwitchDesk(services)
        self.passkeys = PasskeyDesk(services)
        self._pin_slots = asyncio.Semaphore(PIN_CHECKS_AT_ONCE_MAX)

    async def create_payer(
        self, *, payer_id: str, name: str, pin: str, key_suite: str, key_public: bytes
    ) -> dict[str, Any]:
        """A new payer. The token and the code secret are told here and nowhere else."""
        VerifyKey(suite_named(key_suite), key_public)  # refuses what is no key of the suite
        token = self._services.entropy.token_bytes(TOKEN_BYTES).hex()
        salt = self._services.entropy.token_bytes(PIN_SALT_BYTES)
        command = CreatePayer(
            payer_id=payer_id,
            name=name,
            key_suite=key_suite,
            key_public=key_public,
            pin_salt=salt,
            pin_hash=await self._hash_pin(pin, salt),
            token_hash=hash_token(token),
        )
        row = await self._services.submit(command)
        secret = wallet_secret(self._services.rules.code_master_key, row["route"])
        return {
            "payer_id": payer_id,
            "token": token,
            "code_route": row["route"],
            "code_secret": secret.hex(),
        }

    async def issue_token(self, payer_id: str) -> dict[str, Any]:
        """A new token; the payer's older ones stop working."""
        token = self._services.entropy.token_bytes(TOKEN_BYTES).hex()
        older = await self._read(lambda: self._wallets.token_hashes(payer_id))
        command = IssueToken(payer_id=payer_id, token_hash=hash_token(token), older=older)
        await self._services.submit(command)
        return {"payer_id": payer_id, "token": token}

    async def authenticate(self, token: str) -> str:
        """Whose wallet this is; ``not_authorized`` for an unknown or revoked token."""
        digest = hash_token(token)
        payer_id: str | None = await self._read(lambda: self._wallets.payer_of_token(digest))
        if payer_id is None:
            raise CallerError("not_authorized")
        return payer_id

    async def balance(self, payer_id: str, currency: str) -> dict[str, Any]:
        """What the payer has."""
        posted, free = await self._read(lambda: self._wallets.balance(payer_id, currency))
        return {"balance_minor": posted, "available_minor": free, "currency": currency}

    async def pay_code(self, payer_id: str, *, keeps: bool = False) -> dict[str, Any]:
        """The next pay code of a payer whose phone is this interface; with ``keeps``, the one that
        is shown already as long as it is good."""
        command = ShowPayCode(payer_id=payer_id, keeps=keeps)
        route, position = await self._services.submit(command)
        secret = wallet_secret(self._services.rules.code_master_key, route)
        at_ms = position.step * STEP_MS
        code = make_code(secret, route=route, at_ms=at_ms, counter=position.counter)
        return {"pay_code": code, "expires_at_ms": expires_at_ms(position)}

    async def scan(self, payer_id: str, content: str) -> dict[str, Any]:
        """What a merchant's code asks this payer for."""
        command = ScanPayment(
            payment_id=scanned_payment_id(content), payer_id=payer_id, rules=self._services.rules
        )
        shown: dict[str, Any] = await self._services.submit(command)
        return shown

    async def confirm(self, payer_id: str, wanted: Confirmation) -> dict[str, Any]:
        """Pay a scanned code, or what waits for this payer's word. A PIN, a consent or a passkey's
        answer that is given must be right, also where none is needed."""
        if wanted.pin is not None:
            await self.check_pin(payer_id, wanted.pin.get_secret_value())
        command = ConfirmByPayer(
            payment_id=wanted.payment_id,
            attempt_id=wanted.attempt_id,
            payer_id=payer_id,
            is_pin_verified=wanted.pin is not None,
            rules=self._services.rules,
            consent=await self._consent(payer_id, wanted),
            instrument_id=wanted.instrument_id,
            coupon_id=wanted.coupon_id,
        )
        _, body = await self._services.submit(command)
        await self.switches.before_answer(payer_id)
        shown: dict[str, Any] = body
        return shown

    async def _consent(self, payer_id: str, wanted: Confirmation) -> ConsentText | None:
        """What the payer has signed, by the phone's key or by a passkey, instead of the PIN."""
        if wanted.passkey is not None:
            return await self._by_passkey(payer_id, wanted, wanted.passkey)
        if wanted.consent is None:
            return None
        payer = await self._read(lambda: self._wallets.payer(payer_id))
        key = VerifyKey(suite_named(payer["key_suite"]), payer["key_public"])
        now_ms = self._services.clock.now_ms()
        return open_consent(bytes.fromhex(wanted.consent), key, now_ms=now_ms)

    async def _by_passkey(
        self, payer_id: str, wanted: Confirmation, answer: str | PasskeyAnswer
    ) -> ConsentText:
        """The terms are the payment's own: what it costs, and whom it pays."""
        terms = await self._services.submit(ReadTerms(payment_id=wanted.payment_id))
        text = ConsentText(
            payment_id=wanted.payment_id,
            attempt_id=wanted.attempt_id,
            payer_id=payer_id,
            signed_at_ms=self._services.clock.now_ms(),
            **terms,
        )
        said = text.model_dump(exclude={"signed_at_ms"})
        chosen = {"instrument_id": wanted.instrument_id, "coupon_id": wanted.coupon_id}
        deed = Deed(kind="payment", terms=said | chosen, amount_minor=text.amount_minor)
        await self.passkeys.take_word(payer_id, deed, answer)
        return text

    async def asked(self, payer_id: str) -> list[dict[str, Any]]:
        """Payments by code, and things' debits, that wait for this payer's PIN."""
        now_ms = self._services.clock.now_ms()
        rows: list[Row] = await self._read(lambda: self._payments.asked_of(payer_id, now_ms))
        return [
            {
                "payment_id": row["payment_id"],
                "merchant_id": row["merchant_id"],
                "merchant_name": row["merchant_name"],
                "amount_minor": row["amount_minor"],
                "currency": row["currency"],
                "description": row["description"],
                "expires_at_ms": row["code_expires_at_ms"],
                "explanation": said_of(row),
            }
            for row in await self.named(rows)
        ]

    async def refuse(self, *, payer_id: str, payment_id: str) -> dict[str, Any]:
        """The payer does not want to pay what waits for the PIN."""
        command = RefuseByPayer(payment_id=payment_id, payer_id=payer_id)
        _, body = await self._services.submit(command)
        shown: dict[str, Any] = body
        return shown

    async def pin_free(self, payer_id: str, currency: str) -> dict[str, Any]:
        """What the payer may still confirm without a PIN today."""
        services = self._services
        row = await self._read(lambda: self._wallets.pin_free(payer_id, currency))
        rules = services.rules.wallet
        day = day_of(row, services.rules.business_date(services.clock.now_ms()))
        return {
            "currency": currency,
            "limit_minor": rules.limit_minor(day),
            "day_left_minor": max(0, rules.pin_free_day_minor - day.spent_minor),
            "day_left_count": max(0, rules.pin_free_day_count - day.count),
        }

    async def choose_pin_free(self, payer_id: str, wanted: PinFreeLimit) -> dict[str, Any]:
        """The payer's own limit of one payment without a PIN. It takes the payer's word."""
        await self.check_word(payer_id, wanted)
        command = ChoosePinFree(payer_id=payer_id, **wanted.terms())
        return {"currency": wanted.currency, "limit_minor": await self._services.submit(command)}

    async def bills(
        self, payer_id: str, *, before_ms: int | None, limit: int, from_ms: int = 0
    ) -> list[Row]:
        """What the payer paid in a time, newest first, each with its merchant's name. There is
        nothing before the beginning of time, nor after now."""
        end_ms = self._services.clock.now_ms() + 1
        until_ms = end_ms if before_ms is None else max(0, min(before_ms, end_ms))
        from_ms = min(from_ms, end_ms)
        count = min(limit, BILLS_PER_PAGE_MAX)
        found: list[Row] = await self._read(
            lambda: self._payments.bills(payer_id, from_ms=from_ms, before_ms=until_ms, limit=count)
        )
        return await self.named(found)

    async def bill(self, payer_id: str, payment_id: str) -> Row:
        """One payment of the payer's, or what a shown code was declined for last, with its
        merchant's name; ``payment_not_found`` for any other."""
        row: Row | None = await self._read(lambda: self._payments.payment(payment_id))
        declined_id = await self._declined_by_code(payer_id)
        if row is None or (row["payer_id"] != payer_id and payment_id != declined_id):
            raise CallerError("payment_not_found", payment_id)
        return (await self.named([row]))[0]

    async def latest(self, payer_id: str) -> Row | None:
        """The payer's newest payment that has an end to tell, declined ones by code included."""
        declined_id = await self._declined_by_code(payer_id)
        row = await self._read(lambda: self._payments.latest_ended(payer_id, declined_id))
        return None if row is None else (await self.named([row]))[0]

    async def _declined_by_code(self, payer_id: str) -> str | None:
        found: str | None = await self._read(lambda: self._wallets.declined_by_code(payer_id))
        return found

    async def check_pin(self, payer_id: str, pin: str) -> None:
        """``pin_wrong`` unless it is the payer's; so many tries lock it."""
        begun: PinTry = await self._services.submit(BeginPinTry(payer_id=payer_id))
        if not is_same_hash(await self._hash_pin(pin, begun.salt), begun.expected):
            raise begun.wrong()
        await self._services.submit(EndPinTry(payer_id=payer_id))

    async def change_pin(self, payer_id: str, wanted: PinChange) -> None:
        """The payer's new PIN. It takes the present one."""
        old, new = wanted.pin.get_secret_value(), wanted.new_pin.get_secret_value()
        if new == old or is_weak_pin(new):
            raise CallerError("pin_weak")
        await self.check_pin(payer_id, old)
        salt = self._services.entropy.token_bytes(PIN_SALT_BYTES)
        pin_hash = await self._hash_pin(new, salt)
        await self._services.submit(ChangePin(payer_id=payer_id, pin_salt=salt, pin_hash=pin_hash))

    async def check_word(self, payer_id: str, wanted: ByWord) -> None:
        """The payer's word on exactly what is wanted: the PIN, or a passkey's answer. Who asks what
        the passkey has to sign gets ``PasskeyAskedError``; without a word, ``pin_required``."""
        if wanted.pin is not None:
            await self.check_pin(payer_id, wanted.pin.get_secret_value())
        elif wanted.passkey is not None:
            await self.passkeys.take_word(payer_id, wanted.deed(payer_id), wanted.passkey)
        else:
            raise CallerError("pin_required", "no word was given")

    async def offer_passkey(self, payer_id: str, wanted: PasskeyOffer) -> dict[str, Any]:
        """How a browser makes a new passkey of this name. It takes the PIN."""
        await self.check_pin(payer_id, wanted.pin.get_secret_value())
        payer = await self.payer(payer_id)
        return await self.passkeys.offer(payer_id, wanted.name, payer_name=payer["name"])

    async def payer(self, payer_id: str) -> dict[str, Any]:
        """Who the payer is, how account and PIN stand, and what is chosen to pay with."""
        row = await self._read(lambda: self._wallets.payer(payer_id))
        names = ("name", "status", "pin_locked_until_ms")
        chosen = ("default_instrument_id", "chosen_coupon_id")
        return {name: row[name] for name in (*names, *chosen)}

    async def merchant_name(self, merchant_id: str) -> str:
        """What a merchant is called; ``merchant_unknown`` for none."""
        names: dict[str, str] = await self._read(lambda: self._merchants.names({merchant_id}))
        if merchant_id not in names:
            raise CallerError("merchant_unknown", merchant_id)
        return names[merchant_id]

    async def named(self, rows: list[Row]) -> list[Row]:
        """Rows that have a ``merchant_id``, with the ``merchant_name`` beside it."""
        merchant_ids = {row["merchant_id"] for row in rows}
        names = await self._read(lambda: self._merchants.names(merchant_ids))
        return [row | {"merchant_name": names[row["merchant_id"]]} for row in rows]

    async def _hash_pin(self, pin: str, salt: bytes) -> bytes:
        async with self._pin_slots:
            return await asyncio.to_thread(hash_pin, pin, salt)

    async def _read(self, read: Any) -> Any:  # noqa: ANN401  # a repository's call
        return await self._services.run_read(read)


def said_of(row: Row) -> dict[str, Any] | None:
    """What the thing that paid by itself said of a payment (``protocol.messages.explanation``)."""
    text = row["explanation"]
    found: dict[str, Any] | None = json.loads(text) if text else None
    return found
