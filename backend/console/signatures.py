"""Whose word it is that a program says: a person's of the console, who proves it by the phone.

Rule: an operator who may act, and whose code it is. The code is used up, whatever comes of the
      word.
"""

from backend.console.desk import PeopleDesk
from backend.console.fresh_code import confirm
from backend.console.model import check_signatory
from backend.console.repository import PeopleRepository
from backend.db.tables import Row
from backend.payments.services import Services


class Signatures:
    """``backend.risk.signing.Sign``. One per process."""

    def __init__(self, services: Services, people: PeopleDesk) -> None:
        self._services = services
        self._people = people
        self._known = PeopleRepository(services.reader)

    async def __call__(self, by: str, code: str) -> str:
        """The person's name."""
        name = by.strip()
        row: Row | None = await self._services.run_read(lambda: self._known.person(name))
        check_signatory(row, name)
        await confirm(self._services, self._people, name, code.replace(" ", ""))
        return name
