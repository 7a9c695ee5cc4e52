"""UnionPay's day files, fetched by signed HTTP: they do not travel over the line of messages."""

from datetime import date

from backend.channels import day_file
from backend.channels.day_file import DayFile
from backend.channels.institution import Institution
from protocol.errors import CallerError, OperatingError


class HttpDayFiles:
    """``DayFiles`` of a switch."""

    def __init__(self, institution: Institution) -> None:
        self._institution = institution

    async def fetch(self, day: date) -> DayFile:
        """A day's file; ``file_rejected`` for one that does not hold."""
        answer = await self._institution.ask("GET", f"/days/{day}/file", line="/files")
        if answer is None:
            raise OperatingError("internal", "the switch has no file of the day")
        found = day_file.read_day_file(answer)
        if found.day != day:
            raise CallerError("file_rejected", "another day")
        return found
