"""Who stands at the till, and when somebody must say so again.

Rule 1: a wrong PIN counts against the person, not against the page; too many in a row lock that
        person for a named time, and a right one sets the count to zero.
Rule 2: a session without a touch for a named time is locked; the sale on the screen stays.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from protocol.errors import CallerError
from terminal.domain.pin import PinState
from terminal.limits import PIN_FAILURES_MAX, PIN_LOCK_MS


class Role(StrEnum):
    """What somebody may do. A supervisor may do what a cashier may, and sign for it."""

    CASHIER = "cashier"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """One person of the shop."""

    staff_id: int
    name: str
    role: Role
    pin: PinState = PinState.OWN
    failures: int = 0
    locked_until_ms: int = 0

    def check_free(self, now_ms: int) -> None:
        """``staff_locked`` while too many wrong PINs stand against this person."""
        if now_ms < self.locked_until_ms:
            raise CallerError("staff_locked", f"until {self.locked_until_ms}")

    def check_own_pin(self) -> None:
        """``staff_pin_given`` while the PIN is one that somebody else has set."""
        if self.pin is PinState.GIVEN:
            raise CallerError("staff_pin_given")

    def after_wrong_pin(self, now_ms: int) -> "Staff":
        """The person after one more wrong PIN; locked if it was the last that is allowed."""
        failures = self.failures + 1
        if failures >= PIN_FAILURES_MAX:
            return replace(self, failures=0, locked_until_ms=now_ms + PIN_LOCK_MS)
        return replace(self, failures=failures)

    def after_right_pin(self) -> "Staff":
        """The person after a right PIN: no wrong tries are counted any more."""
        return replace(self, failures=0, locked_until_ms=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody is signed in."""

    staff_id: int
    since_ms: int
    touched_at_ms: int
    is_locked: bool = False
    is_training: bool = False

    def is_open(self, now_ms: int, idle_lock_ms: int) -> bool:
        """Whether it may act: touched within ``idle_lock_ms``. A clock that was set back does not
        keep it open for longer."""
        return not self.is_locked and abs(now_ms - self.touched_at_ms) < idle_lock_ms
