"""Who acts by a request, and at which till.

Rule 1: a program (its token, see `access`) acts for itself at the real till, or at the training
        with the header ``x-station: training``.
Rule 2: a page acts for whoever is signed in and not locked, at the till that person works at.
        A vending machine has no staff: its page acts for the machine.
Rule 3: what needs a supervisor is signed with that person's PIN in the same request; a program
        needs no signature, because its token is the owner's.
"""

from dataclasses import dataclass

from fastapi import Request

from protocol.errors import CallerError
from terminal.counter.station import Counter, Station
from terminal.domain.staff import Staff
from terminal.web.access import Access
from terminal.web.schemas import ApprovalIn

STATION_HEADER = "x-station"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by name, and where."""

    name: str
    station: Station
    is_program: bool = False
    staff: Staff | None = None


class Gate:
    """The dependencies of the routes; they are async, because the database knows one thread."""

    def __init__(self, access: Access, counter: Counter) -> None:
        self.access = access
        self.counter = counter

    async def look(self, request: Request) -> Station:
        """Require a right to look; the till that is looked at."""
        self.access.check_read(request)
        return self.station(request)

    async def look_back(self, request: Request) -> Station:
        """Require a right to look at past sales: a page needs somebody who is signed in."""
        station = await self.look(request)
        is_free = self.access.is_program(request) or self.has_no_staff
        if not is_free and self.counter.sign_in.signed_in() is None:
            raise CallerError("staff_sign_in")
        return station

    async def page(self, request: Request) -> None:
        """Require a right to change who is signed in, and nothing else."""
        self.access.check_write(request)

    async def act(self, request: Request) -> Actor:
        """Require a right to act; who acts. ``staff_sign_in`` where nobody is signed in."""
        self.access.check_write(request)
        station = self.station(request)
        if self.access.is_program(request):
            return Actor("API", station, is_program=True)
        if self.has_no_staff:
            return Actor(station.agent.profile.tid, station)
        staff = self.counter.sign_in.signed_in()
        if staff is None:
            raise CallerError("staff_sign_in")
        self.counter.sign_in.touch()
        return Actor(staff.name, station, staff=staff)

    @property
    def has_no_staff(self) -> bool:
        """A machine's page is its customers'."""
        return self.counter.real.agent.profile.is_machine

    def station(self, request: Request) -> Station:
        """The till that the request is about."""
        if self.access.is_program(request):
            is_training = request.headers.get(STATION_HEADER) == "training"
            return self.counter.training if is_training else self.counter.real
        return self.counter.station()

    async def approval(self, actor: Actor, signed: ApprovalIn | None) -> str:
        """The name of who signed; ``staff_supervisor`` where a page's act lacks a signature."""
        if signed is not None:
            return (await self.counter.sign_in.approved(signed.staff_id, signed.pin)).name
        if actor.is_program:
            return actor.name
        raise CallerError("staff_supervisor")
