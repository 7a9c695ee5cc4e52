"""NetsUnion's numbers, and how ours become them.

Rule 1: a transaction number is a pure function of our id and of what is asked under it: a retry,
        a query after a crash and a second process all arrive at the same one. Nothing is stored.
Rule 2: the numbers prove nothing. Our own id travels with each message and is what counts.
"""

import hashlib
import re
from datetime import UTC, date, datetime
from typing import Literal

from protocol import ids
from protocol.clock import CHINA
from protocol.errors import CallerError

CLEARING_HOUSE = "G4000311000018"
INSTITUTION = "Z2026110000017"
"""Ours. A payment institution's number begins with Z, a bank's with C, a clearing house's with
G; each has 14 characters."""
Asked = Literal["pay", "refund", "reverse", "payout", "verify", "sign"]
_ASKED_DIGIT: dict[Asked, str] = {
    "pay": "0", "refund": "1", "reverse": "2", "payout": "3", "verify": "4", "sign": "5",
}  # fmt: skip
_TRX = re.compile(r"[0-9]{31}")
_TIME_MS_MAX = 253_370_736_000_000
"""The year 9999 in China; an id minted by a clock beyond it counts as of then."""


def trx_id(own_id: str, asked: Asked) -> str:
    """31 digits: the day on which our id was minted (its own 48 bits of time, in China), 16
    digits of SHA-256 over the id, one digit for what is asked, 6 more digits of the hash."""
    raw = ids.to_bytes(own_id, prefix=own_id.partition("_")[0])
    at_ms = min(int.from_bytes(raw[:6], "big"), _TIME_MS_MAX)
    digits = int.from_bytes(hashlib.sha256(own_id.encode()).digest(), "big")
    sequence, control = digits % 10**16, digits // 10**16 % 10**6
    return f"{china_day(at_ms):%Y%m%d}{sequence:016d}{_ASKED_DIGIT[asked]}{control:06d}".zfill(31)


def of_own_making(name: str, day: date) -> str:
    """The number that the clearing house itself gives to what nobody has asked for."""
    digits = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big") % 10**23
    return f"{day:%Y%m%d}{digits:023d}"


def check_trx_id(text: str) -> str:
    """A transaction number, as it is; ``id_invalid`` for anything else."""
    if _TRX.fullmatch(text) is None:
        raise CallerError("id_invalid", "TrxId")
    return text


def batch_id(day: date, window: int = 1, *, letter: Literal["B", "D"] = "B") -> str:
    """A day's batch: ``B`` (disputes: ``D``), the date and the window's number in 4 digits."""
    return f"{letter}{day:%Y%m%d}{window:04d}"


def batch_day(batch: str) -> date:
    """The day in a batch number."""
    try:
        if re.fullmatch(r"[BD][0-9]{12}", batch) is None:
            raise ValueError
        return datetime.strptime(batch[1:9], "%Y%m%d").replace(tzinfo=CHINA).date()
    except ValueError:
        raise CallerError("id_invalid", "BatchId") from None


def china_text(at_ms: int) -> str:
    """A moment as the messages say it: China's time, to the second."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(CHINA)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


def china_ms(text: str) -> int:
    """The moment in a message; ``field_invalid`` for anything else."""
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=CHINA)
    except ValueError:
        raise CallerError("field_invalid", "a moment") from None
    return int(moment.timestamp()) * 1000


def china_day(at_ms: int) -> date:
    """The calendar's day in China at a moment."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(CHINA).date()


def dispute_id(case_id: str) -> str:
    """Our id of a payer's bank's case: its own if it is one of ours, else made of its hash, so
    that the same case read twice is one dispute."""
    if ids.is_id(case_id, prefix=ids.DISPUTE):
        return case_id
    return ids.from_bytes(ids.DISPUTE, hashlib.sha256(case_id.encode()).digest()[:16])
