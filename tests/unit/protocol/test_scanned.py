"""What a scanned text is: one form fits or none, and every other thing has a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import CallerError, is_known
from protocol.scanned import USUAL_FORMS, Form, ScanTable, compiled
from tests.unit.protocol.test_emvco import SAMPLE

TABLE = ScanTable(USUAL_FORMS, ("wechat", "alipay"))


@pytest.mark.parametrize(
    ("text", "wallet", "error"),
    [
        ("134567890123456789", "wechat", None),
        (" 104567890123456789\r\n", "wechat", None),
        ("284567890123456789", "alipay", None),
        ("3045678901234567", "alipay", None),
        ("304567890123456789012345", "alipay", None),
        ("6212345678901234567", "unionpay", "wallet_not_taken"),
        ("hQVDUFYwMWETTwegAAAFVVVV", "emvco", "wallet_not_taken"),
        ("912345678901234567", "qq", "wallet_not_taken"),
        ("0112345678901234567", "ecny", "wallet_not_taken"),
        (SAMPLE, "emvco", "merchant_code_scanned"),
        ("weixin://wxpay/bizpayurl?pr=abc", "wechat", "merchant_code_scanned"),
        ("wxp://f2f0abc", "wechat", "merchant_code_scanned"),
        ("https://qr.alipay.com/bax01", "alipay", "merchant_code_scanned"),
        ("https://qr.95516.com/00010000/1", "unionpay", "merchant_code_scanned"),
        (SAMPLE[:-1] + "B", "", "pay_code_invalid"),
        ("https://qrxalipay.com/bax01", "", "pay_code_invalid"),
        ("164567890123456789", "", "pay_code_invalid"),
        ("13456789012345678", "", "pay_code_invalid"),
        ("１３4567890123456789", "", "pay_code_invalid"),
        ("6901234567892", "", "pay_code_invalid"),
        ("3" * 600, "", "pay_code_invalid"),
        ("", "", "pay_code_invalid"),
    ],
)
def test_a_text_is_what_its_form_says(text: str, wallet: str, error: str | None) -> None:
    found = TABLE.find(text)
    assert (found.wallet, found.error_code) == (wallet, error)
    assert error is None or is_known(error)


_digits = st.text("0123456789", min_size=15, max_size=25)


@given(
    _digits
    | st.sampled_from(["13", "28", "30", "62", "91", "01"]).flatmap(
        lambda head: _digits.map(lambda rest: head + rest)
    )
)
def test_no_two_of_the_usual_forms_fit_one_text(text: str) -> None:
    assert sum(compiled(form.form).fullmatch(text) is not None for form in USUAL_FORMS) <= 1


@given(st.text(max_size=40))
def test_any_text_has_an_answer(text: str) -> None:
    found = TABLE.find(text)
    assert found.error_code is None or is_known(found.error_code)


def test_a_configured_form_adds_a_wallet() -> None:
    table = ScanTable((Form("corner", r"CC\d{6}"), *USUAL_FORMS), ("corner",))
    assert table.find("CC123456").error_code is None
    assert table.find("134567890123456789").error_code == "wallet_not_taken"


@pytest.mark.parametrize("form", ["(", "", "x" * 129])
def test_a_form_that_is_no_expression_is_refused(form: str) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        ScanTable((Form("corner", form),), ())


def test_more_forms_than_a_table_holds_are_refused() -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        ScanTable((Form("corner", "x"),) * 65, ())
