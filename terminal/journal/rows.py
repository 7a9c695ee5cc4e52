"""The rows of the journal that are not domain objects."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class RequestState(StrEnum):
    """Whether a request still waits for its answer."""

    OPEN = "open"
    ANSWERED = "answered"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One request: the same id and body in however many envelopes.

    ``subject`` is the payment or the refund it is about. ``sends - refusals`` envelopes may have
    been accepted without our knowing.
    """

    request_id: str
    message_type: str
    subject: str
    body: Mapping[str, Any] | None
    trace_id: str
    created_at_ms: int
    state: RequestState = RequestState.OPEN
    sends: int = 0
    refusals: int = 0
    counter: int | None = None
    """The number of its last envelope."""
    sent_at_ms: int | None = None

    @property
    def is_in_doubt(self) -> bool:
        """Whether some envelope of this request may have been accepted."""
        return self.sends > self.refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRow:
    """A receipt: its facts, so that it can be printed again exactly."""

    receipt_id: int
    subject: str
    kind: str
    facts: Mapping[str, Any]
    state: str
    tries: int
    at_ms: int
    error_code: str | None = None
