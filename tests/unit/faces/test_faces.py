"""The shared design: addresses, languages, policy, sounds, amounts in words."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

from faces import policy
from faces.assets import Assets
from faces.locale import language_of, remember
from faces.sounds.__main__ import FOLDER
from faces.sounds.tones import SOUNDS, wav
from terminal.domain.amount_words import chinese_words, english_words
from terminal.domain.spoken import spoken
from terminal.web.words import WORDS


@pytest.fixture(scope="module")
def assets() -> Assets:
    return Assets("till", "terminal.web")


@pytest.fixture(scope="module")
def client(assets: Assets) -> TestClient:
    app = FastAPI()
    assets.mount(app)

    @app.get("/")
    async def page(request: Request) -> Response:
        answer = Response(language_of(request))
        policy.protect(answer)
        remember(request, answer)
        return answer

    return TestClient(app)


def test_a_file_has_an_address_of_its_content_and_is_kept_for_good(
    assets: Assets, client: TestClient
) -> None:
    url = assets.url("faces/base.css")
    found = client.get(url)
    assert found.status_code == 200
    assert "immutable" in found.headers["cache-control"]
    assert found.headers["content-encoding"] == "gzip"
    plain = client.get(url, headers={"accept-encoding": "identity"})
    assert plain.content == found.content
    digest = url.split("/")[2]
    for wrong in (url.replace(digest, "0" * 16), url + "x", f"/static/{digest}/../limits.py"):
        assert client.get(wrong).status_code == 404


def test_every_import_of_a_script_leads_to_a_script() -> None:
    for folder in (Path("faces/static"), Path("terminal/web/static")):
        for script in folder.glob("*.js"):
            for name in re.findall(r'from "(\.[^"]+)"', script.read_text()):
                target = name.replace("../faces/", "faces/static/")
                path = Path(target) if target != name else script.parent / name
                assert path.is_file(), f"{script}: {name}"


def test_the_language_is_the_parameter_s_then_the_cookie_s_then_chinese(
    client: TestClient,
) -> None:
    client.cookies.clear()
    assert client.get("/").text == "zh"
    assert client.get("/?lang=en").text == "en"
    assert client.get("/").text == "en"
    assert client.get("/?lang=xx").text == "en"
    client.cookies.clear()


def test_no_page_may_run_or_load_what_is_not_ours(client: TestClient) -> None:
    found = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in found
    assert "unsafe" not in found
    assert "http" not in found
    for template in (
        *Path("faces/templates").rglob("*.html"),
        *Path("terminal/web").rglob("*.html"),
    ):
        text = template.read_text()
        assert not re.search(r"<script(?![^>]*src=)|style=|\son\w+=|https?://", text), template


def test_the_shipped_sounds_are_those_of_the_formulas() -> None:
    for name, tones in SOUNDS.items():
        assert (FOLDER / f"{name}.wav").read_bytes() == wav(tones), "run: python -m faces.sounds"


def test_every_word_has_both_languages() -> None:
    assert all(words.zh.strip() and words.en.strip() for words in WORDS.values())


@pytest.mark.parametrize(
    ("amount_minor", "chinese", "english"),
    [
        (1280, "壹拾贰元捌角整", "twelve yuan and 80/100"),
        (105, "壹元零伍分", "one yuan and 05/100"),
        (5, "伍分", "zero yuan and 05/100"),
        (100_500, "壹仟零伍元整", "one thousand five yuan"),
        (100_010_000, "壹佰万零壹佰元整", "one million one hundred yuan"),
    ],
)
def test_amounts_are_written_out(amount_minor: int, chinese: str, english: str) -> None:
    assert chinese_words(amount_minor) == chinese
    assert english_words(amount_minor, "CNY") == english


@pytest.mark.parametrize(
    ("amount_minor", "language", "words"),
    [
        (1_280, "zh", "received ten 2 point 8 yuan"),
        (12_850, "zh", "received 1 hundred 2 ten 8 point 5 yuan"),
        (10_505, "zh", "received 1 hundred 0 5 point 0 5 yuan"),
        (5, "zh", "received 0 point 0 5 yuan"),
        (100_000_00, "zh", "received ten wan yuan"),
        (2_001_000_00, "zh", "received 2 hundred wan 1 thousand yuan"),
        (2_000_100_00, "zh", "received 2 hundred wan 0 1 hundred yuan"),
        (1_280, "en", "received 12 point 8 yuan"),
        (123_456_00, "en", "received 1 hundred 20 3 thousand 4 hundred 50 6 yuan"),
    ],
)
def test_an_amount_is_said_with_clips_that_are_shipped(
    amount_minor: int, language: str, words: str
) -> None:
    clips = spoken("received", amount_minor, "CNY", language)
    assert " ".join(clip.removeprefix(f"{language}-") for clip in clips) == words


def test_whatever_can_be_said_has_its_clip_and_no_clip_is_left_over() -> None:
    said = {
        clip
        for language in ("zh", "en")
        for amount_minor in (*range(1, 20_000, 7), *range(1, 10**11, 10**9 + 1_234_567), 10**10)
        for clip in spoken("received", amount_minor, "CNY", language)
    } | {"zh-refunded", "en-refunded"}
    assert said == {path.stem for path in FOLDER.glob("*.ogg")}
    assert spoken("received", 500, "EUR", "zh") == ()
