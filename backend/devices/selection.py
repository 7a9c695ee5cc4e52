"""Which devices are meant: by store, kind, status, tag, a part of the name, or by their names."""

from dataclasses import dataclass

from backend.devices.limits import SEARCH_CHARS_MAX, SELECTED_DEVICES_MAX
from backend.devices.model import DeviceKind, DeviceStatus
from protocol.errors import CallerError
from protocol.topics import is_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """All conditions must hold; an empty one says nothing."""

    store: str = ""
    kind: str = ""
    status: str = ""
    tag: str = ""
    text: str = ""
    """A part of the name."""
    tids: tuple[str, ...] = ()

    def check(self) -> None:
        """``field_invalid`` names a condition that can never hold."""
        named = {"store": self.store, "tag": self.tag}
        wrong = [name for name, value in named.items() if value and not is_name(value)]
        if self.kind and self.kind not in set(DeviceKind):
            wrong.append("kind")
        if self.status and self.status not in set(DeviceStatus):
            wrong.append("status")
        if len(self.text) > SEARCH_CHARS_MAX:
            wrong.append("text")
        if len(self.tids) > SELECTED_DEVICES_MAX or not all(map(is_name, self.tids)):
            wrong.append("tids")
        if wrong:
            raise CallerError("field_invalid", ", ".join(wrong))

    @property
    def is_empty(self) -> bool:
        """Whether it means every device there is."""
        return self == Selection()
