"""A merchant's keys and certificates on its page: only with a fresh code, and told once."""

import base64
import re

import pytest
from cryptography import x509
from fastapi.testclient import TestClient
from httpx2 import Response

from backend.console.totp import STEP_MS
from backend.merchant_api.keys import crypto
from tests.support.console_world import ConsoleWorld, page_token
from tests.support.merchant_caller import Caller, a_key
from tests.support.shop import OTHER_MERCHANT
from tests.support.wallet_http import OPERATOR

SECRET = re.compile(r'class="big-code">([0-9a-f]{32})<')


@pytest.fixture
def numbered(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> ConsoleWorld:
    """A merchant with a number and somebody who is signed in."""
    numbers = iter(range(1, 9))
    monkeypatch.setattr(crypto, "make_key", lambda: a_key(next(numbers)))
    world.open_number(base64.b64encode(Caller.csr()).decode())
    world.add("li.na")
    return world


def csr_pem() -> str:
    body = base64.encodebytes(Caller.csr()).decode().replace("\n", "\r\n")
    return f"-----BEGIN CERTIFICATE REQUEST-----\r\n{body}-----END CERTIFICATE REQUEST-----\r\n"


def number_of(world: ConsoleWorld) -> str:
    return str(world.shop.rows("SELECT mchid FROM merchant_api_account")[0]["mchid"])


def post(world: ConsoleWorld, http: TestClient, path: str, **fields: str) -> Response:
    """With the page's token and a code that was never used."""
    world.shop.clock.at_ms += STEP_MS
    token = page_token(http.get("/console/today").text)
    form = {"page": token, "code": world.code("li.na")} | fields
    return http.post(f"/console/keys/{path}", data=form)


def serials(world: ConsoleWorld, condition: str = "retired_at_ms IS NULL") -> list[str]:
    rows = world.shop.rows(f"SELECT serial FROM merchant_api_certificate WHERE {condition}")
    return [str(row["serial"]) for row in rows]


def test_a_certificate_follows_another_by_a_request_in_pem(numbered: ConsoleWorld) -> None:
    http, mchid = numbered.signed_in("li.na"), number_of(numbered)
    [old] = serials(numbered)
    page = http.get("/console/keys").text
    assert old in page
    assert "/retire" not in page
    added = post(numbered, http, f"{mchid}/certificates", csr=csr_pem())
    assert added.url.path == "/console/keys", added.text
    [new] = set(serials(numbered)) - {old}
    pem = http.get(f"/console/keys/{mchid}/{new}.pem").content
    assert x509.load_pem_x509_certificate(pem).public_key() == a_key(0).public_key()
    retired = post(numbered, http, f"{mchid}/certificates/{old}/retire")
    assert retired.url.path == "/console/keys"
    assert serials(numbered) == [new]
    last = post(numbered, http, f"{mchid}/certificates/{new}/retire")
    assert "certificate_count" in last.text
    assert "field_invalid" in post(numbered, http, f"{mchid}/certificates", csr="no request").text
    acts = numbered.shop.rows(
        "SELECT what, actor, merchant_id FROM audit_act WHERE kind = 'key' ORDER BY number"
    )
    assert [act["what"] for act in acts] == ["add certificate", "retire certificate"]
    assert {act["actor"] for act in acts} == {"console:li.na"}


@pytest.mark.parametrize("kind", ["v3", "v2"])
def test_a_secret_is_told_once_and_only_for_a_code_that_was_not_used(
    numbered: ConsoleWorld, kind: str
) -> None:
    http, mchid = numbered.signed_in("li.na"), number_of(numbered)
    column = f"api_{kind}_sealed"

    def sealed() -> object:
        return numbered.shop.rows(f"SELECT {column} FROM merchant_api_account")[0][column]

    before = sealed()
    token = page_token(http.get("/console/today").text)
    used = {"page": token, "code": numbered.code("li.na")}
    for form, code in (
        (used, "console_code_wrong"),
        (used | {"code": "000000"}, "console_code_wrong"),
        ({"page": token}, "field_invalid"),
    ):
        refused = http.post(f"/console/keys/{mchid}/secrets/{kind}", data=form)
        assert refused.status_code == 400
        assert code in refused.text
        assert not SECRET.search(refused.text)
    assert sealed() == before
    told = SECRET.search(post(numbered, http, f"{mchid}/secrets/{kind}").text)
    assert told is not None
    assert sealed() != before
    numbered.shop.clock.at_ms -= STEP_MS // 2
    again = {"page": token, "code": numbered.code("li.na")}
    assert (
        "console_code_wrong" in http.post(f"/console/keys/{mchid}/secrets/{kind}", data=again).text
    )
    assert told[1] not in http.get("/console/keys").text
    assert told[1].encode() not in bytes(sealed())  # type: ignore[call-overload]


def test_only_an_owner_changes_keys(numbered: ConsoleWorld) -> None:
    http, mchid = numbered.signed_in("li.na"), number_of(numbered)
    wanted = {"rank": "clerk"}
    changed = http.post("/operator/v1/console/users/li.na/rank", json=wanted, headers=OPERATOR)
    assert changed.status_code == 200
    [serial] = serials(numbered)
    page = http.get("/console/keys").text
    assert serial in page
    assert 'name="code"' not in page
    for path in (f"{mchid}/secrets/v3", f"{mchid}/certificates", "address"):
        refused = post(numbered, http, path, csr=csr_pem(), notify_url="https://x.example/")
        assert "rank_insufficient" in refused.text
    assert serials(numbered) == [serial]


def test_wrong_codes_lock_the_name_as_wrong_sign_ins_do(numbered: ConsoleWorld) -> None:
    http, mchid = numbered.signed_in("li.na"), number_of(numbered)
    token = page_token(http.get("/console/today").text)
    for _ in range(5):
        http.post(f"/console/keys/{mchid}/secrets/v3", data={"page": token, "code": "000000"})
    assert "console_code_wrong" in post(numbered, http, f"{mchid}/secrets/v3").text


def test_the_callback_address_is_set_and_checked(numbered: ConsoleWorld) -> None:
    http = numbered.signed_in("li.na")
    assert "field_invalid" in post(numbered, http, "address", notify_url="ftp://x").text
    answer = post(numbered, http, "address", notify_url="https://shop.example/tell")
    assert "https://shop.example/tell" in answer.text
    [row] = numbered.shop.rows("SELECT notify_url FROM merchant WHERE merchant_id = 'mch_1001'")
    assert row["notify_url"] == "https://shop.example/tell"


def test_another_merchant_s_numbers_are_not_found_and_the_platform_s_keys_are_everybody_s(
    numbered: ConsoleWorld,
) -> None:
    mchid, [serial] = number_of(numbered), serials(numbered)
    numbered.add("wang", merchant_id=OTHER_MERCHANT)
    other = numbered.signed_in("wang")
    page = other.get("/console/keys").text
    assert mchid not in page
    assert "merchant_unknown" in other.get(f"/console/keys/{mchid}/{serial}.pem").text
    platform = re.findall(r'href="(/console/keys/platform/[^"]+)"', page)
    assert len(platform) == 3
    for path in platform:
        assert other.get(path).text.startswith("-----BEGIN ")
    assert other.get("/console/keys/platform/ABC.pem").status_code == 404
    token = page_token(page)
    numbered.shop.clock.at_ms += STEP_MS
    form = {"page": token, "code": numbered.code("wang")}
    assert "merchant_unknown" in other.post(f"/console/keys/{mchid}/secrets/v3", data=form).text
    numbered.add("ops", role="operator", merchant_id="")
    assert numbered.signed_in("ops").get("/console/keys").status_code == 404
