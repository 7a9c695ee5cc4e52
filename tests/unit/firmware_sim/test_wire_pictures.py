"""Goal: a display's picture is one line of the timeline, told once however often it is said."""

from pathlib import Path

import pytest

from firmware_sim.limits import PICTURE_FRAMES_MAX, PICTURE_REPEATS_TOLD_MAX
from firmware_sim.wire_pictures import Row, rows_of
from protocol.framing.customer_display import cd5220_rows
from tests.support.sim_bench import Desk, desk

PICTURE, OTHER = cd5220_rows("TOTAL", "12.80"), cd5220_rows("TOTAL", "6.66")


def _rows(here: Desk) -> list[Row]:
    return rows_of(here.wire.after(0))


def _counts(here: Desk) -> list[int]:
    return [row.picture.count if row.picture else 0 for row in _rows(here)]


@pytest.mark.asyncio
async def test_a_picture_said_again_is_one_line_with_a_count(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        for _ in range(3):
            here.say("display", PICTURE)
        here.say("display", OTHER)
        here.say("display", PICTURE)
        assert _counts(here) == [3, 1, 1]
        names = [getattr(entry.event, "name", "") for entry in _rows(here)[0].entries]
        assert names[:3] == ["clear", "init", "cursor"]
        assert names.count("upper_row") == names.count("lower_row") == 1


@pytest.mark.asyncio
async def test_others_may_speak_between_and_keep_their_lines(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        here.say("display", PICTURE)
        here.say("scanner", bytes.fromhex("7E000701000A01EE8A"))
        here.say("display", PICTURE)
        assert _counts(here)[0] == 2
        assert [row.entry.event.device for row in _rows(here)][:2] == ["display", "scanner"]


@pytest.mark.asyncio
async def test_what_is_done_to_the_display_between_is_news_and_what_follows_it_too(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as here:
        here.say("display", PICTURE)
        await here.http.post("/devices/display/faults", json={"kind": "delay"})
        await here.http.put("/devices/display/faults", json={"faults": []})
        here.say("display", PICTURE)
        assert [count for count in _counts(here) if count] == [1, 1]


@pytest.mark.asyncio
async def test_a_repeat_that_comes_in_pieces_is_counted_when_it_is_whole(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        here.say("display", PICTURE)
        here.say("display", PICTURE[:10])
        assert _counts(here) == [1]
        here.say("display", PICTURE[10:])
        assert _counts(here) == [2]
        here.say("display", b"\x1b_\x01")
        assert _counts(here) == [1, 1]


@pytest.mark.asyncio
async def test_a_picture_that_is_cut_off_stands_for_itself(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        here.say("display", PICTURE)
        here.say("display", PICTURE[: PICTURE.index(b"\x1bQB")])
        here.say("display", PICTURE)
        assert _counts(here) == [1, 1, 1]


@pytest.mark.asyncio
async def test_a_picture_without_end_is_bounded_and_so_are_the_times_told(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        here.say("display", b"\x0c" + b"\x1b_\x00" * (PICTURE_FRAMES_MAX + 4))
        assert [len(row.entries) for row in _rows(here)] == [PICTURE_FRAMES_MAX, 1, 1, 1, 1, 1]
        for _ in range(PICTURE_REPEATS_TOLD_MAX + 5):
            here.say("display", PICTURE)
        picture = _rows(here)[-1].picture
        assert picture is not None
        assert picture.count == PICTURE_REPEATS_TOLD_MAX + 5
        assert len(picture.repeats) == PICTURE_REPEATS_TOLD_MAX


@pytest.mark.asyncio
async def test_a_line_opens_every_time_with_its_bytes_and_fields(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        for _ in range(2):
            here.say("display", PICTURE)
        page = (await here.http.get("/bench?lang=en")).text
        assert page.count('class="row host') == 1
        assert ">2×</span>" in page
        picture = _rows(here)[0].picture
        assert picture is not None
        for first in (picture.entries[0], picture.repeats[0]):
            piece = (await here.http.get(f"/bench/pieces/wire/{first.number}?lang=en")).text
            assert "said 2 times" in piece
            assert piece.count('class="dump"') == len(picture.entries)
            assert "12.80" in piece
            for time in (picture.entries[0], picture.repeats[0]):
                assert f'data-opens="{time.number}"' in piece
