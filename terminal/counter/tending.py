"""Hiring, new PINs and letting go from the command line, beside a till that runs or does not.

Rule: whoever may write the till's journal owns the till, and needs nobody's PIN: this is the way
      back in when the last supervisor has forgotten one. The system's user who did it is noted.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from getpass import getuser
from pathlib import Path

from protocol.errors import CallerError
from terminal.adapters.system import SystemClock, SystemEntropy
from terminal.counter import pins
from terminal.counter.people import People
from terminal.counter.staffing import hire
from terminal.domain.pin import PinStep, check_pin_form
from terminal.domain.staff import Role, Staff
from terminal.journal.database import open_database
from terminal.limits import STAFF_ACTS_SHOWN

JOURNAL_FILE = "journal.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffWish:
    """What is to change; names, or nothing."""

    hires: str | None = None
    is_supervisor: bool = False
    renews: str | None = None
    leaves: str | None = None
    is_own_pin: bool = False
    """Who is hired, or gets another PIN, types it: nobody else knows it."""
    looks_back: bool = False


def tend_staff(
    state_dir: Path, wish: StaffWish, ask_pin: Callable[[], str]
) -> list[dict[str, object]]:
    """Do it; everybody who works here then, or what was done about staff."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(open_database(state_dir / JOURNAL_FILE)) as database:
        people, entropy, by_name = People(database, SystemClock()), SystemEntropy(), _user()
        step = PinStep.CHOOSE if wish.is_own_pin else PinStep.GIVE
        if wish.hires is not None:
            role = Role.SUPERVISOR if wish.is_supervisor else Role.CASHIER
            pin = ask_pin()
            hire(people, entropy, name=wish.hires, role=role, pin=pin, step=step, by_name=by_name)
        if wish.renews is not None:
            staff, pin = _named(people, wish.renews), ask_pin()
            check_pin_form(pin)
            salt, kept = entropy.token_bytes(pins.SALT_BYTES), people.kept_pin(staff.staff_id)
            digest = pins.renewed_digest(pin, salt, kept=kept)
            people.renew_pin(staff.staff_id, salt=salt, digest=digest, step=step, by_name=by_name)
        if wish.leaves is not None:
            people.leave(_named(people, wish.leaves).staff_id, by_name=by_name)
        if wish.looks_back:
            return [asdict(each) for each in people.acts(STAFF_ACTS_SHOWN)]
        return [
            {"staff_id": each.staff_id, "name": each.name, "role": each.role.value,
             "pin": each.pin.value}
            for each in people.all()
        ]  # fmt: skip


def _named(people: People, name: str) -> Staff:
    for each in people.all():
        if each.name == name:
            return each
    raise CallerError("staff_unknown", name)


def _user() -> str:
    """Who does it: the system account that this command runs under."""
    try:
        return f"CLI {getuser()}"
    except (KeyError, OSError):  # an account without a name, as in a container
        return "CLI"
