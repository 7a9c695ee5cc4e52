"""Where a person must recognise a merchant, a store or a device, its name stands beside its id."""

import re

import pytest

from backend.devices.service import CreateStore
from tests.support.console_world import ConsoleWorld, page_token
from tests.support.open_breaks import open_break
from tests.support.shop import MERCHANT
from tests.unit.console.test_console_http import paid
from tests.unit.console.test_merchant_lists import enrolled
from tests.unit.console.test_operator_pages import dead_letter


def named(page: str, name: str, key: str) -> bool:
    """Whether a page shows an id behind its name."""
    return bool(re.search(rf"{name} <code[^>]*>{key}</code>", page))


@pytest.fixture
def name(world: ConsoleWorld) -> str:
    """What the merchant is called."""
    [row] = world.shop.rows(f"SELECT name FROM merchant WHERE merchant_id = '{MERCHANT}'")
    return str(row["name"])


def test_a_merchant_s_people_see_whose_console_it_is(world: ConsoleWorld, name: str) -> None:
    world.add("li.na")
    page = world.signed_in("li.na").get("/console/today").text
    assert named(page[page.index("<header") : page.index("</header")], name, MERCHANT)


def test_an_operator_sees_whose_pages_are_looked_at(world: ConsoleWorld, name: str) -> None:
    world.add("ops", role="operator", merchant_id="")
    page = world.signed_in("ops").get(f"/console/merchants/{MERCHANT}/bills").text
    assert named(page[page.index("<main") :], name, MERCHANT)


def test_what_is_stopped_is_called_by_its_name(world: ConsoleWorld, name: str) -> None:
    world.add("ops", role="operator", merchant_id="")
    world.shop.do(CreateStore(store="s1", merchant_id=MERCHANT, name="东门店"))
    enrolled(world.shop, "s1", "pos1")
    http = world.signed_in("ops")
    token = page_token(http.get("/console/switches").text)
    for kind, subject, shown in (
        ("merchant", MERCHANT, name), ("device", "pos1", "东门店"), ("channel", "NUCC", "网联"),
    ):  # fmt: skip
        chosen = f"/console/switches?lang=zh&kind={kind}&subject={subject}"
        if kind != "channel":
            assert f">{shown}</p>" in http.get(chosen).text, kind
        form = {"page": token, "kind": kind, "subject": subject, "reason": "核查一下"}
        assert http.post("/console/switches", data=form | {"do": "stop"}).status_code == 200
        [card] = re.findall(r'stop-card".*?</section>', http.get(chosen).text, re.DOTALL)
        assert re.search(rf"<h2>\S+ {shown} <[^>]+>{subject}</", card), kind
        http.post("/console/switches", data=form | {"do": "start"})
        past = http.get(chosen).text.partition("</form>\n  </div>")[2]
        assert re.search(rf"{shown} <[^>]+>{subject}</", past), kind
    acts = http.get("/console/audit?kind=switch&lang=zh").text
    for shown, subject in ((name, MERCHANT), ("东门店", "pos1"), ("网联", "NUCC")):
        assert re.search(rf"{shown} <[^>]+>{subject}</", acts), subject


def test_devices_say_whose_they_are_to_operators(world: ConsoleWorld, name: str) -> None:
    world.add("ops", role="operator", merchant_id="")
    world.add("li.na")
    world.shop.do(CreateStore(store="s1", merchant_id=MERCHANT, name="东门店"))
    enrolled(world.shop, "s1", "pos1")
    page = world.signed_in("ops").get("/console/devices").text
    assert named(page, "东门店", "s1")
    assert named(page, name, MERCHANT)
    own = world.signed_in("li.na").get("/console/stores").text
    assert named(own, "东门店", "s1")
    assert not named(own[own.index("<main") :], name, MERCHANT)


def test_breaks_and_callbacks_say_whose_they_are(world: ConsoleWorld, name: str) -> None:
    world.add("ops", role="operator", merchant_id="")
    payment_id = paid(world)
    of_payment = open_break(world.shop, reference=payment_id)
    of_nobody = open_break(world.shop, reference="20261128-000017")
    http = world.signed_in("ops")
    breaks = http.get("/console/breaks").text
    assert len(re.findall(rf"{name} <code[^>]*>{MERCHANT}</code>", breaks)) == 1
    assert named(http.get(f"/console/breaks/{of_payment}").text, name, MERCHANT)
    assert not named(http.get(f"/console/breaks/{of_nobody}").text, name, MERCHANT)
    callback_id = dead_letter(world.shop)
    [its] = world.shop.rows("SELECT merchant_id, name FROM merchant WHERE merchant_id = 'mch_news'")
    shown = http.get(f"/console/callbacks/{callback_id}").text
    assert named(shown, str(its["name"]), str(its["merchant_id"]))
