"""Bodies: strict where it matters, lenient to what is newer than we are."""

import sys
from contextlib import suppress
from typing import Any

import pytest
from lxml import etree

from protocol.errors import CallerError
from protocol.ids import mint
from protocol.messages import REQUESTS, ErrorBody, PaymentCreate, PaymentResult
from protocol.messages.base import check_characters

PAYMENT = mint("pay", time_ms=1, random_bytes=b"0" * 10)
ATTEMPT = mint("att", time_ms=1, random_bytes=b"0" * 10)


def body(**changes: Any) -> dict[str, Any]:
    return {
        "payment_id": PAYMENT,
        "attempt_id": ATTEMPT,
        "method": "pay_code",
        "amount_minor": 1280,
        "currency": "CNY",
        "merchant_id": "m1",
        "pay_code": "134567890123456789",
        "till": "till-1",
    } | changes


def test_a_body_survives_the_way_to_the_wire_and_back_with_what_it_does_not_know() -> None:
    parsed = PaymentCreate.from_map(body(tip_minor=5))
    assert parsed.to_map() == body(tip_minor=5, description="")
    assert PaymentCreate.from_map(parsed.to_map()) == parsed


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount_minor": 0}, "amount_invalid"),
        ({"amount_minor": -1}, "amount_invalid"),
        ({"amount_minor": 12.8}, "amount_invalid"),
        ({"amount_minor": True}, "amount_invalid"),
        ({"amount_minor": "1280"}, "amount_invalid"),
        ({"amount_minor": 10**16}, "amount_invalid"),
        ({"currency": "XXX"}, "currency_unsupported"),
        ({"payment_id": "pay_1"}, "id_invalid"),
        ({"method": "cash"}, "field_invalid"),
        ({"pay_code": "13456789012345678x"}, "field_invalid"),
        ({"pay_code": "1345"}, "field_invalid"),
        ({"merchant_id": "x" * 65}, "field_invalid"),
        ({"description": "x" * 257}, "field_invalid"),
        *(
            ({field: f"a{character}b"}, "field_invalid")
            for field in ("description", "merchant_id", "till", "cashier")
            for character in ("\x00", "\x1b", "\n", "\x7f", "\x9b", "\ud800", "\u2028", "\uffff")
        ),
    ],
)
def test_a_wrong_field_gets_the_code_that_names_it(change: dict[str, Any], code: str) -> None:
    with pytest.raises(CallerError) as caught:
        PaymentCreate.from_map(body(**change))
    assert caught.value.code == code
    assert "134567890123456789" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["小面\u3000加蛋", "拿铁 ☕️", "👩\u200d🍳", "café", "§ 4 – “x”", "ـعربي"]
)
def test_what_people_write_is_a_text(text: str) -> None:
    assert PaymentCreate.from_map(body(description=text)).description == text


def test_every_text_can_be_told_to_a_bank_in_xml() -> None:
    fit = []
    for code in range(sys.maxunicode + 1):
        with suppress(ValueError):
            fit.append(check_characters(chr(code)))
    etree.Element("Nm").text = "".join(fit)
    assert len(fit) > sys.maxunicode - 3_000


@pytest.mark.parametrize("message_type", sorted(REQUESTS))
def test_an_empty_body_is_refused_by_every_request(message_type: str) -> None:
    with pytest.raises(CallerError):
        REQUESTS[message_type].from_map({})


def test_an_error_travels_in_both_languages() -> None:
    error = ErrorBody.of(CallerError("insufficient_balance"))
    result = PaymentResult(
        payment_id=PAYMENT,
        state="declined",
        amount_minor=1,
        currency="CNY",
        method="pay_code",
        error=error,
    )
    assert PaymentResult.from_map(result.to_map()) == result
    assert result.to_map()["error"]["code"] == "insufficient_balance"
