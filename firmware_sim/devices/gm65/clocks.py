"""The scanner's appointments with time."""

from dataclasses import dataclass


@dataclass(slots=True)
class Clocks:
    """When what is due; ``quiet_until`` is no deadline of its own."""

    ready_at: int | None = None
    start_at: int | None = None
    read_at: int | None = None
    stop_at: int | None = None
    idle_at: int | None = None
    quiet_until: int = 0

    def take(self, name: str, now_ms: int) -> bool:
        """Whether that is due; if so, it is due no more."""
        at: int | None = getattr(self, name)
        if at is None or at > now_ms:
            return False
        setattr(self, name, None)
        return True

    def soonest(self) -> int | None:
        """The next of them."""
        at = (self.ready_at, self.start_at, self.read_at, self.stop_at, self.idle_at)
        return min((one for one in at if one is not None), default=None)
