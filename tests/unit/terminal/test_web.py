"""The till's pages and control API, over a real loopback socket."""

import asyncio
import gzip
import json
import re
import struct
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from protocol.errors import advice
from terminal import logs
from terminal.profile import Item
from terminal.web.access import control_token
from terminal.web.pictures import png, svg
from terminal.web.words import LINE_TROUBLES
from terminal.zone import SHOP_ZONE
from tests.kit.patience import PATIENCE_S
from tests.support.tills import CASHIER_PIN, Till, hire_both, running_till
from tests.unit.terminal.fakes import CODE
from transport.logs import redact


@pytest.mark.asyncio
async def test_a_sale_by_pay_code_ends_paid_and_printed(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        till.scanner.show(CODE)
        status, screen = await till.post("sales", amount_minor=1280, method="pay_code")
        assert (status, screen["kind"]) == (200, "scanning")
        paid = await till.screen("paid")
        assert (paid["amount"], paid["amount_minor"]) == ("12.80", 1280)
        recent = await till.get("api/payments?limit=5")
        assert [sale["state"] for sale in recent] == ["paid"]
        assert recent[0]["settled_at_ms"] >= recent[0]["sent_at_ms"]
        async with asyncio.timeout(PATIENCE_S):
            while not till.printer.receipts:  # noqa: ASYNC110  # the printer has no event
                await asyncio.sleep(0.01)
        assert "支付成功".encode("gb18030") in till.printer.receipts[0]


@pytest.mark.asyncio
async def test_the_merchant_qr_is_on_both_pages_and_a_scannable_picture(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        till.backend.state, till.backend.fields = "awaiting_payer", {"code_url": "tillway://p/1"}
        await till.post("sales", amount_minor=500, method="merchant_qr")
        screen = await till.screen("qr")
        assert screen["code_url"] == "tillway://p/1"
        picture = await till.get("api/sales/current/qr.png")
        assert picture.startswith(b"\x89PNG")
        assert struct.unpack(">II", picture[16:24])[0] >= 290
        for path in ("", "customer"):
            page = (await till.get(path)).decode()
            assert "<svg" in page
            assert "请扫码支付" in page
        status, shown = await till.post("sales/current/cancel")
        assert (status, shown["kind"]) == (200, "closing")
        await till.screen("closed")


@pytest.mark.asyncio
async def test_the_log_is_shown_and_exported_without_a_code(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        line = {"at": "2026-11-28T08:30:02Z", "level": "warning", "event": "scan_odd"}
        seen = {**line, "seen": CODE, "at_ms": 1_795_872_452_000}
        logs.KEPT.append(json.dumps(redact(None, "", seen)))
        for path in ("log", "api/log"):
            told = (await till.get(path)).decode()
            assert "scan_odd" in told
            assert CODE not in told
            assert f"**{CODE[-4:]}" in told
        page = (await till.get("settings")).decode()
        started = datetime.fromtimestamp(till.counter.real.agent.boot_epoch, UTC)
        assert f"{started.astimezone(SHOP_ZONE):%m-%d %H:%M}" in page


@pytest.mark.parametrize(
    ("ahead_ms", "zh", "en"),
    [
        (None, "还没有应答", "not told yet"),
        (-400, "一致", "the same"),
        (3_400, "慢 3 s", "3 s behind"),
        (-90_061_000, "快 25 h 1 min", "25 h 1 min ahead"),
        (180_000_000, "慢 2 d 2 h", "2 d 2 h behind"),
    ],
)
@pytest.mark.asyncio
async def test_the_settings_tell_the_time_and_how_far_it_is_from_the_backends(
    ahead_ms: int | None, zh: str, en: str, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        till.counter.real.agent._desk.clock_ahead_ms = ahead_ms
        for language, words in (("zh", zh), ("en", en)):
            page = (await till.get(f"settings?lang={language}")).decode()
            assert "+08:00</dd>" in page
            assert f"<dd>{words}</dd>" in page


@pytest.mark.asyncio
@pytest.mark.parametrize("code", sorted(LINE_TROUBLES))
async def test_a_till_without_a_line_says_why(tmp_path: Path, code: str) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        till.link.cut()
        till.link.refuse(code)
        async with asyncio.timeout(PATIENCE_S):
            while till.shell.screen.link_trouble is None:  # noqa: ASYNC110  # no event
                await asyncio.sleep(0.01)
        async with till.client.get(f"{till.base}/readyz") as answer:
            assert (answer.status, await answer.json()) == (503, {"link": False, "code": code})
        for language, few, whole in (
            ("zh", LINE_TROUBLES[code].zh, advice(code).zh),
            ("en", LINE_TROUBLES[code].en, advice(code).en),
        ):
            page = unescape((await till.get(f"settings?lang={language}")).decode())
            assert page.count(few) == 2, "the bar and the row"
            assert whole in page
        status, told = await till.post("tests/link")
        assert (status, told["error"]["code"]) == (400, code)
        till.link.mend()
        async with asyncio.timeout(PATIENCE_S):
            while till.shell.screen.link_trouble is not None:  # noqa: ASYNC110  # no event
                await asyncio.sleep(0.01)
        async with till.client.get(f"{till.base}/readyz") as answer:
            assert await answer.json() == {"link": True}


def test_the_picture_can_be_read_back() -> None:
    zxing = pytest.importorskip("zxingcpp")
    import io

    from PIL import Image

    with Image.open(io.BytesIO(png("tillway://p/pay_X"))) as image:
        found = zxing.read_barcodes(image.convert("L"))
    assert [code.text for code in found] == ["tillway://p/pay_X"]
    assert svg("x").startswith("<svg") or "<svg" in svg("x")


@pytest.mark.asyncio
async def test_unknown_says_do_not_charge_again_in_both_languages(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        till.backend.is_cut_off = True
        await till.post("sales", amount_minor=500, method="merchant_qr")
        till.link.cut()
        unknown = await till.screen("unknown")
        assert [button["action"] for button in unknown["buttons"]] == ["query", "reverse", "park"]
        assert "请勿重复收款" in (await till.get("?lang=zh")).decode()
        assert "do not charge again" in (await till.get("?lang=en")).decode()
        assert "charge" not in await till.payer_reads(), "that is the cashier's"
        status, error = await till.post("sales", amount_minor=1, method="merchant_qr")
        assert (status, error["error"]["code"]) == (409, "payment_state")
        till.backend.is_cut_off = False
        till.link.mend()
        await till.screen("paid")


@pytest.mark.asyncio
async def test_a_refund_is_followed_to_its_end(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        await till.post("sales", amount_minor=500, method="merchant_qr")
        paid = await till.screen("paid")
        status, _ = await till.post(
            "refunds", payment_id=paid["subject"], amount_minor=200, reason="broken"
        )
        assert status == 200
        done = await till.screen("refund_done")
        assert done["amount_minor"] == 200
        sale = await till.get(f"api/payments/{paid['subject']}")
        assert sale["refunded_minor"] == 200
        assert [refund["state"] for refund in sale["refunds"]] == ["succeeded"]


@pytest.mark.asyncio
async def test_what_went_back_is_told_in_every_list(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        await till.post("shift/open", float_minor=0)
        for back_minor in (0, 200, 500):
            draft = (await till.get("api/draft"))["draft_id"]
            _, paid = await till.post("cash", draft_id=draft, amount_minor=500)
            if back_minor:
                body = {"refund_id": f"back-{back_minor}", "amount_minor": back_minor}
                await till.post(f"cash/{paid['movement_id']}/refund", **body)
        await till.post("counter/leave")
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        for path in ("?lang=zh", "recent?lang=zh"):
            page = (await till.get(path)).decode()
            assert [page.count(words) for words in ("已收款", "部分退款", "全额退款")] == [1, 1, 1]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"amount_minor": 0}, "amount_invalid"),
        ({"amount_minor": -5}, "amount_invalid"),
        ({"amount_minor": 12.5}, "amount_invalid"),
        ({"amount_minor": "12"}, "amount_invalid"),
        ({"amount_minor": 10**18}, "amount_invalid"),
        ({"amount_minor": 5, "currency": "XXX"}, "currency_unsupported"),
        ({"amount_minor": 5, "colour": "red"}, "field_invalid"),
        ({}, "amount_invalid"),
    ],
)
async def test_bad_bodies_get_a_code_and_words(
    tmp_path: Path, body: dict[str, Any], code: str
) -> None:
    async with running_till(tmp_path) as till:
        status, answer = await till.post("sales", method="merchant_qr", **body)
        assert (status, answer["error"]["code"]) == (400, code)
        assert answer["error"]["zh"]


async def _status(till: Till, method: str, path: str, **options: Any) -> int:
    async with till.client.request(method, f"{till.base}/{path}", **options) as answer:
        return answer.status


@pytest.mark.asyncio
async def test_nobody_without_the_token_or_the_page_may_look_or_touch(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        sale = {"amount_minor": 1, "method": "merchant_qr"}
        assert await _status(till, "POST", "api/sales", json=sale) == 401
        assert await _status(till, "GET", "api/screen") == 401
        assert await _status(till, "GET", "api/events") == 401
        wrong = {"authorization": "Bearer wrong"}
        assert await _status(till, "POST", "api/sales", json=sale, headers=wrong) == 401
        rebound = {"host": "evil.example", "authorization": f"Bearer {till.token}"}
        assert await _status(till, "GET", "api/screen", headers=rebound) == 421
        assert await _status(till, "GET", "", headers={"host": "evil.example"}) == 421
        large = {"authorization": f"Bearer {till.token}"}
        assert await _status(till, "POST", "api/sales", data=b"x" * 5000, headers=large) == 413


@pytest.mark.asyncio
async def test_the_page_may_act_with_its_cookie_and_its_own_token_only(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as browser:
            async with browser.get(till.base) as page:
                html = await page.text()
                policy = page.headers["content-security-policy"]
            assert "unsafe" not in policy
            token = html.split('name="page-token" content="')[1].split('"')[0]
            sale = {"amount_minor": 1, "method": "merchant_qr"}
            async with browser.post(f"{till.base}/api/sales", json=sale) as answer:
                assert answer.status == 401  # a form of another site would have the cookie only
            headers = {"x-page-token": token}
            url = f"{till.base}/api/sales"
            async with browser.post(url, json=sale, headers=headers) as answer:
                assert answer.status == 401  # nobody is signed in
                assert (await answer.json())["error"]["code"] == "staff_sign_in"
            hire_both(till.people)
            who = {"staff_id": 2, "pin": CASHIER_PIN}
            async with browser.post(f"{till.base}/api/session", json=who) as answer:
                assert answer.status == 401
            async with browser.post(
                f"{till.base}/api/session", json=who, headers=headers
            ) as answer:
                assert answer.status == 200
            async with browser.post(url, json=sale, headers=headers) as answer:
                assert (await answer.json())["error"]["code"] == "shift_needed"
            shift = f"{till.base}/api/shift/open"
            async with browser.post(shift, json={"float_minor": 0}, headers=headers) as answer:
                assert answer.status == 200
            async with browser.post(url, json=sale, headers=headers) as answer:
                assert answer.status == 200
            async with browser.get(f"{till.base}/customer") as page:
                assert token not in await page.text()
            till.counter.sign_in.lock()
            for path in ("payments", "shift", "log", "draft"):
                async with browser.get(f"{till.base}/api/{path}") as answer:
                    assert answer.status == 401, path


@pytest.mark.asyncio
async def test_pages_scripts_health_and_metrics_are_served(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        page = (await till.get("")).decode()
        assert 'data-staff="1"' in page
        scripts = re.findall(r'(?:src|href)="/(static/[^"]+)"', page)
        assert len(scripts) >= 3
        for path in scripts:
            content = (await till.get(path)).decode()
            assert len(content) < 30_000
            assert "parseFloat" not in content
        assert (await till.get("healthz")) == {"ok": True}
        assert b"tillway_terminal_link_up 1.0" in await till.get("metrics")


@pytest.mark.asyncio
async def test_a_page_travels_packed_and_a_stream_of_events_does_not(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till, aiohttp.ClientSession(auto_decompress=False) as wire:

        async def sent(path: str, accept: str) -> tuple[bytes, str | None]:
            headers = {"accept-encoding": accept, "authorization": f"Bearer {till.token}"}
            async with wire.get(f"{till.base}/{path}", headers=headers) as answer:
                assert answer.status == 200
                if answer.content_type == "text/html":
                    assert "accept-encoding" in answer.headers["vary"]
                    return await answer.read(), answer.headers.get("content-encoding")
                return await answer.content.readany(), answer.headers.get("content-encoding")

        packed, how = await sent("customer", "gzip, deflate")
        plain, none = await sent("customer", "identity")
        assert (how, none) == ("gzip", None)
        assert gzip.decompress(packed) == plain
        told, how = await sent("fragments?view=customer", "gzip, deflate")
        assert how is None
        assert b"event: screen" in told


def test_the_control_token_is_random_private_and_stays(tmp_path: Path) -> None:
    token = control_token(tmp_path)
    assert len(token) >= 40
    assert control_token(tmp_path) == token
    assert (tmp_path / "control.token").stat().st_mode & 0o077 == 0


@pytest.mark.asyncio
async def test_a_machines_page_says_that_the_item_was_not_given(
    tmp_path: Path,
) -> None:
    async with running_till(
        tmp_path, kind="vending", methods=("mandate",), is_attended=False, mandate_id="mdt_1",
        items=(Item(item="tea", zh="茶", en="Tea", amount_minor=350),),
    ) as till:  # fmt: skip
        await till.post("vend", item="tea")
        shown = await till.screen("reversing")  # there is no dispenser
        assert (shown["delivery"], shown["error"]["code"]) == ("not_given", "item_not_given")
        sale = await till.get(f"api/payments/{shown['subject']}")
        assert (sale["delivery"], sale["is_dispensed"]) == ("not_given", False)
        status, answer = await till.post("items/given", payment_id=shown["subject"])
        assert (status, answer["error"]["code"]) == (409, "payment_state")
        assert await till.get("api/items/unsettled") == []
        assert "商品未能出货" in (await till.get("")).decode()
        assert b"tillway_terminal_items_unsettled 0" in await till.get("metrics")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("kind", "zh", "en"),
    [
        ("vending", "自动售货机 1", "Vending machine 1"),
        ("parking", "停车场出口 1", "Car park exit 1"),
        ("meter", "预付费电表 1", "Prepaid meter 1"),
    ],
)
async def test_a_machines_page_says_what_machine_it_is(
    tmp_path: Path, kind: str, zh: str, en: str
) -> None:
    async with running_till(tmp_path, kind=kind, is_attended=False, till="1") as till:
        for language, told in (("zh", zh), ("en", en)):
            page = (await till.get(f"?lang={language}")).decode()
            assert f'till-number">{told}<' in page


@pytest.mark.asyncio
async def test_two_tills_in_one_browser_do_not_log_each_other_out(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    jar = aiohttp.CookieJar(unsafe=True)  # as a browser: its cookies know no port
    async with (
        running_till(tmp_path / "1", tid="pos-1") as first,
        running_till(tmp_path / "2", tid="pos-2") as second,
        aiohttp.ClientSession(cookie_jar=jar) as browser,
    ):
        for till in (first, second):
            async with browser.get(f"{till.base}/") as page:
                assert page.status == 200
        for till in (first, second):
            async with browser.get(f"{till.base}/api/screen") as screen:
                assert screen.status == 200
