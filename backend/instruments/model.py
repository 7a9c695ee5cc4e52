"""What an instrument is. Pure.

Rule 1: a card's number never comes here: the channel keeps it and gives a token for it. The last
        four digits are for people.
Rule 2: an instrument is never deleted; a removed one pays nothing more, and its refunds still go
        where the money came from.
Rule 3: a token is one payer's: who registers another's is refused, and learns nothing of the other.
Rule 4: each channel that serves an instrument has its own token for it: the agreement's number at
        NetsUnion, UnionPay's token of a card. Once given, a token is not changed.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from backend.channels.model import ADVANCING_BANK, CUP, ECNY, FUND, NUCC
from backend.instruments.limits import BANK_CHARS_MAX, TOKEN_CHARS_MAX
from protocol.errors import CallerError

BALANCE = "balance"
"""Names the payer's own balance where an instrument may be chosen."""
OFFLINE, HOUSE = "offline", "house"
"""What paid an offline token: what was set aside for its voucher, or our own money."""
KEPT_HERE = frozenset({BALANCE, OFFLINE, HOUSE})
"""What pays without a channel: the money is with us already."""


class InstrumentKind(StrEnum):
    """Where the money comes from."""

    CARD = "card"
    FUND = "fund"
    """A money-market fund: the fund company redeems, a bank advances the money the same day."""
    ECNY = "ecny"
    """An e-CNY wallet: its operator's word is final at once."""


HOME_CHANNELS: dict[InstrumentKind, tuple[str, ...]] = {
    InstrumentKind.CARD: (NUCC,),
    InstrumentKind.FUND: (ADVANCING_BANK, FUND),
    InstrumentKind.ECNY: (ECNY,),
}
"""Whose the token is that an instrument is registered with. The fund and the bank that advances its
money know a fund account by the same one."""
SERVING_CHANNELS: dict[InstrumentKind, tuple[str, ...]] = {
    InstrumentKind.CARD: (NUCC, CUP),
    InstrumentKind.FUND: (ADVANCING_BANK, FUND),
    InstrumentKind.ECNY: (ECNY,),
}
"""The channels that can have a token for an instrument."""


def funding_of(kind: InstrumentKind, *, has_own_advance: bool) -> str:
    """What a payment by such an instrument is funded by. *advance*: a fund account whose money we
    advance."""
    is_advanced = kind is InstrumentKind.FUND and has_own_advance
    return "advance" if is_advanced else kind.value


_TOKEN = re.compile(rf"(?:[a-z]+_|SGN)[A-Za-z0-9_-]{{8,{TOKEN_CHARS_MAX - 8}}}").fullmatch
"""A word and what follows it; ``SGN…`` are NetsUnion's own numbers of agreements."""
_LAST4 = re.compile(r"[0-9]{4}", re.ASCII).fullmatch
_SEPARATORS = re.compile(r"[\W_]+")
_LONG_NUMBER = re.compile(r"\d{12,}").search


def check_facts(kind: InstrumentKind, *, bank: str, last4: str, tokens: Mapping[str, str]) -> None:
    """``field_invalid`` unless these are a bank's name, four digits and channels' tokens."""
    is_good = (
        0 < len(bank) <= BANK_CHARS_MAX
        and _LAST4(last4) is not None
        and not _has_card_number(bank)
        and bool(tokens)
    )
    if not is_good:
        raise CallerError("field_invalid", "instrument")
    for channel_id, token in tokens.items():
        check_token(kind, channel_id, token)


def check_token(kind: InstrumentKind, channel_id: str, token: str) -> None:
    """``field_invalid`` unless the channel serves such instruments and this is a token that holds
    no card number."""
    is_serving = channel_id in SERVING_CHANNELS[kind]
    if not is_serving or _TOKEN(token) is None or _has_card_number(token):
        raise CallerError("field_invalid", "instrument")


def _has_card_number(text: str) -> bool:
    """However it is written: in groups of four, with dashes, spaces or underscores between."""
    return _LONG_NUMBER(_SEPARATORS.sub("", text)) is not None
