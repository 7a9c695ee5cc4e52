"""Turning switches for whoever may, each time with its line in the audit log."""

from backend.audit.model import Act, ActKind
from backend.audit.service import Audited, Watch
from backend.db.tables import Row
from backend.devices.repository import DeviceRepository
from backend.merchants.repository import MerchantRepository
from backend.payments.services import Services
from backend.switches.limits import SUBJECTS_SHOWN_MAX
from backend.switches.model import StopReason, SwitchKind
from backend.switches.repository import SwitchRepository
from backend.switches.service import Turn
from backend.switches.tables import SWITCH
from protocol.errors import CallerError

_TOLD = ("is_stopped", "reason", "category", "actor")


class SwitchDesk:
    """One per process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._repository = SwitchRepository(services.reader)
        self._merchants = MerchantRepository(services.reader)
        self._devices = DeviceRepository(services.reader)

    @property
    def channels(self) -> list[str]:
        """The channels that this installation has."""
        return sorted(self._services.rules.routing.facts)

    async def all(self) -> list[Row]:
        """Every switch that was ever used, those that stop something first."""
        rows: list[Row] = await self._services.run_read(self._repository.all)
        return rows

    async def subjects(self, kind: SwitchKind, text: str) -> list[Row]:
        """What a switch of this kind can be of, where its number or a name that belongs to it has
        the text in it: ``subject`` and ``name``, ``SUBJECTS_SHOWN_MAX`` at most."""
        limit = SUBJECTS_SHOWN_MAX
        if kind is SwitchKind.CHANNEL:
            named = [one for one in self.channels if text.casefold() in one.casefold()]
            return [{"subject": one, "name": ""} for one in named[:limit]]
        if kind is SwitchKind.MERCHANT:
            rows = await self._services.run_read(lambda: self._merchants.found(text, limit=limit))
            return [{"subject": row["merchant_id"], "name": row["name"]} for row in rows]
        rows = await self._services.run_read(lambda: self._devices.found(text, limit=limit))
        return [{"subject": row["tid"], "name": row["store_name"] or row["store"]} for row in rows]

    async def subject(self, kind: SwitchKind, text: str) -> str:
        """The id that a text means: the id itself, or a part of a name that only one has.
        ``merchant_unknown``, ``device_unknown`` or ``channel_unknown`` for none, or several."""
        if kind is SwitchKind.CHANNEL:
            is_id = text in self.channels
        elif kind is SwitchKind.MERCHANT:
            is_id = (
                await self._services.run_read(lambda: self._merchants.merchant(text)) is not None
            )
        else:
            is_id = bool(await self._services.run_read(lambda: self._devices.stores_of([text])))
        if is_id:
            return text
        found = await self.subjects(kind, text) if text else []
        if len(found) != 1:
            raise CallerError(f"{kind.value}_unknown", text)
        return str(found[0]["subject"])

    async def turn(
        self,
        kind: SwitchKind,
        subject: str,
        *,
        is_stopped: bool,
        reason: str,
        category: StopReason = StopReason.OTHER,
        actor: str,
        origin: str,
    ) -> Row:
        """Stop or let go on; the switch's row. ``merchant_unknown``, ``device_unknown`` or
        ``channel_unknown`` for what there is not, ``field_invalid`` without a reason."""
        turn = Turn(
            kind=kind,
            subject=subject,
            is_stopped=is_stopped,
            reason=reason,
            category=category,
            actor=actor,
            channels=frozenset(self._services.rules.routing.facts),
        )
        act = Act(
            kind=ActKind.SWITCH,
            what="stop" if is_stopped else "start",
            actor=actor,
            origin=origin,
            subject=f"{kind.value} {subject}",
            reason=reason,
        )
        row: Row = await self._services.submit(
            Audited(command=turn, act=act, watch=Watch(SWITCH, (kind.value, subject), _TOLD))
        )
        return row
