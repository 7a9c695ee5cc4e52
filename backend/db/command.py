"""What a command is, and what came of it."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from backend.db.tables import Key, TableRef
from backend.db.working_set import WorkingSet

Read = tuple[TableRef, Key]


class Command(Protocol):
    """One decision about rows. A frozen dataclass per command, in ``backend/<noun>/service.py``.

    ``decide`` must depend on nothing but its own fields, the working set and the time given: after
    a conflict with another writer it is called again with fresh rows.
    """

    def reads(self) -> Iterable[Read]:
        """The rows to load before ``decide``, as far as the command's fields name them."""
        ...

    def decide(self, ws: WorkingSet, now_ms: int) -> Any:  # noqa: ANN401
        """Change the working set and return the answer, or raise ``CallerError``: then the
        command's changes are undone and the others' stand."""
        ...


class FollowingCommand(Command, Protocol):
    """A command that learns from the first rows which others it needs (code → payer → account)."""

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        """Further rows to load; asked up to ``FOLLOW_WAVES_MAX`` times, until nothing is new."""
        ...


class Seal(Protocol):
    """Something that must be written once per group, in the same commit (the ledger's chain)."""

    def prepare(self, ws: WorkingSet, now_ms: int) -> Callable[[], None] | None:
        """Look at what the group inserts, while the group before it may still be on its way. What
        is returned, if anything, adds to it when that one is durable."""
        ...


class Outcome(NamedTuple):
    """A command's answer, or the error it ended with."""

    result: Any
    error: Exception | None

    def value(self) -> Any:  # noqa: ANN401
        """The answer; raises the error if there is one."""
        if self.error is not None:
            raise self.error
        return self.result
