"""Where UnionPay's day files are fetched: over signed HTTP, beside the line of messages."""

from datetime import date

from backend.channels.day_file import DayFile
from backend.channels.institution import Institution
from backend.channels.unionpay_file import open_com_file


class UnionPayFiles:
    """``DayFiles`` over the switch's HTTP face."""

    def __init__(self, institution: Institution) -> None:
        self._institution = institution

    async def fetch(self, day: date) -> DayFile:
        """``DayFiles.fetch``."""
        return await self._institution.fetch_day(f"/days/{day}/file", day, read=open_com_file)
