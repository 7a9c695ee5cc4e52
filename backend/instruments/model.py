"""What an instrument is. Pure.

Rule 1: a card's number never comes here: the channel keeps it and gives a token for it. The last
        four digits are for people.
Rule 2: an instrument is never deleted; a removed one pays nothing more, and its refunds still go
        where the money came from.
Rule 3: a token is one payer's: who registers another's is refused, and learns nothing of the other.
"""

import re
from enum import StrEnum

from backend.channels.model import ADVANCING_BANK, CARD, ECNY, FUND
from backend.instruments.limits import BANK_CHARS_MAX, TOKEN_CHARS_MAX
from protocol.errors import CallerError

BALANCE = "balance"
"""Names the payer's own balance where an instrument may be chosen."""


class InstrumentKind(StrEnum):
    """Where the money comes from."""

    CARD = "card"
    FUND = "fund"
    """A money-market fund: the fund company redeems, a bank advances the money the same day."""
    ECNY = "ecny"
    """An e-CNY wallet: its operator's word is final at once."""


CHANNEL_OF = {"card": CARD, "fund": ADVANCING_BANK, "advance": FUND, "ecny": ECNY}
"""The channel of a payment's funding. *advance*: a fund account whose money we advance."""


def funding_of(kind: InstrumentKind, *, has_own_advance: bool) -> str:
    """What a payment by such an instrument is funded by."""
    is_advanced = kind is InstrumentKind.FUND and has_own_advance
    return "advance" if is_advanced else kind.value


_TOKEN = re.compile(rf"[a-z]+_[A-Za-z0-9_-]{{8,{TOKEN_CHARS_MAX - 8}}}").fullmatch
_LAST4 = re.compile(r"[0-9]{4}", re.ASCII).fullmatch
_SEPARATORS = re.compile(r"[\W_]+")
_LONG_NUMBER = re.compile(r"\d{12,}").search


def check_facts(*, bank: str, last4: str, token: str) -> None:
    """``field_invalid`` unless these are a bank's name, four digits and a token that holds no card
    number."""
    is_good = (
        0 < len(bank) <= BANK_CHARS_MAX
        and _LAST4(last4) is not None
        and _TOKEN(token) is not None
        and not _has_card_number(token)
        and not _has_card_number(bank)
    )
    if not is_good:
        raise CallerError("field_invalid", "instrument")


def _has_card_number(text: str) -> bool:
    """However it is written: in groups of four, with dashes, spaces or underscores between."""
    return _LONG_NUMBER(_SEPARATORS.sub("", text)) is not None
