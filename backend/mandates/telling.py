"""Word to the thing that pays under a mandate, so that it need not wait until it asks again.

Rule: the word only makes the thing ask: however late it comes, and in whatever order, what counts
is the standing that the thing is answered then.
"""

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.devices.model import DeviceKind
from backend.devices.tables import DEVICE
from backend.notify.outbox import push_reads, put_push
from protocol.messages import MandateChanged

MANDATE_CHANGED = "mandate.changed"


def tell_reads(ws: WorkingSet, mandate: Row) -> list[Read]:
    """What ``tell_device`` reads, of a mandate that is loaded."""
    device = ws.get(DEVICE, mandate["device"])
    return [(DEVICE, mandate["device"]), *(push_reads(device["store"]) if device else [])]


def tell_device(ws: WorkingSet, mandate: Row, now_ms: int) -> None:
    """The status has changed: put the news into the queue of the thing's store, in the same commit.
    A terminal asks nothing while it gives, and is told nothing."""
    device = ws.get(DEVICE, mandate["device"])
    if device is None or device["kind"] != DeviceKind.THING:
        return
    put_push(
        ws,
        store=device["store"],
        device=device["tid"],
        message_type=MANDATE_CHANGED,
        body=MandateChanged(mandate_id=mandate["mandate_id"]).to_map(),
        at_ms=now_ms,
    )
