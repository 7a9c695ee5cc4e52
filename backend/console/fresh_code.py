"""A fresh code of the phone, for what a session that somebody else has got must not be enough for.

Rule 1: a try is counted before anything is compared, as for signing in, and with the same lock.
Rule 2: a code's step is used up: the code that signed in confirms nothing, and none confirms twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.console.desk import PeopleDesk
from backend.console.service import BeginSignIn
from backend.console.tables import USER
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.payments.services import Services
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCode:
    """A code was right: its step is used up and tries are forgotten. ``console_code_wrong`` for a
    step that was used before."""

    name: str
    step: int

    def reads(self) -> Iterable[Read]:
        return [(USER, self.name)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # the step is the time
        user = ws.get(USER, self.name)
        if user is None or user["is_closed"] or self.step <= user["totp_step"]:
            raise CallerError("console_code_wrong")
        ws.update(USER, self.name, tries=0, locked_until_ms=0, totp_step=self.step)


async def confirm(services: Services, people: PeopleDesk, name: str, code: str) -> None:
    """``console_code_wrong`` unless the code is this person's, of now, and was never used."""
    _, step = await matched(services, people, name, code)
    await services.submit(UseCode(name=name, step=step))


async def matched(services: Services, people: PeopleDesk, name: str, code: str) -> tuple[Row, int]:
    """A person's row and the step that the code is of, which the caller's command uses up.
    ``console_code_wrong`` where it is not this person's, of now, and also after too many tries."""
    user: Row | None = await services.submit(BeginSignIn(name=name))
    step = None if user is None else people.step(user, code)
    if user is None or step is None:
        raise CallerError("console_code_wrong")
    return user, step
