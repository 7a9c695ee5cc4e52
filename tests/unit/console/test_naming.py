"""A filter that takes an id takes a name, too; and who may not see a name learns none."""

import re

import pytest

from backend.devices.service import CreateStore
from tests.support.console_world import ConsoleWorld
from tests.support.shop import MERCHANT, OTHER_MERCHANT
from tests.unit.console.test_console_http import paid
from tests.unit.console.test_merchant_lists import enrolled
from tests.unit.console.test_staff import post


@pytest.fixture
def shops(world: ConsoleWorld) -> ConsoleWorld:
    """Two stores of one merchant and one of another, a device in each; one more merchant."""
    shop = world.shop
    shop.add_merchant("mch_tea", name="东门茶馆")
    for store, merchant_id, name in (
        ("s1", MERCHANT, "东门店"), ("s2", MERCHANT, "西门店"), ("s9", OTHER_MERCHANT, "东门总店"),
    ):  # fmt: skip
        shop.do(CreateStore(store=store, merchant_id=merchant_id, name=name))
    for store, tid in (("s1", "till1"), ("s2", "till2"), ("s9", "till9")):
        enrolled(shop, store, tid)
    world.add("li.na")
    world.add("ops", role="operator", merchant_id="")
    return world


def listed(page: str) -> list[str]:
    return re.findall(r"<code class=\"id\">((?:pay|rfd)_\w+)</code>", page)


def options(page: str, field: str) -> list[str]:
    """What a field asks to choose from."""
    found = re.search(rf'<select name="{field}".*?</select>', page, re.DOTALL)
    return re.findall(r'<option value="(\w+)"', found[0]) if found else []


def at_hand(page: str, field: str) -> list[str]:
    """What a field offers while one types."""
    found = re.search(rf'<datalist id="known-{field}">.*?</datalist>', page, re.DOTALL)
    return re.findall(r'<option value="[^"]* · (\w+)"', found[0]) if found else []


def test_a_store_is_found_by_its_id_its_name_or_a_part_of_it(shops: ConsoleWorld) -> None:
    payment_id = paid(shops)
    [row] = shops.shop.rows("SELECT store, device FROM payment")
    shops.shop.do(CreateStore(store=row["store"], merchant_id=MERCHANT, name="小吃街北口"))
    enrolled(shops.shop, row["store"], row["device"])
    for name in ("li.na", "ops"):
        http = shops.signed_in(name)
        for text in (row["store"], "小吃街北口", "小吃", " 北口 "):
            page = http.get(f"/console/payments?store={text}").text
            assert listed(page) == [payment_id], text
            assert f'name="store" value="{row["store"]}"' in page
            assert ">小吃街北口</span>" in page
        assert listed(http.get("/console/payments?device=小吃").text) == [payment_id]
        assert listed(http.get("/console/payments?store=西门").text) == []
        assert listed(http.get("/console/payments?store=nowhere").text) == []
        lines = http.get("/console/payments.csv?store=北口").text.splitlines()
        assert [line.split(",")[0] for line in lines[1:]] == [payment_id]


def test_of_several_one_has_to_be_chosen(shops: ConsoleWorld) -> None:
    paid(shops)
    http = shops.signed_in("ops")
    page = http.get("/console/payments?store=门").text
    assert options(page, "store") == ["s1", "s2", "s9"]
    assert "有几家门店叫这个名称" in page
    assert not listed(page)
    assert 'class="totals"' not in page
    assert http.get("/console/payments.csv?store=门").status_code == 400
    within = http.get(f"/console/payments?store=东门&merchant={MERCHANT}").text
    assert 'name="store" value="s1"' in within
    assert options(http.get("/console/refunds?merchant=东门").text, "merchant") == []
    page = http.get("/console/refunds?merchant=晨光").text
    assert options(page, "merchant") == [MERCHANT, OTHER_MERCHANT]


def test_a_merchant_s_people_learn_no_other_merchant_s_names(shops: ConsoleWorld) -> None:
    http = shops.signed_in("li.na")
    for path in ("payments", "refunds"):
        page = http.get(f"/console/{path}?store=东门&merchant=东门").text
        assert 'name="store" value="s1"' in page
        assert "东门总店" not in page
        assert "东门茶馆" not in page
        assert at_hand(page, "store") == ["s1", "s2"]
        assert not at_hand(page, "merchant")
        page = http.get(f"/console/{path}?store=s9").text
        assert "东门总店" not in page
    assert at_hand(http.get("/console/payments").text, "device") == ["till1", "till2"]
    operator = shops.signed_in("ops").get("/console/payments").text
    assert at_hand(operator, "device") == ["till1", "till2", "till9"]
    assert "mch_tea" in at_hand(operator, "merchant")
    chosen = shops.signed_in("ops").get(f"/console/payments?merchant={MERCHANT}").text
    assert at_hand(chosen, "device") == ["till1", "till2"]
    assert at_hand(chosen, "merchant") == []


def test_refunds_are_found_by_who_gave_them(shops: ConsoleWorld) -> None:
    shops.shop.refund(paid(shops), 100)
    [row] = shops.shop.rows("SELECT refund_id, device FROM refund")
    http = shops.signed_in("li.na")
    assert listed(http.get(f"/console/refunds?who={row['device'][1:].upper()}").text)
    assert not listed(http.get("/console/refunds?who=nobody").text)
    assert not listed(http.get("/console/refunds?who=%25").text)


def test_devices_are_found_by_their_own_their_store_s_or_their_merchant_s_name(
    shops: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = shops.signed_in("ops")

    def found(find: str) -> list[str]:
        page = http.get(f"/console/devices?find={find}").text
        return re.findall(r"<tr[^>]*><td[^>]*><code>(\w+)</code>", page)

    assert found("") == found("晨光") == ["till1", "till2", "till9"]
    assert found("东门") == ["till1", "till9"]
    assert found("TILL2") == found("s2") == ["till2"]
    assert found("nothing") == []
    assert "没有符合条件的设备" in http.get("/console/devices?find=nothing").text
    monkeypatch.setattr("backend.console.operator_pages.ROWS_PER_PAGE", 1)
    more = re.search(
        r'href="(/console/devices\?[^"]*page=2[^"]*)"', http.get("/console/devices?find=东门").text
    )
    assert more is not None
    assert "<code>till9</code>" in http.get(more[1].replace("&amp;", "&")).text


def test_a_new_person_is_of_a_merchant_by_its_whole_name_or_one_that_is_chosen(
    shops: ConsoleWorld,
) -> None:
    http = shops.signed_in("ops")
    part = post(http, "staff/invite", name="sun", rank="clerk", merchant_id="茶馆")
    assert "输入的只是名称的一部分。 请在下面选一个。" in part.text
    assert "merchant_unknown" not in part.text
    assert options(part.text, "merchant_id") == ["mch_tea"]
    assert 'value="sun"' in part.text
    several = post(http, "staff/invite", name="sun", rank="clerk", merchant_id="晨光便利店")
    assert options(several.text, "merchant_id") == [MERCHANT, OTHER_MERCHANT]
    assert "有几个商户叫这个名称。 请在下面选一个。" in several.text
    assert "merchant_unknown" not in several.text
    none = post(http, "staff/invite", name="sun", rank="clerk", merchant_id="没有")
    assert "merchant_unknown" in none.text
    assert not shops.shop.rows("SELECT name FROM console_user WHERE name = 'sun'")
    for name, merchant in (
        ("sun", "东门茶馆"), ("zhou", "mch_tea"), ("wu", "东门茶馆 · mch_tea"),
    ):  # fmt: skip
        page = post(http, "staff/invite", name=name, rank="clerk", merchant_id=f" {merchant} ")
        assert 'class="secret"' in page.text
        [row] = shops.shop.rows(f"SELECT merchant_id FROM console_user WHERE name = '{name}'")
        assert row["merchant_id"] == "mch_tea"


def test_what_a_field_suggests_has_name_and_id_and_means_the_one(shops: ConsoleWorld) -> None:
    http = shops.signed_in("ops")
    page = http.get("/console/payments").text
    assert f'<option value="晨光便利店 · {OTHER_MERCHANT}"></option>' in page
    assert '<option value="东门店 · till1"></option>' in page
    chosen = http.get(f"/console/payments?merchant=晨光便利店 · {OTHER_MERCHANT}").text
    assert f'name="merchant" value="{OTHER_MERCHANT}"' in chosen
    assert ">晨光便利店</span>" in chosen
    stranger = http.get(f"/console/payments?merchant=东门 · {OTHER_MERCHANT}").text
    assert f'name="merchant" value="东门 · {OTHER_MERCHANT}"' in stranger


def test_people_are_found_by_their_name_or_their_merchant_s(
    shops: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    shops.add("wang", merchant_id="mch_tea")
    http = shops.signed_in("ops")

    def found(find: str) -> list[str]:
        page = http.get(f"/console/staff?find={find}").text
        return re.findall(r"<td[^>]*><strong>([\w.]+)</strong>", page)

    assert 'name="find"' not in http.get("/console/staff").text
    monkeypatch.setattr("backend.console.staff_pages.PEOPLE_WITHOUT_SEARCH", 2)
    assert 'name="find" value="茶"' in http.get("/console/staff?find= 茶 ").text
    assert found("") == ["ops", "li.na", "wang"]
    assert found("茶") == found("TEA") == ["wang"]
    assert found("LI.") == ["li.na"]
    assert found("nobody") == []
    assert "Nobody matches" in http.get("/console/staff?find=nobody&lang=en").text
