"""Each form says beside its field what is wrong with it, in the page's words and no browser's."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from backend.merchant_api.keys import crypto
from backend.reconciliation.breaks import BreakClass, BreakStep
from tests.support.console_world import PASSWORD, ConsoleWorld, console_world, page_token
from tests.support.merchant_caller import Caller, a_key
from tests.support.migrated import migrated_sqlite
from tests.support.open_breaks import open_break
from tests.support.shop import Shop
from tests.support.wallet_http import OPERATOR
from tests.unit.console.test_merchant_keys import csr_pem

TEMPLATES = Path(__file__).parents[3] / "backend" / "console" / "templates" / "console"
WEAK = "A password has at least twelve characters, not all alike."
DIFFER = "The two passwords differ."
DIGITS = "Enter the six digits that your phone shows."
ADDRESS = "Write a whole address that begins with http:// or https://, without ? and #."
REQUEST = (
    "Paste a certificate request (PKCS #10): RSA of 2048 bits, or SM2 where the number signs by "
    "SM2."
)
WHY = "Say why: two words or four Chinese characters at least, 200 characters at most."


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsoleWorld]:
    """A merchant with a number, its owner and an operator."""
    monkeypatch.setattr("backend.console.model.SCRYPT_LOG2_N", 4)
    monkeypatch.setattr(crypto, "make_key", lambda: a_key(1))
    shop = Shop(migrated_sqlite(tmp_path / "shop.db"))
    shop.add_merchant()
    with capture_logs(), console_world(shop) as found:
        found.open_number(base64.b64encode(Caller.csr()).decode())
        found.add("li.na")
        found.add("ops", role="operator", merchant_id="")
        yield found
    shop.close()


def told(http: TestClient, path: str, **form: str) -> dict[str, str]:
    """What the answer says beside which field; the first of them has the focus, once."""
    http.get("/console?lang=en")
    answer = http.post(f"/console/{path}", data=form)
    assert answer.status_code >= 400
    assert answer.text.count(" autofocus") == 1
    assert answer.text.count('aria-invalid="true"') == len(re.findall('id="wrong-', answer.text))
    found = re.findall(r'id="wrong-(\w+)">([^<]*) <code', answer.text)
    return {name: re.sub(r"&#39;", "'", words) for name, words in found}


def test_no_form_of_the_console_asks_the_browser_to_check() -> None:
    for template in TEMPLATES.glob("*.html"):
        forms = re.findall(r"<form[^>]*>(?:(?!</form>).)*", template.read_text("utf-8"), re.DOTALL)
        for form in forms:
            opening = form.partition(">")[0]
            checked = re.search(
                r'\brequired\b|minlength=|type="url"|lists\.day|\bwhy\(|code\(', form
            )
            assert not checked or "novalidate" in opening, (template.name, opening)


def test_the_forms_of_keys_keep_what_was_typed_and_use_no_code_up(world: ConsoleWorld) -> None:
    http = world.signed_in("li.na")
    [row] = world.shop.rows("SELECT mchid FROM merchant_api_account")
    page, mchid = page_token(http.get("/console/keys").text), row["mchid"]
    code = world.code("li.na")
    address = {"page": page, "notify_url": "shop.example", "code": code}
    assert told(http, "keys/address", **address) == {"notify_url": ADDRESS}
    assert 'value="shop.example"' in http.post("/console/keys/address", data=address).text
    assert told(http, "keys/address", page=page) == {"notify_url": ADDRESS, "code": DIGITS}
    path = f"keys/{mchid}/certificates"
    assert told(http, path, page=page, csr="x", code=code) == {"csr": REQUEST}
    assert told(http, path, page=page, csr="x") == {"code": DIGITS}
    assert told(http, f"keys/{mchid}/secrets/v3", page=page) == {"code": DIGITS}
    world.shop.clock.at_ms += 30_000
    good = {"page": page, "csr": csr_pem(), "code": world.code("li.na")}
    assert http.post(f"/console/{path}", data=good).status_code == 200


def test_a_password_s_form_says_all_that_is_wrong_at_once_and_counts_no_try(
    world: ConsoleWorld,
) -> None:
    http = world.signed_in("li.na")
    form = {"page": page_token(http.get("/console/account").text), "new": "short"}
    wrong = {"old": "Enter your present password.", "new": WEAK, "code": DIGITS}
    for _ in range(6):
        assert told(http, "account/password", **form) == wrong
    good = {"old": PASSWORD, "new": "a far better battery", "code": "12 34"}
    differ = told(http, "account/password", **form | good)
    assert differ == {"again": DIFFER, "code": DIGITS}
    spaced = world.code("li.na")
    world.shop.clock.at_ms += 30_000
    spaced = world.code("li.na")
    good |= {"again": good["new"], "code": f"{spaced[:3]} {spaced[3:]}"}
    assert http.post("/console/account/password", data=form | good).status_code == 200


def test_the_forms_of_a_new_person_say_it_beside_their_fields(world: ConsoleWorld) -> None:
    http = world.browser()
    assert told(http, "setup/begin", setup=" ") == {
        "name": "Enter your name.",
        "setup": "Enter the setup code.",
    }
    [unknown] = told(http, "setup/begin", name="wang", setup="ABCD").items()
    assert unknown == ("setup", "The setup code is wrong, used or over; ask for a new one.")
    made = world.browser().post(
        "/operator/v1/console/users",
        json={"name": "wang", "role": "merchant", "rank": "clerk", "merchant_id": "mch_1001"},
        headers=OPERATOR,
    )
    typed = {"name": "wang", "setup": made.json()["setup_secret"]}
    assert told(http, "setup", **typed) == {"code": DIGITS, "password": WEAK}
    known = {"password": PASSWORD, "again": PASSWORD, "code": "000000"}
    [wrong] = told(http, "setup", **typed, **known).items()
    assert wrong == ("code", "The code is wrong; check your phone's clock and try again.")


def test_a_break_s_form_says_what_its_reason_and_its_owner_lack(world: ConsoleWorld) -> None:
    http = world.signed_in("ops")
    long = {"kind": BreakClass.LONG_MISSING_ORDER, "source": "channel NUCC", "ours_minor": None}
    break_id = open_break(world.shop, BreakStep.POST, reference="ref-3", **long)  # type: ignore[arg-type]
    path = f"breaks/{break_id}/resolve"
    form = {"page": page_token(http.get("/console/breaks").text), "owner": "merchant"}
    assert told(http, path, **form, words="fine", owner_id="mch_1001") == {"words": WHY}
    assert told(http, path, **form, words="the shop told us") == {
        "owner_id": "Enter the id of the merchant or the payer."
    }
    unknown = told(http, path, **form, words="the shop told us", owner_id="mch_9")
    assert list(unknown) == ["owner_id"]
