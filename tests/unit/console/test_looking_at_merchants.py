"""An operator looks at a merchant's own pages and changes nothing there; a merchant sees what is
found about its payments, and that it is stopped."""

import base64
import re

from backend.devices.model import DeviceKind
from backend.devices.service import CreateStore, EnrolDevice, NewKey
from backend.firmware.service import ReportFirmware
from backend.payments.model import DeviceRequest
from protocol.messages import DeviceFirmware
from tests.support.console_world import ConsoleWorld, page_token
from tests.support.merchant_caller import Caller
from tests.support.open_breaks import open_break
from tests.support.shop import MERCHANT, OTHER_MERCHANT
from tests.unit.console.test_console_http import paid

PAGES = ("settlements", "payouts", "bills", "breaks", "callbacks", "stores", "keys")
LOOK = f"/console/merchants/{MERCHANT}"


def test_an_operator_finds_a_merchant_and_looks_at_its_pages_without_a_form_that_changes_them(
    world: ConsoleWorld,
) -> None:
    world.add("ops", role="operator", merchant_id="")
    paid(world)
    world.open_number(base64.b64encode(Caller.csr()).decode())
    http = world.signed_in("ops")
    found = http.get("/console/merchants?find=1001").text
    assert f'href="{LOOK}/settlements"' in found
    assert OTHER_MERCHANT not in found
    for page in PAGES:
        shown = http.get(f"{LOOK}/{page}?lang=en")
        assert shown.status_code == 200, page
        main = shown.text[shown.text.index("<main") :]
        assert 'method="post"' not in main, page
        links = set(re.findall(r'(?:href|action)="(/console/(?:\w+)[^"]*)"', main))
        own = {link for link in links if re.match(rf"/console/({'|'.join(PAGES)})\b", link)}
        assert own == set(), page
    today = world.shop.rules.business_date(world.shop.clock.at_ms)
    assert "¥" in http.get(f"{LOOK}/settlements/{today}").text
    assert http.get("/console/merchants/mch_9/settlements").status_code == 404
    assert http.get("/console/settlements").status_code == 404
    for path in ("payments", "refunds"):
        assert OTHER_MERCHANT not in http.get(f"/console/{path}?merchant={MERCHANT}").text
    others = http.get(f"/console/payments?merchant={OTHER_MERCHANT}").text
    assert "/console/payments/pay_" not in others
    withdrawal = {"page": page_token(http.get("/console/account").text), "amount": "1"}
    assert http.post(f"{LOOK}/payouts", data=withdrawal).status_code == 405
    assert http.post("/console/payouts", data=withdrawal).status_code == 404


def test_an_operator_reads_merchants_by_name(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    payment_id = paid(world)
    [row] = world.shop.rows(f"SELECT name FROM merchant WHERE merchant_id = '{MERCHANT}'")
    http = world.signed_in("ops")
    for page in ("payments", f"payments/{payment_id}"):
        shown = http.get(f"/console/{page}").text
        assert re.search(rf"{row['name']} <code[^>]*>{MERCHANT}</code>", shown), page


def test_nobody_of_a_merchant_looks_at_another_s(world: ConsoleWorld) -> None:
    world.add("li.na")
    payment_id = paid(world)
    http = world.signed_in("li.na")
    for path in ("", f"/{OTHER_MERCHANT}/settlements", f"/{MERCHANT}/settlements"):
        assert http.get(f"/console/merchants{path}").status_code == 404
    assert payment_id in http.get(f"/console/payments?merchant={OTHER_MERCHANT}").text


def test_a_merchant_sees_the_breaks_about_its_own_payments_and_what_they_mean(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    world.add("wang", merchant_id=OTHER_MERCHANT)
    payment_id = paid(world)
    open_break(world.shop, reference=payment_id)
    open_break(world.shop, reference="somebody's top-up")
    own = world.signed_in("li.na").get("/console/breaks?lang=en").text
    assert own.count(f"/console/payments/{payment_id}") == 1
    assert "your settlement goes by our books" in own
    assert "top-up" not in own
    assert 'name="words"' not in own
    assert payment_id not in world.signed_in("wang").get("/console/breaks").text


def test_a_merchant_that_is_stopped_reads_so_on_every_page_and_not_the_operators_words(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in("li.na")
    assert "stopped your payments" not in http.get("/console/today?lang=en").text
    ops = world.signed_in("ops")
    form = {"page": page_token(ops.get("/console/switches").text), "kind": "merchant",
            "subject": MERCHANT, "do": "stop", "reason": "case 4711 of the police"}  # fmt: skip
    assert "field_invalid" in ops.post("/console/switches", data=form | {"category": "x"}).text
    assert "4711" in ops.post("/console/switches", data=form | {"category": "papers"}).text
    for page in ("today", "settlements", "payments"):
        shown = http.get(f"/console/{page}?lang=en").text
        assert "stopped your payments" in shown
        assert "papers are missing" in shown
        assert "4711" not in shown
    ops.post("/console/switches", data=form | {"do": "start"})
    assert "stopped your payments" not in http.get("/console/today").text


def test_devices_show_the_firmware_that_they_run(
    world: ConsoleWorld,
) -> None:
    world.add("ops", role="operator", merchant_id="")
    world.shop.do(CreateStore(store="s1", merchant_id=MERCHANT, name="One"))
    key = NewKey(suite="Ed25519", public_key=bytes(32), kid=b"kid-of-the-till")
    world.shop.do(
        EnrolDevice(tid="pos1", kind=DeviceKind.TERMINAL, store="s1", key=key, actor="t",
                    is_active=True)
    )  # fmt: skip
    body = {"number": 1, "wanted_version": 0, "state": "waiting", "running_version": "2.4.1"}
    request = DeviceRequest(
        request_id="req_1", device="pos1", store="s1", merchant_id=MERCHANT,
        message_type="device.firmware", body=DeviceFirmware.from_map(body), content_hash=b"",
        received_at_ms=1, trace_id="",
    )  # fmt: skip
    http = world.signed_in("ops")
    assert "2.4.1" not in http.get("/console/devices").text
    world.shop.do(ReportFirmware(request))
    for page in ("devices", f"merchants/{MERCHANT}/stores"):
        shown = http.get(f"/console/{page}?lang=en").text
        assert "2.4.1" in shown
        assert re.search(r"<td[^>]*>One <code[^>]*>s1</code>(</td>|<br>)", shown)
        assert "update waits" not in shown
