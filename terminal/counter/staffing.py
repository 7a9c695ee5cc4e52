"""Hiring, new PINs and letting go at the till: a supervisor signs for each; an own PIN is chosen by
whoever has it.

Rule 1: a PIN is hashed on a thread, never in the loop that takes payments, and never logged.
Rule 2: a PIN that is renewed obeys the rules of the first one, and is not the old one.
Rule 3: a PIN is its person's own if that person has set it, or has signed for it.
"""

import asyncio

import structlog

from protocol.clock import Entropy
from protocol.errors import CallerError
from terminal.counter import pins
from terminal.counter.people import People
from terminal.domain.pin import PinStep, check_pin_form
from terminal.domain.staff import Role, Staff
from terminal.domain.staff_acts import StaffAct
from terminal.limits import STAFF_ACTS_SHOWN, STAFF_NAME_CHARS_MAX

log = structlog.get_logger("terminal")


class Staffing:
    """Who works at this till."""

    def __init__(self, people: People, entropy: Entropy) -> None:
        self._people = people
        self._entropy = entropy

    async def hire(self, *, name: str, role: Role, pin: str, by_name: str) -> Staff:
        """Somebody new; ``staff_exists`` for a name that is taken, ``staff_pin_weak``."""
        name = _checked_name(name)
        check_pin_form(pin)
        salt = self._entropy.token_bytes(pins.SALT_BYTES)
        digest = await asyncio.to_thread(pins.pin_digest, pin, salt)
        staff = self._people.add(
            name, role, salt=salt, digest=digest, step=PinStep.GIVE, by_name=by_name
        )
        log.info("staff_hired", staff=staff.staff_id, role=role.value, by=by_name)
        return staff

    async def renew_pin(
        self, staff_id: int, *, pin: str, by_name: str, step: PinStep = PinStep.GIVE
    ) -> Staff:
        """Another PIN, for one that was forgotten or seen; a lock that stands against the person
        is off. ``staff_pin_weak``, ``staff_pin_same``."""
        check_pin_form(pin)
        self._people.one(staff_id)
        kept = self._people.kept_pin(staff_id)
        salt = self._entropy.token_bytes(pins.SALT_BYTES)
        digest = await asyncio.to_thread(pins.renewed_digest, pin, salt, kept=kept)
        staff = self._people.renew_pin(
            staff_id, salt=salt, digest=digest, step=step, by_name=by_name
        )
        log.info("staff_pin_renewed", staff=staff_id, step=staff.pin.value, by=by_name)
        return staff

    async def choose_pin(self, staff: Staff, pin: str) -> Staff:
        """An own one; the caller has checked the one that there is."""
        return await self.renew_pin(
            staff.staff_id, pin=pin, by_name=staff.name, step=PinStep.CHOOSE
        )

    def let_go(self, staff_id: int, *, by_name: str) -> Staff:
        """Somebody works here no longer; ``staff_last`` for the last supervisor."""
        staff = self._people.one(staff_id)
        self._people.leave(staff_id, by_name=by_name)
        log.info("staff_left", staff=staff_id, by=by_name)
        return staff

    def acts(self) -> list[StaffAct]:
        """What was done about staff, newest first."""
        return self._people.acts(STAFF_ACTS_SHOWN)


def hire(
    people: People, entropy: Entropy, *, name: str, role: Role, pin: str, step: PinStep,
    by_name: str,
) -> Staff:  # fmt: skip
    """A new member of staff, where no loop runs. Blocks while the PIN is hashed."""
    check_pin_form(pin)
    name = _checked_name(name)
    salt = entropy.token_bytes(pins.SALT_BYTES)
    digest = pins.pin_digest(pin, salt)
    return people.add(name, role, salt=salt, digest=digest, step=step, by_name=by_name)


def _checked_name(name: str) -> str:
    """A name as it is kept; ``field_invalid`` for what is none."""
    if not 0 < len(name.strip()) <= STAFF_NAME_CHARS_MAX or not name.isprintable():
        raise CallerError("field_invalid", "name")
    return name.strip()
