"""What operators send about cases. Wrong fields are named, never echoed."""

from typing import Annotated

from pydantic import Field

from backend.risk.cases.limits import (
    PAYMENTS_PER_DECISION_MAX,
    PERSON_CHARS_MAX,
    REASON_CHARS_MAX,
    SUBJECT_CHARS_MAX,
    WORDS_CHARS_MAX,
)
from backend.risk.cases.model import Outcome, Severity, Subject
from backend.risk.signing import Signed
from backend.wanted import Wanted
from protocol.messages.base import CaseIdText, PaymentIdText

PersonText = Annotated[str, Field(min_length=1, max_length=PERSON_CHARS_MAX)]
WordsText = Annotated[str, Field(min_length=1, max_length=WORDS_CHARS_MAX)]


class NewCase(Wanted):
    """``POST /operator/v1/risk/cases``. Who opens it mints ``case_id``: repeating is harmless."""

    case_id: CaseIdText
    subject: Annotated[Subject, Field(strict=False)]
    subject_id: Annotated[str, Field(min_length=1, max_length=SUBJECT_CHARS_MAX)]
    severity: Annotated[Severity, Field(strict=False)] = Severity.MEDIUM
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARS_MAX)]
    by: PersonText


class Assignment(Wanted):
    """``POST …/{case_id}/assign``: to a person, or back to the queue (``to`` empty)."""

    by: PersonText
    to: Annotated[str, Field(max_length=PERSON_CHARS_MAX)]


class Note(Wanted):
    """``POST …/{case_id}/note``."""

    by: PersonText
    words: WordsText


class Answer(Signed):
    """``POST …/{case_id}/confirm`` and ``reject``: the second person's word."""

    words: WordsText


class Proposal(Answer):
    """``POST …/{case_id}/propose``: the first person's word."""

    outcome: Annotated[Outcome, Field(strict=False)]
    payments: Annotated[list[PaymentIdText], Field(max_length=PAYMENTS_PER_DECISION_MAX)] = Field(
        default_factory=list
    )
