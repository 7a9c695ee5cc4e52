"""A merchant's numbers, certificates, secrets and callback address for its pages, without HTTP.

Rule 1: what changes one of them needs a fresh code of the phone, and is kept in the audit log. What
        cannot be a request or an address is refused before a code is used up.
Rule 2: a secret is told once, in the answer to whoever set it anew, and never again.
Rule 3: whose number it is, is decided here once: another merchant's is not found.
"""

from typing import Any

from backend.audit.model import ActKind
from backend.audit.service import Audited
from backend.console.desk import PeopleDesk
from backend.console.fresh_code import confirm
from backend.console.model import Person
from backend.db.tables import Row
from backend.merchant_api.keys.desk import AccountDesk, SecretKind
from backend.merchant_api.keys.ring import PUBLIC_KEY, KeyRing, Pair
from backend.merchant_api.keys.suites import RSA, SM2, SUITES
from backend.merchants.model import check_notify_url
from backend.merchants.repository import MerchantRepository
from backend.merchants.service import ChangeMerchant
from backend.payments.services import Services
from protocol.errors import CallerError


class KeysDesk:
    """One per process."""

    def __init__(
        self, services: Services, people: PeopleDesk, accounts: AccountDesk, ring: KeyRing
    ) -> None:
        self._services = services
        self._people = people
        self._accounts = accounts
        self._ring = ring
        self._merchants = MerchantRepository(services.reader)

    async def shown(self, person: Person) -> dict[str, Any]:
        """The merchant's numbers with their certificates, the platform's keys, and where callbacks
        go."""
        merchant: Row | None = await self._services.run_read(
            lambda: self._merchants.merchant(person.merchant_id)
        )
        assert merchant is not None, "merchants are never removed"
        return {
            "numbers": await self._accounts.numbers(person.merchant_id),
            "platform": await self._platform(),
            "notify_url": merchant["notify_url"] or "",
        }

    async def certificate(self, person: Person, mchid: str, serial: str) -> str:
        """A certificate of the merchant's own, PEM."""
        number = await self._own(person, mchid)
        for one in number["certificates"]:
            if one["serial"] == serial:
                return str(one["certificate"])
        raise CallerError("certificate_unknown", serial)

    async def platform_key(self, serial: str) -> str:
        """A certificate or public key of the platform, PEM."""
        for pair in await self._platform():
            if pair.serial == serial:
                return pair.public_pem
        raise CallerError("certificate_unknown", serial)

    async def add_certificate(self, person: Person, mchid: str, *, csr: str, code: str) -> str:
        """The serial of another certificate, by a request in PEM or base64."""
        number = await self._own(person, mchid)
        request = bare_request(csr)
        SUITES[number["suite"]].read_request(request)
        await confirm(self._services, self._people, person.name, code)
        act = person.act(ActKind.KEY, "add certificate", f"merchant number {mchid}")
        made = await self._accounts.add_certificate(mchid, request, act=act)
        return str(made["serial"])

    async def retire_certificate(
        self, person: Person, mchid: str, *, serial: str, code: str
    ) -> None:
        """Calls under this serial are refused from now on."""
        await self._own(person, mchid)
        await confirm(self._services, self._people, person.name, code)
        act = person.act(ActKind.KEY, "retire certificate", f"merchant number {mchid} {serial}")
        await self._accounts.retire_certificate(mchid, serial, act=act)

    async def renew_secret(self, person: Person, mchid: str, *, kind: SecretKind, code: str) -> str:
        """The new APIv3 or APIv2 key; the old one is no longer good."""
        await self._own(person, mchid)
        await confirm(self._services, self._people, person.name, code)
        act = person.act(ActKind.KEY, f"renew api {kind} key", f"merchant number {mchid}")
        return await self._accounts.renew_secret(mchid, kind, act=act)

    async def set_address(self, person: Person, *, url: str, code: str) -> None:
        """Where callbacks go from now on, unless an order says otherwise."""
        check_notify_url(url)
        await confirm(self._services, self._people, person.name, code)
        change = ChangeMerchant(merchant_id=person.merchant_id, notify_url=url)
        act = person.act(ActKind.KEY, "set callback address", f"merchant {person.merchant_id}")
        await self._services.submit(Audited(command=change, act=act))

    async def _own(self, person: Person, mchid: str) -> dict[str, Any]:
        for number in await self._accounts.numbers(person.merchant_id):
            if number["mchid"] == mchid:
                return number
        raise CallerError("merchant_unknown", mchid)

    async def _platform(self) -> list[Pair]:
        """What the platform signs with now or soon: certificates, and the public key."""
        certificates = [*await self._ring.certificates(RSA), *await self._ring.certificates(SM2)]
        return [*certificates, await self._ring.signing(PUBLIC_KEY)]


def bare_request(text: str) -> str:
    """A certificate request's DER in base64, also of one in PEM, its lines joined or not."""
    body = text.replace("-----BEGIN CERTIFICATE REQUEST-----", "")
    body = body.replace("-----END CERTIFICATE REQUEST-----", "")
    return "".join(body.split())
