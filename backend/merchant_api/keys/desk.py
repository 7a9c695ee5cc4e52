"""Merchant numbers: opened by an operator, looked up at every call."""

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import Any

from backend.db.tables import Row
from backend.identity.ca import CertificateAuthority
from backend.merchant_api.keys import crypto
from backend.merchant_api.keys.repository import KeyRepository
from backend.merchant_api.keys.ring import CERTIFICATE, PUBLIC_KEY, KeyRing, Pair
from backend.merchant_api.keys.sealing import Vault
from backend.merchant_api.keys.service import OpenAccount
from backend.merchant_api.keys.suites import RSA, SUITES, PublicHalf, Suite
from backend.merchant_api.limits import CERTIFICATE_DAYS
from backend.payments.services import Services
from protocol.clock import Clock

_MCHID_HEAD, _MCHID_DIGITS = "16", 8
_SANDBOX = b"tillway sandbox sign key 1"
_SHOWN = ("mchid", "merchant_id", "appid", "key_mode", "suite")


@dataclass(frozen=True, slots=True)
class Account:
    """A merchant number with its secrets opened."""

    mchid: str
    merchant_id: str
    """Whose money it is."""
    appid: str
    serial: str
    certificate: str
    key_mode: str
    api_v3_key: str = field(repr=False)
    api_v2_key: str = field(repr=False)
    suite: Suite = RSA
    in_sandbox: bool = False
    """Asked for by a call to the sandbox, whose APIv2 key is another."""
    sub_mchid: str = ""
    """The merchant number that it acts for, whose ``merchant_id`` stands above; empty: its own."""
    sub_appid: str = ""
    """That number's app, where the call names it."""

    def sandboxed(self) -> "Account":
        """The same number in the sandbox."""
        digest = hmac.digest(self.api_v2_key.encode(), _SANDBOX, hashlib.sha256)
        key = digest[: len(self.api_v2_key) // 2].hex()
        return replace(self, api_v2_key=key, in_sandbox=True)

    @property
    def key(self) -> PublicHalf:
        """What proves its calls and takes its secrets."""
        return self.suite.certificate_key(self.certificate)


class AccountDesk:
    """One per process. ``authority`` issues API certificates, so that a connection may show one;
    ``clock`` is the machine's, by which connections are checked."""

    def __init__(
        self,
        services: Services,
        ring: KeyRing,
        vault: Vault,
        *,
        authority: CertificateAuthority,
        clock: Clock,
    ) -> None:
        self._services = services
        self._authority = authority
        self._clock = clock
        self._ring = ring
        self._vault = vault
        self._repository = KeyRepository(services.reader)

    async def account(self, mchid: str) -> Account | None:
        """A merchant number, or None."""
        row: Row | None = await self._services.run_read(lambda: self._repository.account(mchid))
        if row is None:
            return None
        return Account(
            row["mchid"],
            row["merchant_id"],
            row["appid"],
            row["serial"],
            row["certificate"],
            row["key_mode"],
            self._vault.open(row["api_v3_sealed"], place=f"{mchid}/v3").decode("ascii"),
            self._vault.open(row["api_v2_sealed"], place=f"{mchid}/v2").decode("ascii"),
            SUITES[row["suite"]],
        )

    async def accounts(self, merchant_id: str) -> list[Account]:
        """All numbers of a merchant, the oldest first."""
        numbers: list[str] = await self._services.run_read(
            lambda: self._repository.numbers(merchant_id)
        )
        found = [await self.account(mchid) for mchid in numbers]
        return [one for one in found if one is not None]

    async def is_app(self, appid: str) -> bool:
        """Whether a merchant number has this app."""
        found: bool = await self._services.run_read(lambda: self._repository.is_app(appid))
        return found

    async def callback_pair(self, account: Account) -> Pair:
        """What signs the callbacks of a merchant number."""
        if account.suite is RSA:
            return await self._ring.signing(account.key_mode)
        return await self._ring.for_call(account.suite, None)

    async def open(
        self, *, merchant_id: str, csr: str, key_mode: str, suite: Suite = RSA
    ) -> dict[str, Any]:
        """A new number for a merchant, by its certificate request. The APIv3 and APIv2 keys are
        told here and nowhere else."""
        public = suite.read_request(csr)
        entropy = self._services.entropy
        issuer = await self._ring.for_call(suite, None)
        number = crypto.serial_number(entropy.token_bytes(crypto.SERIAL_BYTES))
        digits = int.from_bytes(entropy.token_bytes(8), "big") % 10**_MCHID_DIGITS
        mchid = f"{_MCHID_HEAD}{digits:0{_MCHID_DIGITS}d}"
        now_ms = self._services.clock.now_ms()
        if suite is RSA:
            certificate = self._authority.issue_for_program(
                crypto.read_request(csr),
                mchid,
                serial=number,
                days=CERTIFICATE_DAYS,
                now_ms=self._clock.now_ms(),
            )
        else:
            certificate = issuer.private.certify(
                public, subject=mchid, serial=number, now_ms=now_ms
            )
        v3_key, v2_key = (entropy.token_bytes(16).hex() for _ in range(2))
        row = {
            "mchid": mchid,
            "merchant_id": merchant_id,
            "appid": "wx" + entropy.token_bytes(8).hex(),
            "serial": crypto.serial_text(number),
            "certificate": certificate,
            "api_v3_sealed": self._vault.seal(
                v3_key.encode(), place=f"{mchid}/v3", entropy=entropy
            ),
            "api_v2_sealed": self._vault.seal(
                v2_key.encode(), place=f"{mchid}/v2", entropy=entropy
            ),
            "key_mode": key_mode if suite is RSA else CERTIFICATE,
            "suite": suite.name,
        }
        made = await self._services.submit(OpenAccount(row=row))
        shown = {name: made[name] for name in _SHOWN}
        return shown | {
            "serial_no": made["serial"],
            "certificate": certificate,
            "api_v3_key": v3_key,
            "api_v2_key": v2_key,
            "platform": await self._platform(suite),
        }

    async def _platform(self, suite: Suite) -> dict[str, str]:
        certificate = await self._ring.for_call(suite, None)
        public_key = await self._ring.signing(PUBLIC_KEY)
        return {
            "certificate_serial": certificate.serial,
            "certificate": certificate.public_pem,
            "public_key_id": public_key.serial,
            "public_key": public_key.public_pem,
        }
