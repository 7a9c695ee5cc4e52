"""Keeping acts, in the transaction of what is done: no act without its line, no line without its
act.

Rule: a command that is refused leaves no line, and one that changes nothing of what is watched
      leaves none, either: asking for what already is is no act.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backend.audit.model import Act, chain, values_text
from backend.audit.tables import ACT, HEAD, THE_LOG
from backend.db.command import Command, Read
from backend.db.tables import Key, Row, TableRef
from backend.db.working_set import WorkingSet


@dataclass(frozen=True, slots=True)
class Watch:
    """Which columns of which row are told as before and after. Never a secret's."""

    ref: TableRef
    key: Key
    columns: tuple[str, ...]

    def seen(self, ws: WorkingSet) -> Row | None:
        """The columns as they stand; None where there is no row."""
        row = ws.get(self.ref, self.key)
        return None if row is None else {name: row[name] for name in self.columns}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A command whose act is kept with it. It reads, follows and answers as the command itself."""

    command: Command
    act: Act
    watch: Watch | None = None

    def reads(self) -> Iterable[Read]:
        watched = [] if self.watch is None else [(self.watch.ref, self.watch.key)]
        return [(HEAD, THE_LOG), *watched, *self.command.reads()]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        follow = getattr(self.command, "follow", None)
        return [] if follow is None else list(follow(ws))

    def decide(self, ws: WorkingSet, now_ms: int) -> Any:  # noqa: ANN401
        watch = self.watch
        before = None if watch is None else watch.seen(ws)
        result = self.command.decide(ws, now_ms)
        after = None if watch is None else watch.seen(ws)
        if watch is None or before != after:
            keep_act(ws, self.act, now_ms, before=before, after=after)
        return result


def audited(command: Command, act: Act | None) -> Command:
    """The command, its act kept with it where there is one: whose caller keeps it otherwise gives
    none."""
    return command if act is None else Audited(command=command, act=act)


@dataclass(frozen=True, slots=True)
class KeepAct:
    """An act that changes nothing else here: a sign-in that failed, a request that was answered."""

    act: Act
    after: Row | None = None

    def reads(self) -> Iterable[Read]:
        return [(HEAD, THE_LOG)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        keep_act(ws, self.act, now_ms, after=self.after)


def keep_act(
    ws: WorkingSet, act: Act, now_ms: int, *, before: Row | None = None, after: Row | None = None
) -> None:
    """Write an act down behind the last."""
    head = ws.get(HEAD, THE_LOG)
    assert head is not None, "the log begins with its tables"
    number = head["count"] + 1
    row = {
        "number": number,
        "at_ms": now_ms,
        **act.columns(),
        "before": values_text(before),
        "after": values_text(after),
    }
    link = chain(head["link"], row)
    ws.insert(ACT, {**row, "link": link})
    ws.update(HEAD, THE_LOG, count=number, link=link)
