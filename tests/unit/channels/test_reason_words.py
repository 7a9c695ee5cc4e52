"""What another side gave as its reason is told in the reader's language."""

import pytest

from backend.channels.reason_words import reason_words
from protocol.errors import CATALOGUE


@pytest.mark.parametrize(
    ("reason", "zh", "en"),
    [
        ("AC04", "账户已销户", "The account is closed"),
        ("return AC04", "账户已销户", "The account is closed"),
        ("AC04 account closed", "账户已销户", "The account is closed"),
        ("goods_not_received", "未收到商品", "The goods did not arrive"),
        (
            "channel_unavailable",
            *(getattr(CATALOGUE["channel_unavailable"], x) for x in ("zh", "en")),
        ),
    ],
)
def test_a_known_reason_has_a_sentence(reason: str, zh: str, en: str) -> None:
    told = reason_words(reason)
    assert told is not None
    assert (told.zh, told.en) == (zh, en)


@pytest.mark.parametrize("reason", ["", "ZZ99", "xAC04", "released", "ac04"])
def test_what_nobody_here_knows_has_none(reason: str) -> None:
    assert reason_words(reason) is None
