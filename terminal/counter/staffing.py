"""Hiring, new PINs and letting go from the till's page: a supervisor signs for each.

Rule 1: a PIN is hashed on a thread, never in the loop that takes payments, and never logged.
Rule 2: the last supervisor cannot be let go here: nobody could sign for the next one.
"""

import asyncio

import structlog

from protocol.clock import Entropy
from protocol.errors import CallerError
from terminal.counter import pins
from terminal.counter.people import People
from terminal.counter.sign_in import checked_name
from terminal.domain.staff import Role, Staff, check_pin_form

log = structlog.get_logger("terminal")


class Staffing:
    """Who works at this till."""

    def __init__(self, people: People, entropy: Entropy) -> None:
        self._people = people
        self._entropy = entropy

    async def hire(self, *, name: str, role: Role, pin: str, by_name: str) -> Staff:
        """Somebody new; ``staff_exists`` for a name that is taken, ``staff_pin_weak``."""
        name = checked_name(name)
        salt, digest = await self._hashed(pin)
        staff = self._people.add(name, role, salt=salt, digest=digest)
        log.info("staff_hired", staff=staff.staff_id, role=role.value, by=by_name)
        return staff

    async def renew_pin(self, staff_id: int, *, pin: str, by_name: str) -> Staff:
        """Another PIN; a lock that stands against the person is off."""
        staff = self._people.one(staff_id)
        salt, digest = await self._hashed(pin)
        self._people.renew_pin(staff_id, salt=salt, digest=digest)
        log.info("staff_pin_renewed", staff=staff_id, by=by_name)
        return staff

    def let_go(self, staff_id: int, *, by_name: str) -> Staff:
        """Somebody works here no longer; ``staff_last`` for the last supervisor."""
        staff = self._people.one(staff_id)
        supervisors = [each for each in self._people.all() if each.role is Role.SUPERVISOR]
        if supervisors == [staff]:
            raise CallerError("staff_last")
        self._people.leave(staff_id)
        log.info("staff_left", staff=staff_id, by=by_name)
        return staff

    async def _hashed(self, pin: str) -> tuple[bytes, bytes]:
        check_pin_form(pin)
        salt = self._entropy.token_bytes(pins.SALT_BYTES)
        return salt, await asyncio.to_thread(pins.pin_digest, pin, salt)
