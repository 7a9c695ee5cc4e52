"""Whom a simulated shop's backend knows before the first minute: merchant, devices and payers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.devices.model import DeviceKind
from backend.devices.service import CreateStore
from backend.mandates.service import CreateMandate
from backend.merchants.service import CreateMerchant
from backend.wallet.model import hash_token
from backend.wallet.service import CreatePayer
from protocol.crypto.keys import SigningKey, generate
from protocol.ids import mint
from protocol.messages.mandate import MandateText, sign_mandate
from tests.simulation.backend_room import BackendRoom
from tests.simulation.devices import BIOMETRIC_ABOVE, MERCHANT, STORE, VENDING, enrolment_of
from tests.simulation.events import MINUTE_MS, START_MS, SeededEntropy
from tests.simulation.people import CURRENCY
from tests.support.shop import confirmed_top_up


@dataclass
class Enrolment:
    """Enrols everybody. The first payer lets the vending machine debit."""

    backend: BackendRoom
    entropy: SeededEntropy
    start_ms: int
    routes: dict[str, int] = field(default_factory=dict)
    """Each payer's route, in the order of enrolment."""
    keys: dict[str, SigningKey] = field(default_factory=dict)
    """Each payer's key."""
    mandate: tuple[str, str] = ("", "")
    """The payer who signed it, and its id."""

    def devices(self, hubs: Mapping[str, SigningKey], terminals: Mapping[str, SigningKey]) -> None:
        """The merchant with the store, and what stands in it."""
        do = self.backend.do
        do(
            CreateMerchant(
                merchant_id=MERCHANT,
                name="晨光便利店",
                currency=CURRENCY,
                rate_bps=60,
                min_minor=0,
                cap_minor=0,
                payout_bank="bank_a",
                payout_account_name="晨光商贸有限公司",
                payout_account_no="6222000000001234",
                biometric_above_minor=BIOMETRIC_ABOVE,
                notify_url="https://shop.example/notify",
            )
        )
        do(CreateStore(store=STORE, merchant_id=MERCHANT, name="Corner"))
        for name, key in hubs.items():
            do(enrolment_of(name, DeviceKind.HUB, key.public))
        for tid, key in terminals.items():
            do(enrolment_of(tid, DeviceKind.TERMINAL, key.public))

    def payers(self, balances: Sequence[int], *, top_ups: int) -> None:
        """A payer for each balance, who tops up by it so many times."""
        for balance_minor in balances:
            payer_id, key = self._mint("pyr"), generate("Ed25519")
            row = self.backend.do(
                CreatePayer(
                    payer_id=payer_id,
                    name="李雷",
                    key_suite="Ed25519",
                    key_public=key.public.public,
                    pin_salt=b"s" * 16,
                    pin_hash=b"h" * 32,
                    token_hash=hash_token(payer_id),
                )
            )
            self.routes[payer_id], self.keys[payer_id] = row["route"], key
            for _ in range(top_ups):
                for command in confirmed_top_up(self._mint("top"), payer_id, balance_minor):
                    self.backend.do(command)
            if len(self.routes) == 1:
                self.mandate = (payer_id, self._agree(payer_id, key))

    def _agree(self, payer_id: str, key: SigningKey) -> str:
        text = MandateText(
            mandate_id=self._mint("mdt"),
            payer_id=payer_id,
            merchant_id=MERCHANT,
            device=VENDING,
            currency=CURRENCY,
            limit_payment_minor=1_300,
            limit_day_minor=20_000,
            valid_from_ms=START_MS - MINUTE_MS,
            valid_until_ms=START_MS + 30 * 24 * 60 * MINUTE_MS,
        )
        self.backend.do(CreateMandate(payer_id=payer_id, signed=sign_mandate(text, key)))
        return text.mandate_id

    def _mint(self, prefix: str) -> str:
        return mint(prefix, time_ms=self.start_ms, random_bytes=self.entropy.token_bytes(10))
