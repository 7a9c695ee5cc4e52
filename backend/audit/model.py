"""What an act of staff or of an operator is, and the chain that holds the log together. Pure.

Rule: each act carries a link, made of the link before it and of its own fields. Who changes or
      drops one changes every later link.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backend.audit.limits import SUBJECT_CHARS_MAX, TEXT_CHARS_MAX, VALUES_CHARS_MAX
from backend.detail import printable

FIRST_LINK = b""


class ActKind(StrEnum):
    """What was done."""

    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_OUT = "sign_out"
    STAFF = "staff"
    """A person was invited, changed, closed or opened again, or set a password."""
    SWITCH = "switch"
    KEY = "key"
    """A merchant's certificate, secret or callback address was set."""
    REFUND = "refund"
    WITHDRAWAL = "withdrawal"
    DISPUTE = "dispute"
    """A merchant has answered one."""
    BREAK = "break"
    CASE = "case"
    """A risk case was taken, put back, noted, or decided by the first or the second person."""
    LETTER = "letter"
    REQUEST = "request"
    """The bearer of the operator's token has asked for something that changes something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An act as whoever does it knows it: when, before and after are added where it is kept."""

    kind: ActKind
    what: str
    """In a word or two, from a closed set: ``stop``, ``resolve``, ``invite``…"""
    actor: str
    origin: str
    """From where: an address."""
    subject: str = ""
    """On what: ``merchant mch_1``, ``break brk_…``."""
    merchant_id: str = ""
    """Whose own log shows it, too; empty: the operators' alone."""
    reason: str = ""

    def columns(self) -> dict[str, Any]:
        """Printable, and no longer than the log takes."""
        return {
            "kind": self.kind.value,
            "what": printable(self.what, chars_max=TEXT_CHARS_MAX),
            "actor": printable(self.actor, chars_max=SUBJECT_CHARS_MAX),
            "origin": printable(self.origin, chars_max=SUBJECT_CHARS_MAX),
            "subject": printable(self.subject, chars_max=SUBJECT_CHARS_MAX),
            "merchant_id": self.merchant_id,
            "reason": printable(self.reason, chars_max=TEXT_CHARS_MAX),
        }


def values_text(values: Mapping[str, Any] | None) -> str:
    """What stood before or stands after, as JSON; empty for nothing."""
    if not values:
        return ""
    text = json.dumps(dict(values), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return printable(text, chars_max=VALUES_CHARS_MAX)


def chain(previous: bytes, event: Mapping[str, Any]) -> bytes:
    """The link of an event to the one before it: SHA-256 over that one's link and this one's
    fields as canonical JSON."""
    fields = {name: value for name, value in event.items() if name != "link"}
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(previous + text.encode()).digest()


def first_broken(
    events: Sequence[Mapping[str, Any]], *, previous: bytes = FIRST_LINK, number: int = 1
) -> int | None:
    """The number of the first event, of all in order from ``number`` on, that is not what was
    written; None if each is. ``previous`` is the link before the first."""
    for expected, event in enumerate(events, start=number):
        previous = chain(previous, event)
        if event["number"] != expected or event["link"] != previous:
            return expected
    return None
