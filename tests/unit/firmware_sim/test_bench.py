"""Goal: the bench's pages and pieces, and what the control API tells and takes for them."""

import asyncio
from pathlib import Path

import pytest

from faces.policy import POLICY
from firmware_sim.act_form import ActField, Sort, fields_of
from firmware_sim.bench.view import bytes_of
from firmware_sim.bench.words import HANDS, mode_words
from firmware_sim.faults import FaultKind
from firmware_sim.field_places import places_of
from firmware_sim.frames import Frame, Side
from firmware_sim.kinds.registry import KINDS as ALL_KINDS
from firmware_sim.limits import FAULTS_OF_A_LINE_MAX, WIRE_EVENTS_KEPT_MAX, WIRE_EVENTS_TOLD_MAX
from firmware_sim.wire_pictures import Entry
from firmware_sim.words.faults import FAULTS, SHORT_FAULTS
from firmware_sim.words.kinds import ACTS, KINDS
from tests.support.sim_bench import Desk, desk
from transport.refused import UNDECLARED

READ_MODE = bytes.fromhex("7E000701000A01EE8A")
COMMAND_MODE = bytes.fromhex("7E0008010000D5ABCD")
TRIGGER = bytes.fromhex("7E000801000201ABCD")
CODE = "134567890123456789"


def test_a_scanner_s_mode_is_told_in_words_and_an_unknown_one_by_its_number() -> None:
    assert mode_words("gm65", 0).en == "by button"
    assert mode_words("ssi", 0).zh == "按住读码"
    assert mode_words("gm65", 77).en == "mode 77"


def test_every_act_fault_and_kind_is_told_in_both_languages() -> None:
    assert {act.summary for kind in ALL_KINDS.values() for act in kind.acts} == set(ACTS)
    assert set(ALL_KINDS) == set(KINDS)
    kinds = set(map(str, FaultKind)) - {"none"}
    assert kinds == set(FAULTS) == set(SHORT_FAULTS)


@pytest.mark.asyncio
@pytest.mark.parametrize("board", ["pos", "vending", "controller"])
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_page_of_every_board_draws_each_part(
    tmp_path: Path, board: str, language: str
) -> None:
    async with desk(tmp_path, board) as here:
        answer = await here.http.get("/bench", params={"lang": language})
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"] == POLICY
        for name in here.board.links:
            assert f'data-part="{name}"' in answer.text
        assert "style=" not in answer.text
        for name, kind in here.board.kinds.items():
            piece = (await here.http.get(f"/bench/pieces/device/{name}")).text
            for act in kind.acts:
                assert f'data-act="{act.name}"' in piece
            for hand in here.board.hands(name):
                assert kind.act(hand.act) is not None
                assert (kind.name, hand.act) in HANDS


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ALL_KINDS)
async def test_every_kind_has_a_drawing_powered_and_not(tmp_path: Path, kind: str) -> None:
    where = "ws://127.0.0.1:9/x" if kind.startswith("ocpp") else "pty"
    file = tmp_path / "one.yaml"
    file.write_text(f"name: one\ndevices:\n  it: {{kind: {kind}, transport: '{where}'}}\n")
    async with desk(tmp_path, str(file)) as here:
        assert 'data-choose="it"' in (await here.http.get("/bench")).text
        await here.http.post("/devices/it/power-off")
        assert "没有电" in (await here.http.get("/bench")).text


@pytest.mark.asyncio
async def test_a_frame_on_the_wire_is_told_with_its_bytes_and_fields(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        here.say("scanner", READ_MODE)
        asked = (await here.http.get("/wire", params={"device": "scanner"})).json()
        first = asked["events"][0]
        assert (first["name"], first["side"], first["size_bytes"]) == ("read", "host", 9)
        assert first["places"] == {"address": [4, 6], "data": [6, 7]}
        later = (await here.http.get("/wire", params={"after": first["number"]})).json()
        assert first["number"] not in [one["number"] for one in later["events"]]
        piece = (await here.http.get(f"/bench/pieces/wire/{first['number']}")).text
        assert '<span data-f="1">0a</span>' in piece


def _named(here: Desk, name: str) -> list[Entry]:
    return [one for one in here.wire.after(0) if getattr(one.event, "name", "") == name]


@pytest.mark.asyncio
async def test_a_code_is_masked_and_its_field_points_at_the_masked_bytes(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await here.http.post("/devices/scanner/acts/present", json={"text": CODE})
        for command in (COMMAND_MODE, TRIGGER):
            here.say("scanner", command)
        while not (codes := _named(here, "code")):
            await here.wire.wait(here.wire.last, 1)
        shown, fields = bytes_of(codes[0])
        assert fields[0][0] == 1
        assert shown[0].text == "31"
        assert [one.text for one in shown if one.field][2:-4] == ["••"] * 12
        whole = (await here.http.get("/wire")).text + (await here.http.get("/bench")).text
        assert CODE not in whole


def test_what_could_be_meant_twice_is_not_placed() -> None:
    frame = Frame(Side.HOST, b"ab12 ab12 xyz", "text", {"twice": "ab12", "once": "xyz", "n": 3})
    assert places_of(frame) == {"once": (10, 13)}


@pytest.mark.asyncio
async def test_faults_are_added_removed_and_bounded_and_seen_on_the_wire(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        path = "/devices/scanner/faults"
        for kind in ("flip", "delay"):
            assert (await here.http.post(path, json={"kind": kind})).status_code == 200
        left = (await here.http.delete(f"{path}/0")).json()["faults"]
        assert [one["kind"] for one in left] == ["delay"]
        assert (await here.http.delete(f"{path}/7")).status_code == 400
        for _ in range(FAULTS_OF_A_LINE_MAX - 1):
            await here.http.post(path, json={"kind": "drop"})
        assert (await here.http.post(path, json={"kind": "drop"})).status_code == 409
        page = (await here.http.get("/bench/pieces/device/scanner?lang=en")).text
        assert "The rest comes late" in page
        assert any(getattr(one.event, "deed", "") == "faults" for one in here.wire.after(0))


@pytest.mark.asyncio
async def test_a_fault_says_whether_it_has_struck_and_outlives_its_neighbour(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as here:
        path = "/devices/scanner/faults"
        await here.http.post(path, json={"kind": "delay", "at": 99, "delay_ms": 70})
        await here.http.post(path, json={"kind": "drop", "at": 3})
        piece = "/bench/pieces/device/scanner"
        page = (await here.http.get(f"{piece}?lang=en")).text
        assert page.count("has not struck yet") == 2
        assert "at byte 99 · 70 ms" in page
        assert "Faulty line 2" in page
        here.say("scanner", bytes.fromhex("7E000701000A01EE8A"))
        await asyncio.sleep(0.05)
        left = (await here.http.delete(f"{path}/0")).json()
        assert (left["faults"][0]["kind"], left["struck"]) == ("drop", [1])
        page = (await here.http.get(f"{piece}?lang=en")).text
        assert "has struck, will not again" in page
        assert "No fault" in page
        assert "已经发生，不会再有" in (await here.http.get(f"{piece}?lang=zh")).text


LOST = {
    "/bench/nix": 404,
    "/bench?device=nix": 400,
    "/bench?sheet=abc": 422,
    "/bench/scenarios?name=nix": 400,
    "/bench/scenarios?run=x": 422,
}


@pytest.mark.asyncio
@pytest.mark.parametrize("path", LOST)
async def test_a_browser_at_a_wrong_address_sees_a_page_and_a_program_the_wire_form(
    tmp_path: Path, path: str
) -> None:
    async with desk(tmp_path) as here:
        for language, word in (("zh", "测试台没有这一页"), ("en", "The bench has no such page")):
            address = f"{path}{'&' if '?' in path else '?'}lang={language}"
            page = await here.http.get(address, headers={"accept": "text/html,*/*"})
            assert page.status_code == LOST[path]
            assert word in page.text
            assert 'href="/bench"' in page.text
        told = await here.http.get(path)
        assert (told.status_code, told.json()["error"]["code"]) == (LOST[path], "field_invalid")


@pytest.mark.asyncio
async def test_the_board_s_bare_address_leads_to_the_bench(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        answer = await here.http.get("/")
        assert (answer.status_code, answer.headers["location"]) == (307, "/bench")


@pytest.mark.asyncio
async def test_another_sites_page_and_another_name_are_refused(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        for path in ("/bench", "/wire", "/devices"):
            strange = await here.http.get(path, headers={"origin": "https://elsewhere.example"})
            assert strange.status_code == 403
            renamed = await here.http.get(path, headers={"host": "elsewhere.example"})
            assert renamed.status_code == 421


@pytest.mark.asyncio
async def test_a_body_that_is_not_declared_as_json_is_told_so(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        told = await here.http.post("/devices/scanner/faults", content=b'{"kind": "drop"}')
        error = told.json()["error"]
        assert (told.status_code, error["detail"]) == (422, UNDECLARED)
        assert "application/json" in error["detail_zh"]


@pytest.mark.asyncio
async def test_the_log_is_bounded_and_says_what_it_still_holds(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        for _ in range(WIRE_EVENTS_KEPT_MAX + 10):
            here.board.do("display", "look")
        assert len(here.wire.after(0)) == WIRE_EVENTS_TOLD_MAX
        first = here.wire.last - WIRE_EVENTS_KEPT_MAX + 1
        assert here.wire.entry(first).number == first
        refused = await here.http.get(f"/wire/{first - 1}")
        assert refused.status_code == 400
        assert "不在" in (await here.http.get(f"/bench/pieces/wire/{first - 1}")).text


@pytest.mark.asyncio
async def test_a_graphic_long_frame_is_kept_in_part(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        here.say("printer", b"\x1dv0\x00\x48\x00\xff\x00" + bytes(0x48 * 0xFF) + b"\n")
        frame = next(one for one in here.wire.after(0) if one.size_bytes > 18_000)
        told = (await here.http.get(f"/wire/{frame.number}")).json()
        assert (told["size_bytes"], len(told["hex"])) == (8 + 0x48 * 0xFF, 2 * 4096)


def test_an_acts_form_comes_from_its_record() -> None:
    def fields(kind: str, name: str) -> tuple[ActField, ...]:
        act = ALL_KINDS[kind].act(name)
        assert act is not None
        return fields_of(act)

    assert [field.sort for field in fields("telium", "enter_pin")] == [Sort.SECRET]
    by = fields("telium", "present")[1]
    assert (by.sort, by.default) == (Sort.CHOICE, "contactless")
    assert "contactless" in by.choices
    assert [field.sort for field in fields("gm65", "present")] == [
        Sort.FILE, Sort.TEXT, Sort.TEXT, Sort.TRUTH,
    ]  # fmt: skip
    after = fields("smp_board", "cut_power")[0]
    assert (after.sort, after.is_needed, after.low) == (Sort.NUMBER, False, 0)


@pytest.mark.asyncio
async def test_what_can_be_done_is_told_with_its_words(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        told = (await here.http.get("/devices/fingerprint/acts")).json()
        assert [one["name"] for one in told["acts"]] == ["place", "remove", "enroll", "damage"]
        assert told["acts"][0]["words"]["required"] == ["finger"]
        assert {"name": "alice", "act": "place", "words": {"finger": "alice"}} in told["hands"]
