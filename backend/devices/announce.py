"""News for hubs about devices, in the queue that also carries the answers for devices."""

from backend.db.working_set import WorkingSet
from backend.devices.model import DeviceRow
from backend.notify.outbox import put_push

REGISTRY = "registry"
"""The message type of a registry row: for the hub itself, not for a device."""


def announce(ws: WorkingSet, row: DeviceRow, at_ms: int) -> None:
    """Tell the store's hub how a device stands now, in the caller's transaction."""
    put_push(
        ws,
        store=row.store,
        device=row.tid,
        message_type=REGISTRY,
        body=row.to_wire(),
        at_ms=at_ms,
    )
