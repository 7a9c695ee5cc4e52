"""Every act says on the next page that it was done, and a refused one keeps what was typed."""

import re
from pathlib import Path

import pytest

from backend.console.browsers import browser_of
from backend.console.done_words import DONE_NAMES
from tests.support.console_world import ConsoleWorld, page_token
from tests.support.open_breaks import open_break
from tests.unit.console.test_console_http import paid

_SAID = re.compile(r"""face\.done\([^\n]*, "(\w+)"(?: if [^\n]* else "(\w+)")?\)""")


def test_what_pages_say_was_done_has_words_and_nothing_else_has() -> None:
    pages = "".join(page.read_text("utf-8") for page in Path("backend/console").glob("*.py"))
    said = {f"done.{word}" for words in _SAID.findall(pages) for word in words if word}
    assert said == set(DONE_NAMES)


def test_a_dealt_with_break_is_said_once_and_another_word_says_nothing(
    world: ConsoleWorld,
) -> None:
    world.add("ops", role="operator", merchant_id="")
    break_id = open_break(world.shop)
    http = world.signed_in("ops")
    page = http.get(f"/console/breaks/{break_id}?lang=en").text
    form = {"page": page_token(page), "words": "the bank corrects it"}
    done = http.post(f"/console/breaks/{break_id}/resolve", data=form)
    assert done.url.path == "/console/breaks"
    assert DONE_NAMES["done.break"].en in done.text
    assert DONE_NAMES["done.break"].en not in http.get("/console/breaks").text
    assert 'banner paid" role="status' not in http.get("/console/breaks?done=x").text


def test_a_refused_break_keeps_what_was_typed(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    break_id = open_break(world.shop)
    http = world.signed_in("ops")
    token = page_token(http.get("/console/breaks").text)
    path = f"/console/breaks/{break_id}/resolve"
    refused = http.post(path, data={"page": token, "words": "wrong"})
    assert refused.status_code == 400
    assert 'name="words" value="wrong"' in refused.text
    assert f"/console/breaks/{break_id}?lang=" in refused.text


def test_a_refused_refund_keeps_what_was_typed(world: ConsoleWorld) -> None:
    world.add("li.na")
    path = f"/console/payments/{paid(world)}"
    http = world.signed_in("li.na")
    form = {"page": page_token(http.get(path).text), "refund_id": world.shop.id("rfd")}
    refused = http.post(f"{path}/refund/check", data=form | {"amount": "four", "reason": "坏了"})
    assert refused.status_code == 400
    assert 'value="four"' in refused.text
    assert 'value="坏了"' in refused.text


def test_a_refused_invitation_keeps_what_was_typed(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in("ops")
    form = {"page": page_token(http.get("/console/staff").text), "rank": "clerk"}
    typed = {"name": "zhou", "merchant_id": "mch_9"}
    refused = http.post("/console/staff/invite", data=form | typed)
    assert "merchant_unknown" in refused.text
    for name, value in typed.items():
        assert f'name="{name}" value="{value}"' in refused.text
    assert '<option value="clerk" selected>' in refused.text.partition("/staff/invite")[2]


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
         "Firefox · Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/149.0 Safari/537.36 Edg/149.0",
         "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
         "Safari · iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/149.0 Safari/537.36 MicroMessenger/8.0",
         "WeChat · Android"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/156.0 Safari/537.36",
         "Chrome · Linux"),
        ("curl/8.14", "curl/8.14"),
    ],
)  # fmt: skip
def test_a_browser_is_called_as_its_person_knows_it(agent: str, shown: str) -> None:
    assert browser_of(agent) == shown
