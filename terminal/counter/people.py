"""Staff and the session in the terminal's database.

Rule 1: whoever comes, goes or gets another PIN is written down with who signed, in the same turn;
        those lines are only added.
Rule 2: the last supervisor cannot leave: nobody could sign for the next one.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any

from protocol.errors import CallerError
from terminal.domain.pin import PinState, PinStep, set_pin
from terminal.domain.staff import Role, Session, Staff
from terminal.domain.staff_acts import StaffAct, StaffDeed
from terminal.journal.database import transaction
from terminal.limits import STAFF_MAX
from terminal.timing import TerminalClock


class People:
    """Who works here, and who is signed in."""

    def __init__(self, database: sqlite3.Connection, clock: TerminalClock) -> None:
        self._db = database
        self._clock = clock

    def add(
        self, name: str, role: Role, *, salt: bytes, digest: bytes, step: PinStep, by_name: str
    ) -> Staff:
        """A new member of staff; ``staff_exists`` for a name that is taken."""
        pin, deed = set_pin(PinState.NONE, step)
        with transaction(self._db):
            if len(self.all()) >= STAFF_MAX:
                raise CallerError("busy", f"{STAFF_MAX} members of staff at most")
            try:
                cursor = self._db.execute(
                    "INSERT INTO staff (name, role, salt, digest, pin) VALUES (?, ?, ?, ?, ?)",
                    (name, role, salt, digest, pin),
                )
            except sqlite3.IntegrityError:
                raise CallerError("staff_exists", name) from None
            staff = Staff(staff_id=int(cursor.lastrowid or 0), name=name, role=role, pin=pin)
            self._note(deed, staff.staff_id, by_name)
        return staff

    def renew_pin(
        self, staff_id: int, *, salt: bytes, digest: bytes, step: PinStep, by_name: str
    ) -> Staff:
        """Set another PIN and forget the person's wrong tries. If somebody else set it, the
        person's session is locked until the person signs in with it."""
        with transaction(self._db):
            pin, deed = set_pin(self.one(staff_id).pin, step)
            self._db.execute(
                "UPDATE staff SET salt = ?, digest = ?, pin = ?, failures = 0, locked_until_ms = 0"
                " WHERE staff_id = ?",
                (salt, digest, pin, staff_id),
            )
            if pin is PinState.GIVEN:
                self._db.execute("UPDATE session SET is_locked = 1 WHERE staff_id = ?", (staff_id,))
            self._note(deed, staff_id, by_name)
            return self.one(staff_id)

    def leave(self, staff_id: int, *, by_name: str) -> None:
        """Somebody works here no longer; the name stays on what was signed. ``staff_last`` for the
        last supervisor."""
        with transaction(self._db):
            supervisors = [each for each in self.all() if each.role is Role.SUPERVISOR]
            if [each.staff_id for each in supervisors] == [staff_id]:
                raise CallerError("staff_last")
            self._db.execute("UPDATE staff SET is_active = 0 WHERE staff_id = ?", (staff_id,))
            self._db.execute("DELETE FROM session WHERE staff_id = ?", (staff_id,))
            self._note(StaffDeed.LEFT, staff_id, by_name)

    def acts(self, count: int) -> list[StaffAct]:
        """What was done about staff, newest first."""
        rows = self._db.execute(
            "SELECT at_ms, act, name, by_name FROM staff_acts JOIN staff USING (staff_id)"
            " ORDER BY act_id DESC LIMIT ?",
            (count,),
        )
        return [StaffAct(**{**dict(row), "act": StaffDeed(row["act"])}) for row in rows]

    def _note(self, act: StaffDeed, staff_id: int, by_name: str) -> None:
        self._db.execute(
            "INSERT INTO staff_acts (at_ms, act, staff_id, by_name) VALUES (?, ?, ?, ?)",
            (self._clock.now_ms(), act, staff_id, by_name),
        )

    def all(self) -> list[Staff]:
        """Everybody who works here, in the order they came."""
        return self._staff("WHERE is_active = 1 ORDER BY staff_id", ())

    def one(self, staff_id: int) -> Staff:
        """Somebody who works here; ``staff_unknown`` else."""
        found = self._staff("WHERE is_active = 1 AND staff_id = ?", (staff_id,))
        if not found:
            raise CallerError("staff_unknown")
        return found[0]

    def kept_pin(self, staff_id: int) -> tuple[bytes, bytes]:
        """Salt and digest."""
        row = self._db.execute(
            "SELECT salt, digest FROM staff WHERE staff_id = ?", (staff_id,)
        ).fetchone()
        return row["salt"], row["digest"]

    def note_tries(self, staff: Staff) -> None:
        """Write down somebody's wrong tries and lock."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE staff SET failures = ?, locked_until_ms = ? WHERE staff_id = ?",
                (staff.failures, staff.locked_until_ms, staff.staff_id),
            )

    def session(self) -> Session | None:
        """Who is signed in, locked or not."""
        row = self._db.execute(
            "SELECT staff_id, since_ms, touched_at_ms, is_locked, is_training FROM session"
        ).fetchone()
        if row is None:
            return None
        flags = {"is_locked": bool(row["is_locked"]), "is_training": bool(row["is_training"])}
        return Session(**{**dict(row), **flags})

    def save_session(self, session: Session | None) -> None:
        """Keep the session: somebody signed in or out, locked it, or touched the till."""
        with transaction(self._db):
            self._db.execute("DELETE FROM session")
            if session is not None:
                self._db.execute(
                    "INSERT INTO session VALUES (1, ?, ?, ?, ?, ?)",
                    (session.staff_id, session.since_ms, session.touched_at_ms, session.is_locked,
                     session.is_training),
                )  # fmt: skip

    def _staff(self, where: str, values: Iterable[Any]) -> list[Staff]:
        rows = self._db.execute(
            f"SELECT staff_id, name, role, pin, failures, locked_until_ms FROM staff {where}",  # noqa: S608
            tuple(values),
        )
        return [
            Staff(**{**dict(row), "role": Role(row["role"]), "pin": PinState(row["pin"])})
            for row in rows
        ]
