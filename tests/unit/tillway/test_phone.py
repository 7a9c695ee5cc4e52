"""``tillway phone`` as it is typed."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from protocol.crypto import generate
from tillway.demo.phone import Phone
from tillway.demo.phone_book import app, keep_phone
from tillway.demo.stack import STACK_FILE
from tillway.json_api import JsonApi


def test_the_wallet_s_interface_is_asked_for_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, key = JsonApi("https://localhost:1", tmp_path / "ca", "token"), generate()
    keep_phone(tmp_path, Phone("pyr_1", "李娜", api, key, "123456", b"s", 1))
    addresses = {"public_url": api.url, "ca": str(api.ca), "tills": {}}
    (tmp_path / STACK_FILE).write_text(json.dumps(addresses))
    asked: list[Any] = []

    def post(_api: JsonApi, path: str, body: Any) -> Any:
        asked.append((path, body))
        return {"openid": "o1"}

    monkeypatch.setattr(JsonApi, "post", post)
    words = ["wallet", "/wallet/v1/openid", '{"appid": "wx1"}', "--directory", str(tmp_path)]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"openid": "o1"})
    assert asked == [("/wallet/v1/openid", {"appid": "wx1"})]
