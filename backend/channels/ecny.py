"""The e-CNY operator's adapter: the channel, and the statement of our wallet there.

No operator has published its interface to payment institutions, so this is ours: JSON over signed
HTTP (``http_channel``).
"""

from datetime import date

from backend.channels.facts import ChannelFacts
from backend.channels.http_channel import HttpChannel
from backend.channels.institution import Institution
from backend.channels.wallet_statement import WalletStatement, read_wallet_statement
from protocol.errors import CallerError, OperatingError

PREFIX = "/ecny"


class EcnyChannel(HttpChannel):
    """``ChannelPort`` to the operator, and the counterpart of our account ``ECNY``."""

    def __init__(self, institution: Institution, *, facts: ChannelFacts) -> None:
        super().__init__(institution, prefix=PREFIX, facts=facts)

    async def wallet_statement(self, day: date) -> WalletStatement:
        """Our wallet's day; ``file_rejected`` for one that does not add up."""
        answer = await self._ask("GET", f"/wallet/statements/{day}")
        if answer is None:
            raise OperatingError("internal", "the operator has no statement of the day")
        found = read_wallet_statement(answer)
        if found.day != day:
            raise CallerError("file_rejected", "e-CNY statement: another day")
        return found
