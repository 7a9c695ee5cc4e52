"""The front page's doors: who may act, in which order, and what a page never holds."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from protocol.errors import CallerError, OperatingError
from tests.kit.stopwatch import Stopwatch
from tests.support.front_shop import (
    ENDED,
    GAVE_UP,
    PAY_CODE,
    START_MS,
    FakeBank,
    FakeDoor,
    FakeInstitution,
    FakeKeeper,
    FakeOperator,
    FakePhone,
    FakeTill,
    Program,
    fake_shop,
)
from tillway.demo import opening, part_cli
from tillway.demo.addresses import FRONT_FILE, leave_front
from tillway.front import watch
from tillway.front.app import build_app
from tillway.front.evening import Evening
from tillway.front.guide import STEPS, Guide, Manner, Step
from tillway.front.limits import AMOUNT_MINOR_MAX, FINGER_AMOUNT_MINOR_MAX
from tillway.front.server import front_page
from tillway.revival import Phase, Revival


@pytest.fixture
def http() -> Iterator[TestClient]:
    with TestClient(build_app(fake_shop(Program())), base_url="http://127.0.0.1") as client:
        yield client


def token(http: TestClient) -> dict[str, str]:
    found = re.search(r'name="page-token" content="([^"]+)"', http.get("/").text)
    assert found is not None
    return {"x-page-token": found[1]}


def test_a_name_that_is_not_loopback_is_refused(http: TestClient) -> None:
    strange = http.get("/", headers={"host": "pay.example"})
    assert (strange.status_code, strange.json()["error"]["code"]) == (421, "host_unknown")
    assert http.get("/nothing").json()["error"]["code"] == "route_unknown"
    assert http.get("/").status_code == 200


def test_what_a_part_s_pages_ask_for_is_said_beside_it(http: TestClient) -> None:
    page = http.get("/?lang=en").text
    assert "The wallet&#39;s token and PIN are in</span> <code>/up/phone.json</code>" in page


@pytest.mark.parametrize(
    ("hub", "zh", "en"),
    [
        (Revival("hub-1"), (), ()),
        (
            ENDED,
            ("hub-1 已结束，正等着重新启动（第 1 次，最多 5 次）", "被信号 SIGKILL 终止"),
            ("hub-1 has ended and waits to be started anew (try 1 of 5)", "by signal SIGKILL"),
        ),
        (ENDED.started(1), ("hub-1 正在重新启动（第 1 次",), ("being started anew (try 1 of 5)",)),
        (
            ENDED.started(1).came_up(2),
            ("hub-1 重新启动过，结束过 1 次", "no &lt;room&gt; left"),
            ("hub-1 was started anew; ends so far: 1", "no &lt;room&gt; left"),
        ),
        (
            GAVE_UP,
            ("hub-1 接连 5 次没有站住", "以代码 3 退出", "启动 hub-1</button>"),
            ("hub-1 has ended 5 times in a row", "with exit code 3", "Start hub-1</button>"),
        ),
    ],
)
def test_a_part_that_ended_says_why_and_how_often(
    hub: Revival, zh: tuple[str, ...], en: tuple[str, ...]
) -> None:
    shop = replace(fake_shop(Program()), keeper=FakeKeeper(hub))
    with TestClient(build_app(shop), base_url="http://127.0.0.1") as http:
        for language, words in (("zh", zh), ("en", en)):
            page = http.get(f"/?lang={language}").text
            assert [word for word in words if word not in page] == []
            assert ('data-phase="' in page) == bool(words)
            assert ('data-do="api/parts/' in page) == (hub.phase is Phase.FAILED)


def test_a_part_that_nobody_starts_any_more_is_started_by_who_asks() -> None:
    keeper = FakeKeeper(GAVE_UP)
    shop = replace(fake_shop(Program()), keeper=keeper)
    with TestClient(build_app(shop, "t0ken"), base_url="http://127.0.0.1") as http:
        assert http.post("/api/parts/hub-1/start").status_code == 401
        told = http.post("/api/parts/hub-1/start", headers={"x-page-token": "t0ken"}).json()
        assert 'data-phase="starting"' in told["parts"]
        assert keeper.hub.phase is Phase.STARTING
        again = http.post("/api/parts/hub-1/start", headers={"x-page-token": "t0ken"})
        assert (again.status_code, again.json()["error"]["code"]) == (409, "field_invalid")


def test_a_shell_lists_the_parts_and_starts_one(tmp_path: Path) -> None:
    keeper = FakeKeeper(GAVE_UP)
    shop = replace(fake_shop(Program()), keeper=keeper)
    with front_page(shop, 0, "t0ken") as url:
        leave_front(tmp_path, url, "t0ken")
        assert (tmp_path / FRONT_FILE).stat().st_mode & 0o077 == 0
        words = ["--directory", str(tmp_path)]
        listed = CliRunner().invoke(part_cli.app, ["list", *words])
        assert listed.output.splitlines() == [
            "failed   hub-1  ended 6 times, last: exit code 3",
            "         port is taken",
        ]
        assert CliRunner().invoke(part_cli.app, ["start", "hub-1", *words]).exit_code == 0
        assert keeper.hub.phase is Phase.STARTING
        refused = CliRunner().invoke(part_cli.app, ["start", "hub-2", *words])
        assert isinstance(refused.exception, CallerError)
    nobody = CliRunner().invoke(part_cli.app, ["list", "--directory", str(tmp_path / "none")])
    assert isinstance(nobody.exception, CallerError)


def test_the_test_card_is_at_hand_and_its_code_once_the_bank_has_sent_one() -> None:
    bank = FakeBank("")
    shop = replace(fake_shop(Program()), bank=bank)
    number = shop.phone.card_number()
    with TestClient(build_app(shop), base_url="http://127.0.0.1") as http:
        page = http.get("/?lang=en").text
    assert f"A test bank card</strong> <code>{number}</code>" in page
    assert "the code its bank has sent" not in page
    bank.codes[number] = "314159"
    with TestClient(build_app(shop), base_url="http://127.0.0.1") as http:
        assert "<code>314159</code>" in http.get("/?lang=en").text


def test_without_the_page_s_own_token_nothing_is_done(http: TestClient) -> None:
    assert http.post("/guide/key", json={"amount_minor": 1280}).status_code == 401
    done = http.post("/guide/key", json={"amount_minor": 1280}, headers=token(http))
    assert done.json()["step"] == "show"


@pytest.mark.parametrize("amount", [0, -1, FINGER_AMOUNT_MINOR_MAX + 1, 12.8, "1280", None])
def test_an_amount_out_of_bounds_is_refused_in_words(http: TestClient, amount: object) -> None:
    refused = http.post("/guide/key", json={"amount_minor": amount}, headers=token(http))
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "amount_invalid"


def test_a_body_above_its_bound_is_refused(http: TestClient) -> None:
    assert http.post("/guide/key", content=b" " * 2_000, headers=token(http)).status_code == 413


def test_a_page_loads_nothing_from_outside_and_holds_no_code(http: TestClient) -> None:
    known = token(http)
    http.post("/guide/key", json={"amount_minor": 1280}, headers=known)
    http.post("/guide/show", headers=known)
    page = http.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert PAY_CODE not in page.text
    picture = re.search(r"/guide/code-\d+\.png", page.text)
    assert picture is not None
    assert http.get(picture[0]).content.startswith(b"\x89PNG")
    http.post("/guide/scan", headers=known)
    assert http.get(picture[0]).status_code == 404


def test_steps_come_in_their_order_and_starting_over_is_always_possible() -> None:
    guide = Guide(fake_shop(Program()))
    for too_early in (guide.show, guide.scan, guide.look):
        with pytest.raises(CallerError, match="payment_state"):
            too_early()
    guide.key_in(1280)
    guide.show()
    guide.scan()
    assert guide.step is Step.RECEIPT
    assert guide.code == b""
    guide.start_over()
    assert (guide.step, guide.payment_id, guide.receipt) == (Step.KEY, "", b"")
    assert isinstance(guide.shop.till, FakeTill)
    assert guide.shop.till.state == ""


ACTS = {
    Manner.FINGER: (52_000, ("scan", "lay")),
    Manner.QR: (2_350, ("read", "confirm")),
}


@pytest.mark.parametrize("manner", ACTS)
def test_each_manner_has_five_steps_of_its_own(manner: Manner) -> None:
    guide, (amount_minor, acts) = Guide(fake_shop(Program())), ACTS[manner]
    guide.choose(manner)
    guide.key_in(amount_minor)
    seen = [Step.KEY, guide.step]
    with pytest.raises(CallerError, match="payment_state"):
        guide.choose(Manner.CODE)
    for act in (*acts, "look"):
        getattr(guide, act)()
        seen.append(guide.step)
    assert tuple(seen) == STEPS[manner]
    assert len(seen) == 5
    assert isinstance(guide.shop.till, FakeTill)
    assert guide.shop.till.finger == ""


@pytest.mark.parametrize("manner", ACTS)
def test_a_refusal_of_till_or_wallet_begins_the_guide_again(manner: Manner) -> None:
    guide, (amount_minor, acts) = Guide(fake_shop(Program())), ACTS[manner]
    assert isinstance(guide.shop.till, FakeTill)
    guide.shop.till.declines = "insufficient_balance"
    guide.choose(manner)
    guide.key_in(amount_minor)
    getattr(guide, acts[0])()
    with pytest.raises(CallerError, match="insufficient_balance"):
        getattr(guide, acts[1])()
    assert (guide.step, guide.manner) == (Step.KEY, manner)


def test_a_till_that_gave_up_waiting_for_a_code_has_sent_nothing_and_the_guide_begins_again() -> (
    None
):
    guide = Guide(fake_shop(Program()))
    till = guide.shop.till
    assert isinstance(till, FakeTill)
    guide.key_in(1280)
    guide.show()
    till.state = "choosing"  # as after a minute without a code
    with pytest.raises(CallerError, match="scan_timeout"):
        guide.scan()
    assert (guide.step, guide.payment_id, till.state) == (Step.KEY, "", "")


def test_a_sale_that_cannot_go_on_is_not_left_on_the_till(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_code(_: FakePhone) -> str:
        raise OperatingError("busy")

    monkeypatch.setattr(FakePhone, "pay_code", no_code)
    shop = fake_shop(Program())
    guide = Guide(shop)
    guide.choose(Manner.FINGER)
    with pytest.raises(OperatingError, match="busy"):
        guide.key_in(52_000)
    assert (guide.step, guide.payment_id) == (Step.KEY, "")
    assert isinstance(shop.till, FakeTill)
    assert shop.till.state == ""


def test_an_amount_that_the_manner_is_not_for_is_refused() -> None:
    guide = Guide(fake_shop(Program()))
    for manner, amount_minor in (
        (Manner.CODE, AMOUNT_MINOR_MAX + 1), (Manner.QR, AMOUNT_MINOR_MAX + 1),
        (Manner.FINGER, 50_000), (Manner.FINGER, FINGER_AMOUNT_MINOR_MAX + 1),
    ):  # fmt: skip
        guide.choose(manner)
        with pytest.raises(CallerError, match="amount_invalid"):
            guide.key_in(amount_minor)


def test_the_page_closes_a_day_and_says_what_came_of_it(http: TestClient) -> None:
    known = token(http)
    assert http.post("/day/close").status_code == 401
    told = http.post("/day/close", headers=known).json()["evening"]
    assert all(
        words in told for words in ("2026-11-28", "12.72", "https://backend.example/console")
    )
    assert http.post("/guide/sleep", headers=known).status_code == 404


def test_who_closes_a_day_while_it_is_being_closed_is_told_to_wait() -> None:
    evening = Evening(fake_shop(Program()).clocks)
    refusals = []

    class Watching(FakeInstitution):
        def get(self, path: str) -> Any:
            assert evening.at is not None
            with pytest.raises(OperatingError) as refused:
                evening.close()
            refusals.append(refused.value.code)
            return super().get(path)

    evening.clocks = replace(evening.clocks, institutions=(Watching(""),))
    evening.close()
    assert refusals == ["busy"]
    assert evening.at is None


@pytest.mark.parametrize(
    ("door", "face", "asked"),
    [
        ("wallet", "wallet", ("/wallet/v1/openings", {})),
        ("operator", "console", ("/operator/v1/openings", {"merchant_id": ""})),
        ("merchant", "console", ("/operator/v1/openings", {"merchant_id": "mch-1"})),
    ],
)
def test_a_door_s_link_is_minted_by_who_has_the_secret_and_its_code_stands_behind_the_hash(
    door: str, face: str, asked: tuple[str, Any]
) -> None:
    shop = fake_shop(Program())
    with TestClient(build_app(shop), base_url="http://127.0.0.1") as http:
        told = http.post("/open?lang=en", json={"door": door}, headers=token(http))
    assert told.headers["cache-control"] == "no-store"
    link = urlsplit(told.json()["url"])
    assert (link.netloc, link.path) == ("localhost:8443", f"/{face}/open")
    assert (link.query, link.fragment) == ("lang=en", "0f" * 24)
    minter = shop.doors.wallet if face == "wallet" else shop.doors.operator
    assert isinstance(minter, FakeDoor)
    assert minter.asked == [asked]


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8580"},
        {"x-page-token": "guessed"},
    ],
)
def test_another_page_opens_no_door_and_does_nothing(
    http: TestClient, changes: dict[str, str]
) -> None:
    known = token(http)
    assert http.post("/open", json={"door": "wallet"}, headers=known | changes).status_code == 401
    assert http.post("/guide/again", headers=known | changes).status_code == 401


def test_a_door_that_is_none_is_refused(http: TestClient) -> None:
    assert http.post("/open", json={"door": "vault"}, headers=token(http)).status_code == 400


def test_the_shell_prints_the_same_link_and_takes_its_options_in_any_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening, "doors_in", lambda _: fake_shop(Program()).doors)
    for words in (["wallet", "--lang", "en"], ["--lang", "en", "wallet"]):
        done = CliRunner().invoke(opening.app, words)
        assert (done.exit_code, done.output.strip()) == (
            0, f"https://localhost:8443/wallet/open?lang=en#{'0f' * 24}",
        )  # fmt: skip


def test_a_part_that_is_silent_is_named_on_top_with_the_log_that_says_why() -> None:
    program = Program()
    shop = fake_shop(program)
    places = (replace(shop.places[0], log="var/up/logs/hub-1.log"),)
    with TestClient(build_app(replace(shop, places=places)), base_url="http://127.0.0.1") as http:
        page = http.get("/?lang=en").text
        assert "All 1 parts are ready" in page
        assert "hub-1.log" not in page
    program.error = OperatingError("server_unreachable")
    with TestClient(build_app(replace(shop, places=places)), base_url="http://127.0.0.1") as http:
        for language, words in (("en", "Not well: hub-1"), ("zh", "有问题：hub-1")):
            page = http.get(f"/?lang={language}").text
            assert words in page
            assert "<code>var/up/logs/hub-1.log</code>" in page


class SilentTill(FakeTill):
    """A till whose program has ended."""

    def recent(self, count: int = 0) -> list[dict[str, Any]]:
        raise OperatingError("server_unreachable")


def test_a_silent_till_hides_nothing_of_the_others() -> None:
    shop = fake_shop(Program())
    shop.till.sell(1280, "pay_code")
    shop = replace(shop, tills=(SilentTill(), shop.till))
    with TestClient(build_app(shop), base_url="http://127.0.0.1") as http:
        page = http.get("/?lang=en").text
    assert 'data-hop="till"' in page
    assert "2026-11-28" in page
    assert "Scan the payer&#39;s code" in page


class SlowOperator(FakeOperator):
    """The backend of a busy machine: its clock goes with ours, its answers take their time."""

    def get(self, path: str) -> Any:
        if path != "/operator/v1/clock":
            return super().get(path)
        said_ms = next(CLOCK)
        next(CLOCK)
        return {"now_ms": said_ms}


CLOCK = accumulate((3, 37, 2, 5, 2, 80, 4, 9, 1, 20, 33, 6), initial=START_MS + 400)


def test_the_times_of_a_payment_s_way_stay_however_long_the_backend_takes_to_answer() -> None:
    shop = fake_shop(Program())
    shop.till.sell(1280, "pay_code")
    assert isinstance(shop.till, FakeTill)
    shop.till.end()
    slow = replace(shop, now_ms=lambda: next(CLOCK), operator=SlowOperator(""))
    first = slow.last_way()
    assert first is not None
    assert [slow.last_way(), slow.last_way()] == [first, first]
    told = [hop.at_ms for hop in first.hops if hop.at_ms is not None]
    assert told == sorted(told)


def test_a_part_that_hangs_keeps_nobody_waiting_and_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "ANSWER_S", 0.2)
    monkeypatch.setattr(watch, "LOOK_EVERY_MS", 0)
    release, asked = threading.Event(), list[int]()

    def hang() -> str:
        asked.append(1)
        release.wait(20)
        return "2026-12-24"

    shop = fake_shop(Program())
    monkeypatch.setattr(type(shop), "backend_day", lambda _: hang())
    with TestClient(build_app(shop), base_url="http://127.0.0.1") as http:
        with Stopwatch() as waited:
            for _ in range(3):
                assert "All 1 parts are ready" in http.get("/?lang=en").text
        assert waited.had_s < 10
        assert asked == [1]
        release.set()
        assert "2026-12-24" in http.get("/?lang=en").text
