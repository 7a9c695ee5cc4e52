"""Hiring, new PINs and letting go from the till's page: a supervisor signs for each.

Rule 1: a PIN is hashed on a thread, never in the loop that takes payments, and never logged.
Rule 2: a PIN that is renewed obeys the rules of the first one, and is not the old one.
"""

import asyncio

import structlog

from protocol.clock import Entropy
from terminal.counter import pins
from terminal.counter.people import People
from terminal.counter.sign_in import checked_name
from terminal.domain.staff import Role, Staff, StaffAct, check_pin_form
from terminal.limits import STAFF_ACTS_SHOWN

log = structlog.get_logger("terminal")


class Staffing:
    """Who works at this till."""

    def __init__(self, people: People, entropy: Entropy) -> None:
        self._people = people
        self._entropy = entropy

    async def hire(self, *, name: str, role: Role, pin: str, by_name: str) -> Staff:
        """Somebody new; ``staff_exists`` for a name that is taken, ``staff_pin_weak``."""
        name = checked_name(name)
        check_pin_form(pin)
        salt = self._entropy.token_bytes(pins.SALT_BYTES)
        digest = await asyncio.to_thread(pins.pin_digest, pin, salt)
        staff = self._people.add(name, role, salt=salt, digest=digest, by_name=by_name)
        log.info("staff_hired", staff=staff.staff_id, role=role.value, by=by_name)
        return staff

    async def renew_pin(self, staff_id: int, *, pin: str, by_name: str) -> Staff:
        """Another PIN, for one that was forgotten or seen; a lock that stands against the person
        is off. ``staff_pin_weak``, ``staff_pin_same``."""
        check_pin_form(pin)
        staff, kept = self._people.one(staff_id), self._people.kept_pin(staff_id)
        salt = self._entropy.token_bytes(pins.SALT_BYTES)
        digest = await asyncio.to_thread(pins.renewed_digest, pin, salt, kept=kept)
        self._people.renew_pin(staff_id, salt=salt, digest=digest, by_name=by_name)
        log.info("staff_pin_renewed", staff=staff_id, by=by_name)
        return staff

    def let_go(self, staff_id: int, *, by_name: str) -> Staff:
        """Somebody works here no longer; ``staff_last`` for the last supervisor."""
        staff = self._people.one(staff_id)
        self._people.leave(staff_id, by_name=by_name)
        log.info("staff_left", staff=staff_id, by=by_name)
        return staff

    def acts(self) -> list[StaffAct]:
        """What was done about staff, newest first."""
        return self._people.acts(STAFF_ACTS_SHOWN)
