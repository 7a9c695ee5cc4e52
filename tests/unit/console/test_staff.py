"""People of the console: invited, set up, changed by owners; nobody locks out the last owner."""

import asyncio
import base64
import re

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from backend.audit.repository import ActFilter, AuditRepository
from backend.console.desk import PeopleDesk
from backend.console.limits import SETUP_LIFE_MS, SIGN_IN_LOCK_MS, SIGN_IN_TRIES_MAX
from backend.console.totp import STEP_MS, code_at
from tests.support.console_world import PASSWORD, ConsoleWorld, page_token
from tests.support.shop import MERCHANT, OTHER_MERCHANT
from tests.support.wallet_http import OPERATOR
from tests.unit.console.test_console_http import paid

NEW_PASSWORD = "a far better battery"


def post(http: TestClient, path: str, **form: str) -> Response:
    """A form of a page, with its token."""
    token = page_token(http.get("/console/account").text)
    return http.post(f"/console/{path}", data={"page": token, **form}, follow_redirects=False)


def told_secret(answer: Response) -> str:
    found = re.search(r'class="secret"[^>]*>([A-Z2-7-]+)<', answer.text)
    assert found is not None
    return found[1]


def set_up(world: ConsoleWorld, name: str, setup: str, **changes: str) -> Response:
    """What an invited person does: pair the phone, choose a password."""
    http = world.browser()
    shown = http.post("/console/setup/begin", data={"name": name, "setup": setup})
    found = re.search(r'class="code-text">([A-Z2-7]+)<', shown.text)
    if found is None:
        return shown
    secret = base64.b32decode(found[1] + "=" * (-len(found[1]) % 8))
    world.shop.clock.at_ms += STEP_MS
    form = {
        "name": name,
        "setup": setup,
        "code": code_at(secret, world.shop.clock.at_ms // STEP_MS),
        "password": PASSWORD,
        "again": PASSWORD,
    }
    world.made[name] = {"totp_uri": f"otpauth://totp/x?secret={found[1]}"}
    return http.post("/console/setup", data=form | changes)


def acts(world: ConsoleWorld, kind: str = "staff") -> list[tuple[str, str, str]]:
    found = AuditRepository(world.shop.reader).acts(ActFilter(kind=kind), limit=50)
    return [(act["actor"], act["what"], act["subject"]) for act in reversed(found)]


def test_an_invited_person_sets_up_and_comes_in_with_the_rank_that_was_given(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    owner = world.signed_in("li.na")
    setup = told_secret(post(owner, "staff/invite", name="wang", rank="viewer"))
    assert setup not in owner.get("/console/staff").text
    form = {"name": "wang", "password": PASSWORD, "code": "123456"}
    assert world.browser().post("/console/sign-in", data=form).status_code != 303
    for wrong, field in (
        ({"password": "short", "again": "short"}, "password"),
        ({"again": "other"}, "again"),
        ({"code": "000000"}, "code"),
        ({"code": ""}, "code"),
    ):
        answer = set_up(world, "wang", setup, **wrong)
        assert answer.status_code == 400
        assert re.findall(r'id="wrong-(\w+)"', answer.text) == [field]
    assert '<code class="small">code_wrong' in set_up(world, "wang", setup, code="000000").text
    assert "setup_wrong" in set_up(world, "wang", setup[:-4] + "AAAA").text
    assert "setup_wrong" in set_up(world, "li.na", setup).text
    assert "alert" not in set_up(world, "wang", setup.lower().replace("-", " ")).text
    assert "setup_wrong" in set_up(world, "wang", setup).text
    viewer = world.signed_in("wang")
    assert viewer.get("/console/payments").status_code == 200
    page = f"/console/payments/{paid(world)}"
    assert "refund/check" in owner.get(page).text
    assert "refund/check" not in viewer.get(page).text
    for path in ("staff", "audit", "audit.csv"):
        assert "rank_insufficient" in viewer.get(f"/console/{path}").text
    for path in ("staff/li.na/close", "payments/pay_1/refund", "staff/invite"):
        assert "rank_insufficient" in post(viewer, path).text
    assert acts(world)[1:] == [
        ("console:li.na", "invite", "person wang"),
        ("console:wang", "set up", "person wang"),
    ]


def test_a_setup_code_is_over_after_two_days(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    setup = told_secret(post(world.signed_in("ops"), "staff/invite", name="wang", rank="clerk"))
    world.shop.clock.at_ms += SETUP_LIFE_MS
    assert "setup_wrong" in set_up(world, "wang", setup).text


def test_an_owner_manages_his_own_people_and_no_other_s(world: ConsoleWorld) -> None:
    world.add("li.na")
    world.add("zhao")
    world.add("wang", merchant_id=OTHER_MERCHANT)
    world.add("ops", role="operator", merchant_id="")
    owner = world.signed_in("li.na")
    listed = owner.get("/console/staff").text
    assert "zhao" in listed
    assert "wang" not in listed
    assert "ops" not in re.findall(r"<strong>(\w+)</strong>", listed)
    for name in ("wang", "ops", "nobody"):
        for act in ("close", "reset", "sign-out", "rank"):
            assert "user_unknown" in post(owner, f"staff/{name}/{act}", rank="viewer").text
    assert post(owner, "staff/zhao/rank", rank="king").status_code == 400
    assert post(owner, "staff/zhao/promote").status_code == 404
    # A merchant's owner invites into the own team, whatever the form says.
    invited = post(owner, "staff/invite", name="sun", rank="clerk", merchant_id=OTHER_MERCHANT)
    assert told_secret(invited)
    [sun] = world.shop.rows("SELECT * FROM console_user WHERE name = 'sun'")
    assert (sun["merchant_id"], sun["role"], sun["rank"]) == (MERCHANT, "merchant", "clerk")
    assert "wang" in world.signed_in("ops").get("/console/staff").text


def test_a_right_that_is_taken_is_gone_at_once_and_comes_back(world: ConsoleWorld) -> None:
    world.add("li.na")
    world.add("zhao")
    owner, other = world.signed_in("li.na"), world.signed_in("zhao")
    assert post(owner, "staff/zhao/rank", rank="viewer").status_code == 303
    assert "rank_insufficient" in other.get("/console/staff").text
    assert post(owner, "staff/zhao/sign-out").status_code == 303
    assert other.get("/console/account", follow_redirects=False).status_code == 303
    again = world.signed_in("zhao")
    assert post(owner, "staff/zhao/close").status_code == 303
    assert again.get("/console/account", follow_redirects=False).status_code == 303
    assert world.sign_in(world.browser(), "zhao").status_code != 303
    assert post(owner, "staff/zhao/open").status_code == 303
    assert world.sign_in(world.browser(), "zhao").status_code == 303
    setup = told_secret(post(owner, "staff/zhao/reset"))
    assert world.sign_in(world.browser(), "zhao").status_code != 303
    assert "alert" not in set_up(world, "zhao", setup).text
    assert world.sign_in(world.browser(), "zhao").status_code == 303


@pytest.mark.parametrize(
    ("act", "form"), [("close", {}), ("rank", {"rank": "clerk"}), ("reset", {})]
)
def test_the_last_owner_stays_until_there_is_another(
    world: ConsoleWorld, act: str, form: dict[str, str]
) -> None:
    world.add("li.na")
    owner = world.signed_in("li.na")
    assert "last_owner" in post(owner, f"staff/li.na/{act}", **form).text
    setup = told_secret(post(owner, "staff/invite", name="wang", rank="owner"))
    # Whoever was invited only cannot let anybody in yet.
    assert "last_owner" in post(owner, f"staff/li.na/{act}", **form).text
    set_up(world, "wang", setup)
    answer = post(owner, f"staff/li.na/{act}", **form)
    assert "last_owner" not in answer.text
    assert "last_owner" in post(world.signed_in("wang"), f"staff/wang/{act}", **form).text
    # The bearer of the operator's token may: they can let another in.
    path = f"/operator/v1/console/users/wang/{act}"
    assert world.browser().post(path, json=form or None, headers=OPERATOR).status_code == 200


def test_a_password_is_changed_by_its_person_and_ends_the_other_sessions(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    own, other = world.signed_in("li.na"), world.signed_in("li.na")
    used = world.code("li.na")
    world.shop.clock.at_ms += STEP_MS
    change = {
        "old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD, "code": world.code("li.na")
    }  # fmt: skip
    for wrong, code in (
        ({"old": "wrong horse battery"}, "password_wrong"),
        ({"code": used}, "console_code_wrong"),
        ({"code": ""}, "field_invalid"),
        ({"new": "short", "again": "short"}, "password_weak"),
        ({"again": "something else"}, "field_invalid"),
    ):
        assert code in post(own, "account/password", **(change | wrong)).text
    assert other.get("/console/account").status_code == 200
    assert post(own, "account/password", **change).status_code == 303
    assert own.get("/console/account", follow_redirects=False).status_code == 200
    assert other.get("/console/account", follow_redirects=False).status_code == 303
    assert world.sign_in(world.browser(), "li.na").status_code != 303
    assert world.sign_in(world.browser(), "li.na", password=NEW_PASSWORD).status_code == 303
    assert ("console:li.na", "password", "person li.na") in acts(world)
    assert ("console:li.na", "password", "person li.na") in acts(world, "sign_in_failed")


def test_who_found_a_session_open_may_not_try_passwords_as_often_as_they_like(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    own = world.signed_in("li.na")
    world.shop.clock.at_ms += STEP_MS
    change = {
        "old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD, "code": world.code("li.na")
    }  # fmt: skip
    for number in range(SIGN_IN_TRIES_MAX):
        answer = post(own, "account/password", **change | {"old": f"wrong battery {number}"})
        assert "password_wrong" in answer.text
    assert "console_code_wrong" in post(own, "account/password", **change).text
    assert "sign_in_wrong" in world.sign_in(world.browser(), "li.na").text
    world.shop.clock.at_ms += SIGN_IN_LOCK_MS
    assert world.sign_in(world.browser(), "li.na").status_code == 303


def test_one_s_sessions_are_listed_and_ended_one_by_one_or_all(world: ConsoleWorld) -> None:
    world.add("li.na")
    world.add("zhao")
    own, other, stranger = (world.signed_in(name) for name in ("li.na", "li.na", "zhao"))
    page = own.get("/console/account").text
    ids = re.findall(r"/console/account/sessions/([0-9a-f]{64})/end", page)
    assert len(ids) == 1
    assert "session_unknown" in post(stranger, f"account/sessions/{ids[0]}/end").text
    assert post(own, f"account/sessions/{ids[0]}/end").status_code == 303
    assert other.get("/console/account", follow_redirects=False).status_code == 303
    path = "/operator/v1/console/users/li.na/sessions"
    [session] = own.get(path, headers=OPERATOR).json()["sessions"]
    assert set(session) == {"id", "began_at_ms", "seen_at_ms", "origin", "browser"}
    kept = dict(own.cookies)
    assert post(own, "account/sign-out").status_code == 303
    own.cookies.update(kept)
    assert own.get("/console/account", follow_redirects=False).status_code == 303


def test_an_operator_ends_one_session_of_a_person(world: ConsoleWorld) -> None:
    world.add("li.na")
    world.add("zhao")
    kept, ended, stranger = (world.signed_in(name) for name in ("li.na", "li.na", "zhao"))
    users = "/operator/v1/console/users"
    ids = [
        one["id"]
        for one in kept.get(f"{users}/li.na/sessions", headers=OPERATOR).json()["sessions"]
    ]
    page = kept.get("/console/account").text
    [other] = re.findall(r"/console/account/sessions/([0-9a-f]{64})/end", page)
    assert other in ids
    assert len(ids) == 2
    foreign = kept.post(f"{users}/zhao/sessions/{other}/end", headers=OPERATOR)
    assert foreign.json()["error"]["code"] == "session_unknown"
    left = kept.post(f"{users}/li.na/sessions/{other}/end", headers=OPERATOR).json()["sessions"]
    assert [one["id"] for one in left] == [one for one in ids if one != other]
    statuses = [
        http.get("/console/account", follow_redirects=False).status_code
        for http in (kept, ended, stranger)
    ]
    assert statuses == [200, 303, 200]


def test_sign_ins_are_acts_also_those_that_failed(world: ConsoleWorld) -> None:
    world.add("li.na")
    http = world.browser()
    world.sign_in(http, "li.na", password="wrong horse battery")
    world.sign_in(http, "li.na")
    assert acts(world, "sign_in_failed") == [("console:li.na", "sign in", "")]
    assert acts(world, "sign_in") == [("console:li.na", "sign in", "person li.na")]
    [act] = AuditRepository(world.shop.reader).acts(ActFilter(kind="sign_in"), limit=5)
    assert (act["origin"], act["merchant_id"]) == ("testclient", MERCHANT)
    assert PASSWORD not in str(world.shop.rows("SELECT * FROM audit_act"))


def test_an_api_invitation_has_no_password(world: ConsoleWorld) -> None:
    wanted = {"name": "wang", "role": "operator", "rank": "clerk"}
    http = world.browser()
    made = http.post("/operator/v1/console/users", json=wanted, headers=OPERATOR)
    assert made.status_code == 201
    assert "alert" not in set_up(world, "wang", made.json()["setup_secret"]).text
    [row] = http.get("/operator/v1/console/users", headers=OPERATOR).json()["users"]
    assert (row["name"], row["rank"], row["is_set_up"]) == ("wang", "clerk", 1)
    assert "password_hash" not in row


def reset_while_hashing(world: ConsoleWorld, patch: pytest.MonkeyPatch, name: str) -> None:
    """The operator resets the person while the next password is hashed."""
    hashed = PeopleDesk.hashed

    async def slow(desk: PeopleDesk, password: str, salt: bytes) -> bytes:
        patch.setattr(PeopleDesk, "hashed", hashed)
        path = f"/operator/v1/console/users/{name}/reset"
        answer = await asyncio.to_thread(world.browser().post, path, headers=OPERATOR)
        assert answer.status_code == 200
        return await hashed(desk, password, salt)

    patch.setattr(PeopleDesk, "hashed", slow)


def test_a_sign_in_under_way_does_not_outlive_a_reset(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("li.na")
    reset_while_hashing(world, monkeypatch, "li.na")
    http = world.browser()
    assert "sign_in_wrong" in world.sign_in(http, "li.na").text
    assert http.get("/console/account", follow_redirects=False).status_code == 303


def test_a_change_of_password_under_way_does_not_undo_a_reset(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("li.na")
    own = world.signed_in("li.na")
    world.shop.clock.at_ms += STEP_MS
    change = {
        "old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD, "code": world.code("li.na")
    }  # fmt: skip
    reset_while_hashing(world, monkeypatch, "li.na")
    post(own, "account/password", **change)
    assert own.get("/console/account", follow_redirects=False).status_code == 303
    assert ("console:li.na", "password", "person li.na") not in acts(world)


@pytest.mark.parametrize(("act", "words"), [
    ("close", "cannot sign in until enabled again"), ("reset", "stop working at once"),
    ("sign-out", "Every session of this person ends"),
])  # fmt: skip
def test_what_takes_something_from_a_person_is_asked_first_and_changes_nothing_yet(
    act: str, words: str, world: ConsoleWorld
) -> None:
    world.add("li.na")
    world.add("zhao")
    owner, other = world.signed_in("li.na"), world.signed_in("zhao")
    before = acts(world)
    listed = owner.get("/console/staff").text
    assert f'href="/console/staff/zhao/{act}"' in listed
    assert f'action="/console/staff/zhao/{act}"' not in listed
    asked = owner.get(f"/console/staff/zhao/{act}?lang=en").text
    assert words in asked
    assert f'action="/console/staff/zhao/{act}"' in asked
    assert other.get("/console/today").status_code == 200
    assert acts(world) == before
    post(owner, "staff/zhao/rank", rank="clerk")
    assert "rank_insufficient" in other.get(f"/console/staff/li.na/{act}").text
    assert "user_unknown" in owner.get(f"/console/staff/nobody/{act}").text
    assert owner.get("/console/staff/zhao/promote").status_code == 404


def test_what_an_invitation_lacks_is_told_beside_its_field(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    ops = world.signed_in("ops")
    assert "pattern=" not in ops.get("/console/staff?lang=en").text
    for sent, field, words in (
        ({"name": ""}, "name", "Letters, digits, dots"),
        ({"name": "li na"}, "name", "Letters, digits, dots"),
        ({"name": "ops"}, "name", ""),
        ({"name": "sun", "merchant_id": "no such shop"}, "merchant_id", ""),
    ):
        answer = post(ops, "staff/invite", rank="clerk", **sent).text
        assert f'id="wrong-{field}">{words}' in answer
        assert answer.count("aria-invalid") == 1
        assert 'role="alert"' not in answer
    assert [row["name"] for row in world.shop.rows("SELECT name FROM console_user")] == ["ops"]


def test_a_program_changes_a_password_by_what_its_person_knows_and_has(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    own, path = world.signed_in("li.na"), "/operator/v1/console/users/li.na/password"
    world.shop.clock.at_ms += STEP_MS
    change = {"old": PASSWORD, "new": NEW_PASSWORD, "code": world.code("li.na")}
    for wrong, code in (
        ({"old": "wrong horse battery"}, "password_wrong"),
        ({"code": "000000"}, "console_code_wrong"),
        ({"new": "short"}, "password_weak"),
        ({"code": ""}, "field_invalid"),
    ):
        answer = world.browser().post(path, json=change | wrong, headers=OPERATOR)
        assert answer.json()["error"]["code"] == code
    assert own.get("/console/account", follow_redirects=False).status_code == 200
    assert world.browser().post(path, json=change).status_code == 401
    done = world.browser().post(path, json=change, headers=OPERATOR)
    assert (done.status_code, done.json()) == (200, {"name": "li.na", "sessions": 0})
    other = change | {"old": NEW_PASSWORD, "new": PASSWORD}
    again = world.browser().post(path, json=other, headers=OPERATOR)
    assert again.json()["error"]["code"] == "console_code_wrong"
    assert own.get("/console/account", follow_redirects=False).status_code == 303
    assert world.sign_in(world.browser(), "li.na").status_code != 303
    assert world.sign_in(world.browser(), "li.na", password=NEW_PASSWORD).status_code == 303
    assert ("operator", "password", "person li.na") in acts(world)
    assert ("operator", "password", "person li.na") in acts(world, "sign_in_failed")
    unknown = world.browser().post(path.replace("li.na", "wang"), json=change, headers=OPERATOR)
    assert unknown.json()["error"]["code"] == "user_unknown"
