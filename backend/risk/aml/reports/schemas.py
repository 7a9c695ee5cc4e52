"""What operators send about reports. Wrong fields are named, never echoed."""

from typing import Annotated

from pydantic import Field

from backend.risk.aml.reports.limits import (
    PAYMENTS_PER_REPORT_MAX,
    PERSON_CHARS_MAX,
    REASON_CHARS_MAX,
    RECEIPT_CHARS_MAX,
    SUBJECT_CHARS_MAX,
    WORDS_CHARS_MAX,
)
from backend.risk.cases.model import Subject
from backend.risk.signing import Signed
from backend.wanted import Wanted
from protocol.messages.base import CaseIdText, PaymentIdText, ReportIdText

PersonText = Annotated[str, Field(min_length=1, max_length=PERSON_CHARS_MAX)]


class NewReport(Wanted):
    """``POST /operator/v1/risk/reports``. Who raises it mints ``report_id``: repeating is
    harmless."""

    report_id: ReportIdText
    subject: Annotated[Subject, Field(strict=False)]
    subject_id: Annotated[str, Field(min_length=1, max_length=SUBJECT_CHARS_MAX)]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARS_MAX)]
    payments: Annotated[
        list[PaymentIdText], Field(min_length=1, max_length=PAYMENTS_PER_REPORT_MAX)
    ]
    case_id: CaseIdText | None = None
    by: PersonText


class Step(Signed):
    """``POST …/{report_id}/analyse|confirm|dismiss|return``: a word of one of two persons."""

    words: Annotated[str, Field(min_length=1, max_length=WORDS_CHARS_MAX)]


class Filing(Wanted):
    """``POST …/{report_id}/file``: who, in which words, and under which number the AML centre has
    it."""

    by: PersonText
    words: Annotated[str, Field(min_length=1, max_length=WORDS_CHARS_MAX)]
    receipt: Annotated[str, Field(min_length=1, max_length=RECEIPT_CHARS_MAX)]
