"""The pages of kill switches and of the audit log."""

import re

from backend.audit.model import Act, ActKind
from backend.audit.service import KeepAct
from protocol.errors import CATALOGUE
from tests.support.console_world import ConsoleWorld, page_token
from tests.support.shop import MERCHANT, OTHER_MERCHANT
from tests.unit.console.test_console_http import paid


def test_to_a_merchant_there_are_no_switches(world: ConsoleWorld) -> None:
    world.add("li.na")
    http = world.signed_in("li.na")
    form = {"page": page_token(http.get("/console/today").text), "kind": "merchant",
            "subject": OTHER_MERCHANT, "do": "stop", "reason": "envy"}  # fmt: skip
    answers = (http.get("/console/switches"), http.post("/console/switches", data=form))
    assert [one.status_code for one in answers] == [404, 404]
    assert world.shop.rows("SELECT * FROM kill_switch") == []


def test_an_operator_stops_a_merchant_and_lets_it_go_on(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in("ops")
    page = http.get("/console/switches").text
    form = {"page": page_token(page), "kind": "merchant", "subject": MERCHANT, "do": "stop"}
    for wrong, code in (
        ({"reason": " "}, "field_invalid"),
        ({"reason": "why", "subject": "mch_9"}, "merchant_unknown"),
        ({"reason": "why", "kind": "planet"}, "field_invalid"),
        ({"reason": "why", "kind": "channel", "subject": "X"}, "channel_unknown"),
    ):
        assert code in http.post("/console/switches", data=form | wrong).text
    shown = http.post("/console/switches", data=form | {"reason": "投诉核查"})
    assert "投诉核查" in shown.text
    payer = world.shop.add_payer(balance_minor=5_000)
    refused = world.shop.pay(payer, 500)
    assert refused["error"]["code"] == "merchant_stopped"
    declined = http.get(f"/console/payments/{refused['payment_id']}?lang=zh").text
    assert f"{CATALOGUE['merchant_stopped'].zh} <code" in declined
    assert ">merchant_stopped</code>" in declined
    again = http.post("/console/switches", data=form | {"do": "start", "reason": "已核实"})
    assert "stop-card" not in again.text
    assert world.shop.pay(payer, 500)["state"] == "captured"
    audit = http.get("/console/audit?kind=switch&lang=en").text
    assert re.findall(r">stopped</span>[^✓]*?<ins>(\w+)</ins>", audit) == ["no", "yes"]
    chinese = http.get("/console/audit?kind=switch&lang=zh").text
    assert "已停止收款" in chinese
    assert not re.search(r"is_stopped|merchant mch|console:ops", chinese)
    assert "is_stopped" in http.get("/console/audit.csv?kind=switch").text
    assert "The chain holds" in audit


def test_what_to_stop_is_found_by_a_part_of_its_name_and_chosen_without_a_script(
    world: ConsoleWorld,
) -> None:
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in("ops")
    page = http.get(f"/console/switches?find={MERCHANT[1:].upper()}&lang=en").text
    assert f'<option value="{MERCHANT}">' in page
    assert "3–200 characters" in page
    chosen = re.search(r'href="(/console/switches\?kind=merchant&subject=[^"#]*)', page)
    assert chosen is not None
    assert f'value="{MERCHANT}"></label>' in http.get(chosen[1]).text
    nothing = http.get("/console/switches?find=no%25such&lang=en").text
    assert "No merchant and no device" in nothing
    assert '<option value="NUCC">' in nothing


def test_the_log_is_filtered_paged_and_a_file(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in("ops")
    for number in range(65):
        act = Act(kind=ActKind.LETTER, what="replay", actor="console:x", origin="",
                  subject=f"callback cb_{number}")  # fmt: skip
        world.shop.do(KeepAct(act))
    path, seen = "/console/audit?kind=letter", []
    while path:
        page = http.get(path).text
        seen += re.findall(r">cb_(\d+)<", page)
        more = re.search(r'href="(/console/audit\?[^"]*before=\d+)#found"', page)
        path = more[1].replace("&amp;", "&") if more else ""
    assert [int(one) for one in seen] == list(range(64, -1, -1))
    assert http.get("/console/audit?actor=console:x&subject=cb_7").text.count(">cb_") == 1
    lines = http.get("/console/audit.csv?kind=letter").text.splitlines()
    assert len(lines) == 66
    assert "date_invalid" in http.get("/console/audit?since=1").text
    for bad in ("kind=x", "since=2026-13-01", "before=x", f"actor={'x' * 65}"):
        assert http.get(f"/console/audit?{bad}").status_code == 400


def test_a_merchant_s_owner_sees_the_own_people_s_acts_and_what_operators_did_to_their_payments(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    world.add("wang", merchant_id=OTHER_MERCHANT)
    world.add("ops", role="operator", merchant_id="")
    payment_id = paid(world)
    ops = world.signed_in("ops")
    form = {"page": page_token(ops.get("/console/account").text), "amount": "4.00",
            "refund_id": world.shop.id("rfd"), "reason": "坏了"}  # fmt: skip
    for _ in range(2):
        assert ops.post(f"/console/payments/{payment_id}/refund", data=form).status_code == 200
    own = world.signed_in("li.na").get("/console/audit").text
    assert own.count(f">{payment_id}<") == 1
    assert "坏了" in own
    assert 'code-text">ops<' not in own
    other = world.signed_in("wang").get("/console/audit").text
    assert payment_id not in other
    assert "li.na" not in other


def test_an_owner_sees_failed_sign_ins_with_the_own_people_s_names_and_no_numbers_with_gaps(
    world: ConsoleWorld,
) -> None:
    world.add("li.na")
    world.add("wang", merchant_id=OTHER_MERCHANT)
    world.add("ops", role="operator", merchant_id="")
    for name in ("li.na", "wang", "ops"):
        world.sign_in(world.browser(), name, password="wrong horse battery")
    path = "/console/audit?kind=sign_in_failed&lang=en"
    own = world.signed_in("li.na").get(path).text
    assert re.findall(r"<strong>([\w.]+)</strong>", own.partition("<tbody")[2]) == ["li.na"]
    assert ">No.<" not in own
    everybody = world.signed_in("ops").get(path).text
    names = re.findall(r"<strong>([\w.]+)</strong>", everybody.partition("<tbody")[2])
    assert names == ["ops", "wang", "li.na"]
    assert ">No.<" in everybody


def test_who_may_only_look_sees_what_is_stopped_and_no_way_to_stop(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    world.add("looker", role="operator", merchant_id="", rank="viewer")
    http = world.signed_in("ops")
    form = {"page": page_token(http.get("/console/switches").text), "kind": "merchant",
            "subject": MERCHANT, "do": "stop", "reason": "why so"}  # fmt: skip
    http.post("/console/switches", data=form)
    assert http.get("/console/switches").text.count('method="post" action="/console/switches') == 4
    looker = world.signed_in("looker")
    seen = looker.get("/console/switches").text
    assert "why so" in seen
    assert 'action="/console/switches' not in seen
    form["page"] = page_token(looker.get("/console/account").text)
    refused = looker.post("/console/switches", data=form)
    assert "rank_insufficient" in refused.text


def test_a_stop_is_checked_by_name_and_number_before_it_counts(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in("ops")
    page = http.get("/console/switches?lang=en").text
    assert 'action="/console/switches/check"' in page
    form = {"page": page_token(page), "kind": "merchant", "category": "risk", "reason": "why so"}
    for wrong, code in (
        ({"subject": "no such shop"}, "merchant_unknown"),
        ({"subject": ""}, "merchant_unknown"),
        ({"subject": MERCHANT, "reason": "w"}, "field_invalid"),
        ({"subject": MERCHANT, "category": "x"}, "field_invalid"),
        ({"subject": MERCHANT, "kind": "planet"}, "field_invalid"),
        ({"subject": "X", "kind": "channel"}, "channel_unknown"),
        ({"subject": "X", "kind": "device"}, "device_unknown"),
    ):
        assert code in http.post("/console/switches/check", data=form | wrong).text
    name = world.shop.rows(f"SELECT name FROM merchant WHERE merchant_id = '{MERCHANT}'")[0]["name"]
    for subject in (MERCHANT, MERCHANT[1:].upper()):
        asked = http.post("/console/switches/check", data=form | {"subject": subject}).text
        assert f'name="subject" value="{MERCHANT}"' in asked
        assert name in asked
        assert "why so" in asked
    several = http.post("/console/switches/check", data=form | {"subject": name}).text
    assert "merchant_unknown" in several
    assert all(f"subject={one}#stop-merchant" in several for one in (MERCHANT, OTHER_MERCHANT))
    assert world.shop.rows("SELECT * FROM kill_switch") == []
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked))
    stopped = http.post("/console/switches", data=fields)
    assert "why so" in stopped.text
    assert [row["subject"] for row in world.shop.rows("SELECT * FROM kill_switch")] == [MERCHANT]


def test_a_switch_s_form_says_beside_its_field_what_is_wrong(world: ConsoleWorld) -> None:
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in("ops")
    page = http.get("/console/switches?lang=en").text
    assert page.count("novalidate") == 3
    assert "minlength" not in page
    form = {"page": page_token(page), "kind": "merchant", "subject": MERCHANT, "reason": "why so"}
    for changed, field, words in (
        ({"reason": "x"}, "reason", "Say why, in 3 to 200 characters."),
        ({"reason": ""}, "reason", "Say why, in 3 to 200 characters."),
        ({"subject": ""}, "subject", "Enter the id or the name of one merchant"),
        ({"kind": "device", "subject": "?"}, "subject", "Enter the id or the store of one device"),
        ({"kind": "channel", "subject": ""}, "subject", "Choose a channel."),
    ):
        answer = http.post("/console/switches/check", data=form | changed).text
        assert f'id="wrong-{field}">{words}' in answer
        assert answer.count("aria-invalid") == 1
        assert 'role="alert"' not in answer
    stop, start = form | {"do": "stop"}, form | {"do": "start", "reason": "x"}
    assert "stop-card" in http.post("/console/switches", data=stop).text
    answer = http.post("/console/switches", data=start).text
    card = answer.partition("stop-card")[2].partition("</section>")[0]
    assert 'id="wrong-reason">Say why' in card
    assert answer.count("aria-invalid") == 1
    unlisted = http.post("/console/switches", data=start | {"subject": OTHER_MERCHANT}).text
    assert 'role="alert"' in unlisted
