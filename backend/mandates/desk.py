"""What may be asked of mandates outside commands, by either side: the routes translate to it."""

from typing import Any

from backend.db.tables import Row
from backend.devices.repository import DeviceRepository
from backend.mandates.model import MandateCommand, Side
from backend.mandates.notices import EndNotice
from backend.mandates.repository import MandateRepository
from backend.mandates.schemas import Signature
from backend.mandates.service import PARTY, ChangeMandate, CreateMandate
from backend.mandates.signing import ByPasskey, Signed, deed_of, text_of
from backend.passkeys.desk import PasskeyDesk
from backend.payments.services import Services
from protocol.errors import CallerError
from protocol.messages.mandate import MandateText, check_terms, read_mandate

_HIDDEN = frozenset({"signed", "open_notices", "event_count", "notify_url", "notify_form"})


class MandateDesk:
    """What both sides may ask of a mandate of theirs. ``mandate_not_found`` for any other."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._repository = MandateRepository(services.reader)
        self._devices = DeviceRepository(services.reader)
        self._passkeys = PasskeyDesk(services)

    async def mandates(self, side: Side, party_id: str) -> dict[str, Any]:
        """A side's mandates, newest first."""
        found = self._repository
        read = found.of_payer if side is Side.PAYER else found.of_merchant
        rows = await self._services.run_read(lambda: read(party_id))
        return {"mandates": [shown_mandate(row) for row in rows]}

    async def mandate(self, side: Side, party_id: str, mandate_id: str) -> dict[str, Any]:
        """One mandate with its timeline, notices and uses."""
        run, found = self._services.run_read, self._repository
        row = await run(lambda: found.mandate(mandate_id))
        if row is None or row[PARTY[side]] != party_id:
            raise CallerError("mandate_not_found", mandate_id)
        return shown_mandate(row) | {
            "timeline": await run(lambda: found.timeline(mandate_id)),
            "notices": await run(lambda: found.notices(mandate_id)),
            "uses": await run(lambda: found.uses(mandate_id)),
        }

    async def change(
        self, side: Side, party_id: str, mandate_id: str, command: MandateCommand
    ) -> dict[str, Any]:
        """Suspend, resume or terminate."""
        change = ChangeMandate(side=side, party_id=party_id, mandate_id=mandate_id, command=command)
        return shown_mandate(await self._services.submit(change))

    async def signed(self, wanted: Signature, text: MandateText) -> Signed:
        """What signs this text, not judged yet; ``PasskeyAskedError`` for who asks what a passkey
        has to sign, ``mandate_signature`` where nothing signs it."""
        if wanted.signed is not None:
            return bytes.fromhex(wanted.signed)
        if wanted.passkey is None:
            raise CallerError("mandate_signature", "nothing signs it")
        deed = deed_of(check_terms(text))
        assertion = await self._passkeys.assertion(text.payer_id, deed, wanted.passkey)
        return ByPasskey(text=text, assertion=assertion, site=self._passkeys.site)

    async def create(self, payer_id: str, signed: Signed) -> dict[str, Any]:
        """Let a thing debit on what the payer has signed; ``mandate_device_unknown`` for one that
        the merchant does not have."""
        await self.check_device(read_mandate(text_of(signed)))
        command = CreateMandate(payer_id=payer_id, signed=signed)
        return shown_mandate(await self._services.submit(command))

    async def check_device(self, text: MandateText) -> None:
        """``mandate_device_unknown`` unless the merchant has the device: a mistyped id would stand
        for years, and debit nothing. A merchant's programs are no devices: their contracts are
        signed elsewhere."""

        def owner() -> str | None:
            device = self._devices.device(text.device)
            return self._devices.merchants([device.store]).get(device.store) if device else None

        if await self._services.run_read(owner) != text.merchant_id:
            raise CallerError("mandate_device_unknown", text.device)

    async def notices(self, payer_id: str) -> dict[str, Any]:
        """What was announced to a payer, newest first."""
        rows = await self._services.run_read(lambda: self._repository.notices_of_payer(payer_id))
        return {"notices": rows}

    async def end_notice(self, side: Side, party_id: str, notice_id: str) -> Row:
        """The payer refuses an announced debit, or the merchant withdraws it."""
        command = EndNotice(side=side, party_id=party_id, notice_id=notice_id)
        notice: Row = await self._services.submit(command)
        return notice


def shown_mandate(row: Row) -> dict[str, Any]:
    """A mandate as its two sides may see it."""
    return {name: value for name, value in row.items() if name not in _HIDDEN}
