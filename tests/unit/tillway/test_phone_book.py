"""What ``tillway phone`` says to somebody at whose till nothing was pressed yet."""

from typing import Any

import pytest
from typer.testing import CliRunner

from protocol.errors import CallerError
from terminal.domain.words import BUTTONS
from tillway.demo import phone_book


class IdleTill:
    name = "pos-1"

    def screen(self) -> dict[str, Any]:
        return {"kind": "entering", "title": {"zh": "请输入金额", "en": "Key in the amount"}}


@pytest.mark.parametrize(
    ("command", "button"),
    [("show", "pay_code"), ("scan", "merchant_qr"), ("pay-offline", "offline_token")],
)
def test_a_till_that_waits_for_no_phone_is_told_with_the_button_that_leads_there(
    monkeypatch: pytest.MonkeyPatch, command: str, button: str
) -> None:
    monkeypatch.setattr(phone_book, "_till", lambda *_: IdleTill())
    refused = CliRunner().invoke(phone_book.app, [command]).exception
    assert isinstance(refused, CallerError)
    assert refused.code == "payment_state"
    words = BUTTONS[button]
    assert refused.detail == (
        f"pos-1 shows: Key in the amount; key in an amount there and press {words.zh} {words.en}"
    )
