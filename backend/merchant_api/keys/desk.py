"""Merchant numbers: opened by an operator, looked up at every call."""

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from backend.audit.model import Act
from backend.audit.service import audited
from backend.db.tables import Row
from backend.identity.ca import CertificateAuthority
from backend.merchant_api.keys import crypto
from backend.merchant_api.keys.repository import KeyRepository
from backend.merchant_api.keys.ring import CERTIFICATE, PUBLIC_KEY, KeyRing, Pair
from backend.merchant_api.keys.sealing import Vault
from backend.merchant_api.keys.service import (
    AddCertificate,
    OpenAccount,
    RetireCertificate,
    SetSecret,
)
from backend.merchant_api.keys.suites import RSA, SUITES, PublicHalf, Suite
from backend.merchant_api.limits import CERTIFICATE_DAYS
from backend.payments.services import Services
from protocol.clock import DAY_MS, Clock
from protocol.errors import CallerError

_MCHID_HEAD, _MCHID_DIGITS = "16", 8
_SANDBOX = b"tillway sandbox sign key 1"
SecretKind = Literal["v3", "v2"]
_SHOWN = ("mchid", "merchant_id", "appid", "key_mode", "suite")


@dataclass(frozen=True, slots=True)
class Certificate:
    """An API certificate of a merchant number."""

    serial: str
    pem: str
    ends_at_ms: int


@dataclass(frozen=True, slots=True)
class Account:
    """A merchant number with its secrets opened."""

    mchid: str
    merchant_id: str
    """Whose money it is."""
    appid: str
    certificates: tuple["Certificate", ...]
    """Those in use."""
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
    proven_by: str = ""
    """The serial of the certificate that has proven its call."""

    def sandboxed(self) -> "Account":
        """The same number in the sandbox."""
        digest = hmac.digest(self.api_v2_key.encode(), _SANDBOX, hashlib.sha256)
        key = digest[: len(self.api_v2_key) // 2].hex()
        return replace(self, api_v2_key=key, in_sandbox=True)

    @property
    def key(self) -> PublicHalf:
        """What its secrets are encrypted to: the certificate that has proven its call, else the
        newest."""
        named = (one for one in self.certificates if one.serial == self.proven_by)
        return self.suite.certificate_key(next(named, self.certificates[0]).pem)

    def has_certificate(self, serial: str) -> bool:
        """Whether one in use has this serial; its time is for who has seen the certificate."""
        return any(crypto.same_serial(one.serial, serial) for one in self.certificates)

    def called_by(self, serial: str, now_ms: int) -> "Account | None":
        """The same number, as a call under this serial names it; None if no certificate in use has
        it, or if its time is over."""
        for one in self.certificates:
            if crypto.same_serial(one.serial, serial) and now_ms < one.ends_at_ms:
                return replace(self, proven_by=one.serial)
        return None

    def is_signed(self, signature: str, message: bytes) -> bool:
        """Whether one of its certificates proves it, for what does not say which."""
        keys = (self.suite.certificate_key(one.pem) for one in self.certificates)
        return any(key.is_signed(signature, message) for key in keys)


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
        found: tuple[Row, list[Row]] | None = await self._services.run_read(
            lambda: self._repository.account(mchid)
        )
        if found is None:
            return None
        row, certificates = found
        return Account(
            row["mchid"],
            row["merchant_id"],
            row["appid"],
            tuple(
                Certificate(one["serial"], one["certificate"], one["ends_at_ms"])
                for one in certificates
            ),
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
        entropy = self._services.entropy
        digits = int.from_bytes(entropy.token_bytes(8), "big") % 10**_MCHID_DIGITS
        mchid = f"{_MCHID_HEAD}{digits:0{_MCHID_DIGITS}d}"
        certificate = await self._certified(mchid, suite, csr)
        v3_key, v2_key = (entropy.token_bytes(16).hex() for _ in range(2))
        row = {
            "mchid": mchid,
            "merchant_id": merchant_id,
            "appid": "wx" + entropy.token_bytes(8).hex(),
            "api_v3_sealed": self._sealed(mchid, "v3", v3_key),
            "api_v2_sealed": self._sealed(mchid, "v2", v2_key),
            "key_mode": key_mode if suite is RSA else CERTIFICATE,
            "suite": suite.name,
        }
        made = await self._services.submit(OpenAccount(row=row, certificate=certificate))
        shown = {name: made[name] for name in _SHOWN}
        return shown | {
            "serial_no": certificate["serial"],
            "certificate": certificate["certificate"],
            "api_v3_key": v3_key,
            "api_v2_key": v2_key,
            "platform": await self._platform(suite),
        }

    async def numbers(self, merchant_id: str) -> list[dict[str, Any]]:
        """A merchant's numbers and all certificates that each ever had, without their secrets."""
        return [
            {name: getattr(one, name) for name in ("mchid", "merchant_id", "appid", "key_mode")}
            | {"suite": one.suite.name, "certificates": await self._shown(one.mchid)}
            for one in await self.accounts(merchant_id)
        ]

    async def add_certificate(self, mchid: str, csr: str, *, act: Act | None = None) -> Row:
        """Another certificate, by a request (PKCS #10, DER in base64). ``act`` is kept
        in the audit log with it, here and below."""
        account = await self._known(mchid)
        row = await self._certified(mchid, account.suite, csr)
        made: Row = await self._services.submit(audited(AddCertificate(certificate=row), act))
        return made

    async def retire_certificate(self, mchid: str, serial: str, *, act: Act | None = None) -> Row:
        """Calls under this serial are refused from now on."""
        retired: Row = await self._services.submit(
            audited(RetireCertificate(mchid=mchid, serial=serial), act)
        )
        return retired

    async def renew_secret(self, mchid: str, kind: SecretKind, *, act: Act | None = None) -> str:
        """Another APIv3 or APIv2 key; it is told here and nowhere else, and the old one is no
        longer good."""
        await self._known(mchid)
        secret = self._services.entropy.token_bytes(16).hex()
        sealed = self._sealed(mchid, kind, secret)
        column: Literal["api_v3_sealed", "api_v2_sealed"] = (
            "api_v3_sealed" if kind == "v3" else "api_v2_sealed"
        )
        command = SetSecret(mchid=mchid, column=column, sealed=sealed)
        await self._services.submit(audited(command, act))
        return secret

    async def _known(self, mchid: str) -> Account:
        found = await self.account(mchid)
        if found is None:
            raise CallerError("merchant_unknown", mchid)
        return found

    async def _shown(self, mchid: str) -> list[Row]:
        rows: list[Row] = await self._services.run_read(
            lambda: self._repository.certificates(mchid)
        )
        return rows

    async def _certified(self, mchid: str, suite: Suite, csr: str) -> Row:
        """A certificate for the key that a request proves."""
        public = suite.read_request(csr)
        number = crypto.serial_number(self._services.entropy.token_bytes(crypto.SERIAL_BYTES))
        now_ms = self._clock.now_ms()
        if suite is RSA:
            pem = self._authority.issue_for_program(
                crypto.read_request(csr),
                mchid,
                serial=number,
                days=CERTIFICATE_DAYS,
                now_ms=now_ms,
            )
        else:
            issuer = await self._ring.for_call(suite, None)
            pem = issuer.private.certify(public, subject=mchid, serial=number, now_ms=now_ms)
        return {
            "mchid": mchid,
            "serial": crypto.serial_text(number),
            "certificate": pem,
            "begins_at_ms": now_ms,
            "ends_at_ms": now_ms + CERTIFICATE_DAYS * DAY_MS,
            "retired_at_ms": None,
        }

    def _sealed(self, mchid: str, kind: str, secret: str) -> bytes:
        entropy = self._services.entropy
        return self._vault.seal(secret.encode(), place=f"{mchid}/{kind}", entropy=entropy)

    async def _platform(self, suite: Suite) -> dict[str, str]:
        certificate = await self._ring.for_call(suite, None)
        public_key = await self._ring.signing(PUBLIC_KEY)
        return {
            "certificate_serial": certificate.serial,
            "certificate": certificate.public_pem,
            "public_key_id": public_key.serial,
            "public_key": public_key.public_pem,
        }
