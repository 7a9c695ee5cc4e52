"""Who may be paid out to. Pure.

Rule 1: the reserve pays only accounts that are filed: a merchant's, a customer's, our own.
Rule 2: a holder has one filed account at a time. What was filed before stays in the filings.
"""

from enum import StrEnum


class DestinationKind(StrEnum):
    """Whose account it is."""

    MERCHANT = "merchant"
    CUSTOMER = "customer"
    OWN = "own"


class FilingEvent(StrEnum):
    """What happened to a filed account."""

    FILED = "destination_filed"
    WITHDRAWN = "destination_withdrawn"


OWN_HOLDER = "own"
"""We are the one holder of our own account."""

Key = tuple[str, str]


def key_of(kind: DestinationKind, holder_id: str) -> Key:
    """The key of a holder's destination."""
    return (kind.value, holder_id)
