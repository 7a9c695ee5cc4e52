"""Putting tags on devices and taking them off. Asking for what already is changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.devices.limits import TAGS_PER_DEVICE_MAX
from backend.devices.tables import DEVICE, DEVICE_TAG
from protocol.errors import CallerError
from protocol.topics import is_name


@dataclass(frozen=True, slots=True, kw_only=True)
class TagDevice:
    """Put some tags on a device and take others off; at most ``TAGS_PER_DEVICE_MAX`` a request."""

    tid: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    by: str

    def reads(self) -> Iterator[Read]:
        """The device and the tags."""
        yield DEVICE, self.tid
        for tag in (*self.add, *self.remove):
            yield DEVICE_TAG, (self.tid, tag)

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        """``device_unknown``; ``field_invalid`` for a tag that is no name, or is in both lists."""
        wanted = {**dict.fromkeys(self.remove, 0), **dict.fromkeys(self.add, 1)}
        is_clear = len(wanted) == len(self.add) + len(self.remove)
        if not is_clear or len(wanted) > TAGS_PER_DEVICE_MAX or not all(map(is_name, wanted)):
            raise CallerError("field_invalid", "tags")
        if ws.get(DEVICE, self.tid) is None:
            raise CallerError("device_unknown", self.tid)
        for tag, is_on in wanted.items():
            told = {"is_on": is_on, "changed_by": self.by, "changed_at_ms": now_ms}
            found = ws.get(DEVICE_TAG, (self.tid, tag))
            if found is None:
                ws.insert(DEVICE_TAG, {"tid": self.tid, "tag": tag, **told})
            elif found["is_on"] != is_on:
                ws.update(DEVICE_TAG, (self.tid, tag), **told)
