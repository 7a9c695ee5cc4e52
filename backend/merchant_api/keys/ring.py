"""The platform's pairs in use. The first caller of an installation finds them made.

Rule 1: a call of the RSA suite is answered with the pair that its ``Wechatpay-Serial`` names the
        kind of: the public-key pair for ``PUB_KEY_ID_…``, the certificate's for anything else or
        nothing. The SM2 suite knows certificates only.
Rule 2: of a kind, the latest generation whose time to sign has come signs; a new certificate is
        shown before its time, so that a merchant has it when it begins.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from backend.db.tables import Row
from backend.merchant_api.keys import crypto
from backend.merchant_api.keys.repository import KeyRepository
from backend.merchant_api.keys.sealing import Vault
from backend.merchant_api.keys.service import AddPlatformKeys
from backend.merchant_api.keys.suites import RSA, SM2, PrivateHalf, Suite
from backend.merchant_api.limits import (
    CERTIFICATE_DAYS,
    CERTIFICATE_GENERATIONS_MAX,
    CERTIFICATE_NOTICE_MS,
    KEYS_READ_EVERY_MS,
)
from backend.payments.services import Services
from protocol.errors import CallerError

CERTIFICATE, PUBLIC_KEY, SM2_CERTIFICATE = "certificate", "public_key", "sm2_certificate"
_SUITES = {CERTIFICATE: RSA, PUBLIC_KEY: RSA, SM2_CERTIFICATE: SM2}
_CERTIFICATES = {RSA: CERTIFICATE, SM2: SM2_CERTIFICATE}
PUBLIC_KEY_ID = "PUB_KEY_ID_"
_PUBLIC_KEY_DIGITS = 28
_LIFE_MS = CERTIFICATE_DAYS * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Pair:
    """One of the platform's pairs."""

    kind: str
    serial: str
    public_pem: str
    signs_from_ms: int
    ends_at_ms: int
    private: PrivateHalf = field(repr=False)

    @property
    def suite(self) -> Suite:
        """What it signs by."""
        return _SUITES[self.kind]


class KeyRing:
    """One per process; owned by the event loop."""

    def __init__(self, services: Services, vault: Vault) -> None:
        self._services = services
        self._vault = vault
        self._repository = KeyRepository(services.reader)
        self._pairs: dict[str, Pair] = {}
        self._read_at_ms: int | None = None
        self._making = asyncio.Lock()

    async def for_call(self, suite: Suite, serial: str | None) -> Pair:
        """The pair that answers a call of this suite with this ``Wechatpay-Serial``."""
        if suite is RSA and serial is not None and serial.startswith(PUBLIC_KEY_ID):
            return await self.signing(PUBLIC_KEY)
        return await self.signing(_CERTIFICATES[suite])

    async def signing(self, kind: str) -> Pair:
        """The pair of this kind that signs now."""
        pairs = [one for one in await self._all() if one.kind == kind]
        now_ms = self._services.clock.now_ms()  # read last: the first pairs may be of this moment
        return [one for one in pairs if one.signs_from_ms <= now_ms][-1]

    async def certificates(self, suite: Suite = RSA) -> list[Pair]:
        """The one that signs, the one that is about to, and the one that did a day ago."""
        since_ms = self._services.clock.now_ms() - CERTIFICATE_NOTICE_MS
        pairs = [one for one in await self._all() if one.kind == _CERTIFICATES[suite]]
        over = sum(one.signs_from_ms <= since_ms for one in pairs[1:])
        return pairs[over:]

    async def of_serial(self, serial: str) -> Pair | None:
        """The pair with this name, for what was encrypted to it."""
        for one in await self._all():
            if one.serial == serial or crypto.same_serial(one.serial, serial):
                return one
        return None

    async def renew_certificate(self, suite: Suite = RSA) -> Pair:
        """A new certificate: shown at once, signing after its notice. ``field_invalid`` while
        another one waits for its time."""
        now_ms = self._services.clock.now_ms()
        kind = _CERTIFICATES[suite]
        known = [one for one in await self._all() if one.kind == kind]
        if known[-1].signs_from_ms > now_ms or len(known) >= CERTIFICATE_GENERATIONS_MAX:
            raise CallerError("field_invalid", "a new certificate waits for its time already")
        key = await asyncio.to_thread(suite.make_key)
        row = self._row(kind, key, now_ms) | {"generation": len(known) + 1}
        row |= {"signs_from_ms": now_ms + CERTIFICATE_NOTICE_MS}
        await self._services.submit(AddPlatformKeys(rows=(row,)))
        self._read_at_ms = None
        return [one for one in await self._all() if one.kind == kind][-1]

    async def _all(self) -> list[Pair]:
        now_ms = self._services.clock.now_ms()
        if self._read_at_ms is None or now_ms - self._read_at_ms >= KEYS_READ_EVERY_MS:
            async with self._making:
                await self._read()
                missing = _SUITES.keys() - {one.kind for one in self._pairs.values()}
                if missing:
                    await self._found(sorted(missing))
                    await self._read()
                self._read_at_ms = now_ms
        return list(self._pairs.values())

    async def _read(self) -> None:
        rows = await self._services.run_read(self._repository.platform_keys)
        self._pairs = {
            row["serial"]: self._pairs.get(row["serial"]) or self._of(row) for row in rows
        }

    def _of(self, row: Row) -> Pair:
        secret = self._vault.open(row["private_sealed"], place=row["serial"])
        return Pair(
            row["kind"],
            row["serial"],
            row["public_pem"],
            row["signs_from_ms"],
            row["ends_at_ms"],
            _SUITES[row["kind"]].read_private(secret),
        )

    async def _found(self, kinds: list[str]) -> None:
        keys = await asyncio.to_thread(lambda: [_SUITES[kind].make_key() for kind in kinds])
        now_ms = self._services.clock.now_ms()
        rows = tuple(self._row(*one, now_ms) for one in zip(kinds, keys, strict=True))
        await self._services.submit(AddPlatformKeys(rows=rows))

    def _row(self, kind: str, key: PrivateHalf, now_ms: int) -> dict[str, Any]:
        serial, pem = self._public(kind, key, now_ms)
        sealed = self._vault.seal(key.private_bytes(), place=serial, entropy=self._services.entropy)
        return {
            "kind": kind,
            "generation": 1,
            "serial": serial,
            "public_pem": pem,
            "private_sealed": sealed,
            "signs_from_ms": now_ms,
            "ends_at_ms": now_ms + _LIFE_MS,
        }

    def _public(self, kind: str, key: PrivateHalf, now_ms: int) -> tuple[str, str]:
        """What merchants know the key by, and the key or its certificate."""
        if kind == PUBLIC_KEY:
            number = int.from_bytes(self._services.entropy.token_bytes(16), "big")
            digits = str(number % 10**_PUBLIC_KEY_DIGITS).rjust(_PUBLIC_KEY_DIGITS, "0")
            return PUBLIC_KEY_ID + digits, key.public_pem
        number = crypto.serial_number(self._services.entropy.token_bytes(crypto.SERIAL_BYTES))
        pem = key.certify(None, subject="Tillway", serial=number, now_ms=now_ms)
        return crypto.serial_text(number), pem
