"""``tillway phone`` as it is typed."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from protocol.crypto import generate
from protocol.errors import CallerError
from protocol.messages.offline import OfflineWish, read_token, sign_voucher
from tests.support import offline_phone
from tests.unit.terminal.fakes import BACKEND_KEY
from tillway.demo.addresses import STACK_FILE
from tillway.demo.phone import Phone, draw_qr, read_qr
from tillway.demo.phone_book import app, keep_phone
from tillway.json_api import JsonApi


def kept(directory: Path) -> Phone:
    """A phone that a stack has left in this directory."""
    api, key = JsonApi("https://localhost:1", directory / "ca", "token"), generate("Ed25519")
    phone = Phone("pyr_1", "李娜", api, key, "123456", b"s", 1)
    keep_phone(directory, phone)
    (directory / "pos-1").mkdir()
    (directory / "pos-1" / "control.token").write_text("t")
    tills = {"pos-1": {"url": "http://till", "board_url": "http://board"}}
    addresses = {"public_url": api.url, "ca": str(api.ca), "tills": tills}
    (directory / STACK_FILE).write_text(json.dumps(addresses))
    return phone


def test_what_was_taken_along_is_shown_once_by_each_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, shown = kept(tmp_path), list[str]()
    wish = OfflineWish(
        payment_id="pay_01M8H5DVHY52HT5B2K0AEV066C", merchant_id="mch-1", amount_minor=1200,
        currency="CNY",
    )  # fmt: skip
    given = offline_phone.Phone(2**52, public=phone.key.public.public).text
    voucher = {"signed": sign_voucher(given, BACKEND_KEY).hex(), "valid_from_ms": 2**52}
    screens = {"kind": "offline_scan", "title": {"zh": "", "en": ""}, "error": None}

    def post(api: JsonApi, path: str, body: Any) -> Any:
        if path.endswith("offline-vouchers"):
            return voucher | {"voucher_id": given.voucher_id}
        shown.append(read_qr(base64.b64decode(body["png"])))
        screens["kind"] = "accepted_offline"
        return {}

    monkeypatch.setattr(JsonApi, "post", post)
    monkeypatch.setattr(JsonApi, "get", lambda *_: screens)
    monkeypatch.setattr(JsonApi, "call", lambda *_: draw_qr(wish.to_text()))

    def say(*words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--directory", str(tmp_path)])

    refused = say("pay-offline").exception
    assert isinstance(refused, CallerError)
    assert "take-along" in refused.detail
    taken = say("take-along", "5000")
    assert taken.exit_code == 0
    assert "not valid yet" in taken.output
    for _ in range(2):
        screens["kind"] = "offline_scan"
        assert say("pay-offline").exit_code == 0
    tokens = [read_token(text) for text in shown]
    for token in tokens:
        token.verify(BACKEND_KEY.public)
    assert [(each.text.number, each.text.amount_minor) for each in tokens] == [(0, 1200), (1, 1200)]


def test_the_wallet_s_interface_is_asked_for_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(tmp_path)
    asked: list[Any] = []

    def post(_api: JsonApi, path: str, body: Any) -> Any:
        asked.append((path, body))
        return {"openid": "o1"}

    monkeypatch.setattr(JsonApi, "post", post)
    words = ["wallet", "/wallet/v1/openid", '{"appid": "wx1"}', "--directory", str(tmp_path)]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"openid": "o1"})
    assert asked == [("/wallet/v1/openid", {"appid": "wx1"})]
