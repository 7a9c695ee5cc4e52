"""The catalogue: every code has a family, a retry rule and a sentence in both languages."""

import re

import pytest

from protocol.errors import CATALOGUE, CallerError, OperatingError, TillwayError, from_code


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_code_has_one_sentence_in_chinese_and_one_in_english(code: str) -> None:
    found = CATALOGUE[code]
    assert re.fullmatch(r"[a-z][a-z0-9_]+", code)
    assert re.search(r"[\u4e00-\u9fff]", found.zh)
    assert found.zh.endswith("。")
    assert found.en.isascii()
    assert found.en.endswith(".")
    assert from_code(code).to_wire() == {
        "code": code,
        "retry": found.retry,
        "zh": found.zh,
        "en": found.en,
    }


def test_a_code_outside_the_catalogue_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        TillwayError("no_such_code")


def test_what_never_helps_to_repeat_is_the_callers_mistake() -> None:
    assert isinstance(from_code("amount_invalid"), CallerError)
    assert isinstance(from_code("busy"), OperatingError)
