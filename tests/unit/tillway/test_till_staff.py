"""The people of a demonstration's till: hired once, with PINs that count as their own choice."""

from contextlib import closing
from pathlib import Path

from terminal.adapters.system import SystemClock
from terminal.counter.people import People
from terminal.counter.tending import JOURNAL_FILE
from terminal.domain.pin import PinState
from terminal.journal.database import open_database
from tillway.demo.till_staff import staff_of
from tillway.toml_text import toml_text


def test_the_demonstrations_people_are_asked_for_no_other_pin(tmp_path: Path) -> None:
    settings = {
        "state_dir": str(tmp_path / "pos-1"),
        "merchant": {"id": "m-1", "zh": "小店", "en": "Shop"},
    }
    (tmp_path / "pos-1.toml").write_text(toml_text(settings), encoding="utf-8")
    pins = staff_of(tmp_path, "pos-1")
    assert staff_of(tmp_path, "pos-1") == pins, "hired once"
    with closing(open_database(tmp_path / "pos-1" / JOURNAL_FILE)) as database:
        staff = People(database, SystemClock()).all()
    assert [each.name for each in staff] == list(pins)
    assert {each.pin for each in staff} == {PinState.OWN}
