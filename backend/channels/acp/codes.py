"""What a response code means for a transaction. What stands in no list has told us nothing."""

DONE, DUPLICATE, NO_SUCH, OVER, NO_FILE = "00", "12", "34", "35", "98"
ACCEPTED = frozenset({"03", "04", "05"})
"""Taken, or perhaps taken: a query tells."""
_REASONS = {"64": "AM04"}
REFUSALS = frozenset(
    {"01", "30", "31", "32", "33", "36", "38", "39"}
    | {"60", "61", "62", "63", "64", "65", "66", "67", "68", "73", "77", "78"}
)
"""Of a payment that was not charged and will not be, or of a refund that is not given."""


def reason(code: str) -> str:
    """Why, as everybody here reads it: an ISO 20022 code where there is one."""
    return _REASONS.get(code, f"ACP.{code}")
