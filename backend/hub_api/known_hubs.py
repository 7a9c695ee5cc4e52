"""Whether a hub may speak, without asking the database again for every batch.

Rule 1: a row is believed for ``HUB_ROW_AGE_MS_MAX`` and not once this process has changed a
        device: whoever was told that a hub is stopped finds it stopped.
Rule 2: this opens the door and nothing else. What a device asks for is decided with the hub's row
        of that moment, in the transaction that carries it out (``guard``).
"""

import time
from collections.abc import Callable

from backend.db.ports import RunRead
from backend.db.working_set import WorkingSet
from backend.devices.model import DeviceKind, DeviceRow, refusal_code
from backend.devices.repository import DeviceRepository
from backend.devices.tables import DEVICE
from backend.hub_api.limits import HUB_ROW_AGE_MS_MAX, HUB_ROWS_MAX
from protocol.errors import CallerError


class KnownHubs:
    """A short memory of hubs' rows. Owned by the event loop, but for ``committed``."""

    def __init__(
        self,
        repository: DeviceRepository,
        run_read: RunRead,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._repository = repository
        self._run_read = run_read
        self._monotonic_s = monotonic_s
        self._rows: dict[str, tuple[float, DeviceRow]] = {}

    async def row(self, hub: str) -> DeviceRow:
        """The hub's row, if this name is a hub and may speak; else ``CallerError`` says why not."""
        rows = self._rows  # before the read: a change meanwhile puts another in its place
        known = rows.get(hub)
        if known is not None and self._monotonic_s() < known[0]:
            return known[1]
        until_s = self._monotonic_s() + HUB_ROW_AGE_MS_MAX / 1000
        row: DeviceRow | None = await self._run_read(lambda: self._repository.device(hub))
        if row is None:
            raise CallerError("device_unknown")
        if row.kind is not DeviceKind.HUB:
            raise CallerError("identity_mismatch", "not a hub")
        refused = refusal_code(row.status)
        if refused is not None:
            raise CallerError(refused)
        if len(rows) >= HUB_ROWS_MAX:
            rows.clear()
        rows[hub] = until_s, row
        return row

    def committed(self, ws: WorkingSet) -> None:
        """A group is durable. Called on the writer's thread, before anybody is answered: what is
        being read meanwhile is not kept."""
        if ws.has_changed(DEVICE):
            self._rows = {}
