"""Hiring and letting go from the command line, beside a till that runs or does not."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import CallerError
from terminal.adapters.system import SystemEntropy
from terminal.counter import pins
from terminal.counter.people import People
from terminal.counter.sign_in import hire
from terminal.domain.staff import Role, Staff, check_pin_form
from terminal.journal.database import open_database

JOURNAL_FILE = "journal.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffWish:
    """What is to change; names, or nothing."""

    hires: str | None = None
    is_supervisor: bool = False
    renews: str | None = None
    leaves: str | None = None


def tend_staff(
    state_dir: Path, wish: StaffWish, ask_pin: Callable[[], str]
) -> list[dict[str, object]]:
    """Do it; everybody who works here then."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(open_database(state_dir / JOURNAL_FILE)) as database:
        people, entropy = People(database), SystemEntropy()
        if wish.leaves is not None:
            people.leave(_named(people, wish.leaves).staff_id)
        if wish.renews is not None:
            staff, pin = _named(people, wish.renews), ask_pin()
            check_pin_form(pin)
            salt = entropy.token_bytes(pins.SALT_BYTES)
            people.renew_pin(staff.staff_id, salt=salt, digest=pins.pin_digest(pin, salt))
        if wish.hires is not None:
            role = Role.SUPERVISOR if wish.is_supervisor else Role.CASHIER
            hire(people, entropy, name=wish.hires, role=role, pin=ask_pin())
        return [
            {"staff_id": each.staff_id, "name": each.name, "role": each.role.value}
            for each in people.all()
        ]


def _named(people: People, name: str) -> Staff:
    for each in people.all():
        if each.name == name:
            return each
    raise CallerError("staff_unknown", name)
