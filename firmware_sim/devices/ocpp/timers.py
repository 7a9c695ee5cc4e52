"""Named alarms; the names of a charge point are few, so the alarms are."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Timers:
    """When each alarm rings, in milliseconds of the device's time."""

    _due_ms: dict[str, int] = field(default_factory=dict)

    def set(self, name: str, at_ms: int) -> None:
        """Let an alarm ring at a time, and at no other."""
        self._due_ms[name] = at_ms

    def clear(self, name: str) -> None:
        """Take an alarm back; nothing where none is set."""
        self._due_ms.pop(name, None)

    def clear_all(self) -> None:
        """Take every alarm back."""
        self._due_ms.clear()

    def is_set(self, name: str) -> bool:
        """Whether an alarm waits."""
        return name in self._due_ms

    def take_due(self, now_ms: int) -> list[str]:
        """The alarms that ring now, earliest first; they are no longer set."""
        due = sorted((at_ms, name) for name, at_ms in self._due_ms.items() if at_ms <= now_ms)
        for _, name in due:
            del self._due_ms[name]
        return [name for _, name in due]

    def next_ms(self) -> int | None:
        """When the next alarm rings."""
        return min(self._due_ms.values(), default=None)
