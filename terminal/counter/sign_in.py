"""Signing in with a PIN, signing for others, locking.

Rule 1: PINs are checked one at a time, so that many guesses at once count as many.
Rule 2: a PIN is hashed on a thread, never in the loop that takes payments, and never logged.
Rule 3: who has a PIN that somebody else has set chooses an own one by signing in; until then that
        PIN neither opens a session nor signs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from protocol.errors import CallerError
from terminal.counter import pins
from terminal.counter.people import People
from terminal.counter.staffing import Staffing
from terminal.domain.staff import Role, Session, Staff
from terminal.limits import TOUCH_GAP_MS
from terminal.timing import TerminalClock

log = structlog.get_logger("terminal")


class SignIn:
    """Who is at the till."""

    def __init__(
        self,
        people: People,
        staffing: Staffing,
        clock: TerminalClock,
        idle_lock_ms: Callable[[], int],
    ) -> None:
        """``idle_lock_ms``: without a touch for so long a session is locked."""
        self._people = people
        self._staffing = staffing
        self._clock = clock
        self._idle_lock_ms = idle_lock_ms
        self._checking = asyncio.Lock()

    @property
    def staff(self) -> list[Staff]:
        """Everybody who may sign in."""
        return self._people.all()

    def session(self) -> Session | None:
        """Who is signed in; a session that was not touched for too long is given as locked."""
        found = self._people.session()
        if found is None or found.is_open(self._clock.now_ms(), self._idle_lock_ms()):
            return found
        return replace(found, is_locked=True)

    def signed_in(self) -> Staff | None:
        """The person who is signed in and not locked."""
        session = self.session()
        if session is None or session.is_locked:
            return None
        return self._people.one(session.staff_id)

    async def sign_in(self, staff_id: int, pin: str, *, new_pin: str | None = None) -> Staff:
        """Begin or unlock a session; another person's ends one that is locked. With ``new_pin`` the
        person chooses that one first; ``staff_pin_given`` where that is needed."""
        staff = await self._checked(staff_id, pin)
        if new_pin is not None:
            staff = await self._staffing.choose_pin(staff, new_pin)
        staff.check_own_pin()
        now_ms = self._clock.now_ms()
        before = self._people.session()
        is_same = before is not None and before.staff_id == staff_id
        since_ms = before.since_ms if before is not None and is_same else now_ms
        is_training = before is not None and is_same and before.is_training
        session = Session(
            staff_id=staff_id, since_ms=since_ms, touched_at_ms=now_ms, is_training=is_training
        )
        self._people.save_session(session)
        log.info("staff_signed_in", staff=staff_id)
        return staff

    async def approved(self, staff_id: int, pin: str) -> Staff:
        """A supervisor signs for something; ``staff_supervisor`` for anybody else."""
        if self._people.one(staff_id).role is not Role.SUPERVISOR:
            raise CallerError("staff_supervisor")
        staff = await self._checked(staff_id, pin)
        staff.check_own_pin()
        log.info("staff_approved", staff=staff_id)
        return staff

    def touch(self) -> None:
        """Somebody has touched the till: the session does not lock for a while."""
        session, now_ms = self.session(), self._clock.now_ms()
        if session is None or session.is_locked:
            return
        if abs(now_ms - session.touched_at_ms) >= TOUCH_GAP_MS:
            self._people.save_session(replace(session, touched_at_ms=now_ms))

    def lock(self) -> None:
        """Lock the session, so that the PIN is asked for; nothing else changes."""
        session = self._people.session()
        if session is not None:
            self._people.save_session(replace(session, is_locked=True))

    def sign_out(self) -> None:
        """Nobody is signed in."""
        self._people.save_session(None)

    def train(self, *, is_training: bool) -> None:
        """Begin or end training."""
        session = self.session()
        if session is None or session.is_locked:
            raise CallerError("staff_sign_in")
        self._people.save_session(replace(session, is_training=is_training))

    async def _checked(self, staff_id: int, pin: str) -> Staff:
        async with self._checking:
            staff = self._people.one(staff_id)
            staff.check_free(self._clock.now_ms())
            salt, digest = self._people.kept_pin(staff_id)
            if not await asyncio.to_thread(pins.is_pin, pin, salt=salt, digest=digest):
                after = staff.after_wrong_pin(self._clock.now_ms())
                self._people.note_tries(after)
                after.check_free(self._clock.now_ms())
                raise CallerError("staff_pin_wrong", f"{after.failures} wrong")
            if staff.failures or staff.locked_until_ms:
                self._people.note_tries(staff.after_right_pin())
            return staff
