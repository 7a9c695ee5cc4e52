"""What the e-CNY operator says of our wallet's day, in JSON. Pure."""

import json
from dataclasses import asdict, dataclass
from datetime import date

from protocol.errors import CallerError


@dataclass(frozen=True, slots=True)
class WalletStatement:
    """Our wallet's day as sums: opening + paid - refunded - exchanged = closing. ``exchanged`` went
    into the reserve; negative: it came from there."""

    day: date
    opening_minor: int
    paid_minor: int
    refunded_minor: int
    exchanged_minor: int
    closing_minor: int

    @property
    def is_balanced(self) -> bool:
        """Whether the sums agree."""
        came_minor = self.opening_minor + self.paid_minor
        return came_minor - self.refunded_minor - self.exchanged_minor == self.closing_minor


def write_wallet_statement(statement: WalletStatement) -> bytes:
    """The statement's bytes."""
    return json.dumps(asdict(statement) | {"day": statement.day.isoformat()}).encode()


def read_wallet_statement(content: bytes) -> WalletStatement:
    """The statement; ``file_rejected`` for anything else, and for sums that do not agree."""
    try:
        match json.loads(content):
            case {
                "day": str(day),
                "opening_minor": int(opening),
                "paid_minor": int(paid),
                "refunded_minor": int(refunded),
                "exchanged_minor": int(exchanged),
                "closing_minor": int(closing),
            }:
                sums = (opening, paid, refunded, exchanged, closing)
                found = WalletStatement(date.fromisoformat(day), *sums)
                if found.is_balanced:
                    return found
    except (ValueError, RecursionError):
        pass
    raise CallerError("file_rejected", "e-CNY statement")
