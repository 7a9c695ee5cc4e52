"""What operators send about disputes. Wrong fields are named, never echoed."""

from typing import Annotated

from pydantic import Field

from backend.disputes.limits import EVIDENCE_CHARS_MAX, REASON_CHARS_MAX, REFERENCE_CHARS_MAX
from backend.wanted import Wanted
from protocol.messages.base import CollectionIdText, CurrencyText, DisputeIdText, PaymentIdText
from protocol.money import AMOUNT_MINOR_MAX


class NewDispute(Wanted):
    """``POST /operator/v1/disputes``. Who opens it mints ``dispute_id``: repeating is harmless."""

    dispute_id: DisputeIdText
    payment_id: PaymentIdText
    amount_minor: Annotated[int, Field(gt=0, le=AMOUNT_MINOR_MAX)]
    currency: CurrencyText
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARS_MAX)]
    reference: Annotated[str, Field(max_length=REFERENCE_CHARS_MAX)] = ""


class Evidence(Wanted):
    """``POST /operator/v1/disputes/{dispute_id}/evidence``, on behalf of the merchant."""

    merchant_id: Annotated[str, Field(min_length=1)]
    evidence: Annotated[str, Field(min_length=1, max_length=EVIDENCE_CHARS_MAX)]


class Decision(Wanted):
    """``POST /operator/v1/disputes/{dispute_id}/{win|lose|withdraw}``. The settlement date is the
    channel's, and only a lost dispute of a card or fund payment has one."""

    settlement_date: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""


class NewCollection(Wanted):
    """``POST /operator/v1/merchants/{merchant_id}/cover-collections``."""

    collection_id: CollectionIdText
