"""What ``tillway merchant new`` refuses before it has made anything."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from protocol.errors import CallerError
from tillway.demo.phone import read_qr
from tillway.json_api import JsonApi
from tillway.merchant import code, new


@pytest.mark.parametrize("words", [{"name": "Coffee"}, {"payout_account": "6222000000000001"}])
def test_a_new_merchant_has_a_name_and_an_account(tmp_path: Path, words: Any) -> None:
    out = tmp_path / "keys"
    with pytest.raises(CallerError, match="go together"):
        new("https://localhost:1", tmp_path / "ca", tmp_path / "token", out, "coffee", **words)
    assert not out.exists()


@pytest.mark.parametrize("merchant", ["", "a b", "x" * 65])
def test_a_merchant_that_cannot_be_named_so_is_refused(tmp_path: Path, merchant: str) -> None:
    out = tmp_path / "keys"
    with pytest.raises(CallerError, match="field_invalid: --merchant"):
        new("https://localhost:1", tmp_path / "ca", tmp_path / "token", out, merchant)
    assert not out.exists()


def test_nothing_is_left_where_the_backend_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post(_api: JsonApi, _path: str, _body: Any) -> Any:
        raise CallerError("merchant_unknown", "coffee")

    monkeypatch.setattr(JsonApi, "post", post)
    token, out = tmp_path / "token", tmp_path / "keys"
    token.write_text("secret\n")
    with pytest.raises(CallerError, match="merchant_unknown"):
        new("https://localhost:1", tmp_path / "ca", token, out, "coffee")
    assert not out.exists()


def test_a_code_for_a_shop_is_drawn_as_what_the_backend_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, Any]] = []

    def post(_api: JsonApi, path: str, body: Any) -> Any:
        asked.append((path, body))
        return {"code_id": "abc", "url": "https://pay.example/q/s/abc"}

    monkeypatch.setattr(JsonApi, "post", post)
    token, svg = tmp_path / "token", tmp_path / "code.svg"
    token.write_text("secret\n")
    code("https://localhost:1", tmp_path / "ca", token, "coffee", "counter 1", svg)
    assert asked == [("/operator/v1/static-codes", {"merchant_id": "coffee", "label": "counter 1"})]
    assert read_qr(picture_of(svg.read_text())) == "https://pay.example/q/s/abc"
    assert capsys.readouterr().out == "abc https://pay.example/q/s/abc\n"


def picture_of(svg: str) -> bytes:
    """The squares of a drawing as a picture that a telephone can scan."""
    squares = [(int(x), int(y)) for x, y in re.findall(r"M(\d+),(\d+)H", svg)]
    side = max(max(square) for square in squares) + 5
    drawn = Image.new("L", (side, side), 255)
    for square in squares:
        drawn.putpixel(square, 0)
    picture = io.BytesIO()
    drawn.resize((8 * side, 8 * side), Image.Resampling.NEAREST).save(picture, "PNG")
    return picture.getvalue()
