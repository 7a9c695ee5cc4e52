"""Whatever days are typed, a command ends in words."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from protocol.clock import DAY_MS
from tests.kit.command_line import tillway
from tests.support.migrated import migrated_sqlite
from tillway.risk.period import end_of, span_ms

TRANSACTIONS = "tx_id,ts,t_sec,day,card_id,terminal_id,amount\nt,0,0,0,c,m,1.00\n"
LABELS = "tx_id,fraud,available_at\nt,1,9\n"
TRANSFERS = (
    "tx_id,ts,t_sec,day,src,dst,src_kind,dst_kind,amount,channel,laundering,case_id\n"
    "t,0,0,0,a,b,person,person,1.00,transfer,1,c\n"
)
EVALUATE = "evaluate --transactions {}/tx.csv --labels {}/labels.csv"
HUGE = "1" + "0" * 30


def test_a_span_is_of_whole_days_up_to_any_end() -> None:
    assert span_ms(datetime(1970, 1, 3, tzinfo=UTC), days=1) == (DAY_MS, 2 * DAY_MS)
    begin_ms, end_ms = span_ms(end_of(datetime(1, 1, 1)), days=3_650)  # noqa: DTZ001  # as typed
    assert (begin_ms, end_ms) == (end_ms - 3_650 * DAY_MS, -62_135_596_800_000)
    assert span_ms(end_of(datetime(9999, 12, 31)), days=1)[1] == 253_402_214_400_000  # noqa: DTZ001


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("train --out {}/m.onnx --until 0001-01-01", 2, "training_impossible"),
        ("train --out {}/m.onnx --until 9999-12-31 --seed -1", 2, "argument_invalid"),
        (f"train --out {{}}/m.onnx --seed {HUGE}", 2, "4294967295"),
        ("replay --until 0001-01-01", 0, "0 payments of 30 days"),
        ("replay --until 9999-12-31 --days 365", 0, "0 payments of 365 days"),
        ("models compare --until 0001-01-01", 1, "no payment was scored by both"),
        ("tags --days 3650", 0, "2,098"),
    ],
)
def test_a_command_takes_any_day_of_the_calendar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, code: int, said: str
) -> None:
    monkeypatch.setenv("TILLWAY_BACKEND_DATABASE_URL", migrated_sqlite(tmp_path / "backend.db"))
    monkeypatch.setenv("COLUMNS", "200")
    ended = tillway("risk", *command.format(tmp_path).split())
    assert ended.returncode == code
    assert said in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (f"aml --transfers {{}}/tr.csv --labels-until-day {HUGE} --from-day 1", 2, "9007199254740"),
        (f"aml --transfers {{}}/tr.csv --labels-until-day 1 --from-day {HUGE}", 2, "9007199254740"),
        (f"{EVALUATE} --from-day 0 --to-day {HUGE}", 2, "9007199254740"),
        (f"{EVALUATE} --from-day 0 --to-day {2**53}", 0, "1 transactions scored"),
    ],
)  # fmt: skip
def test_a_command_over_files_takes_any_number_of_a_day_that_a_file_may_have(
    tmp_path: Path, command: str, code: int, said: str
) -> None:
    for name, content in (("tx", TRANSACTIONS), ("labels", LABELS), ("tr", TRANSFERS)):
        (tmp_path / f"{name}.csv").write_text(content)
    words = command.format(tmp_path, tmp_path).split()
    ended = tillway("risk", *words, "--out", f"{tmp_path}/out.csv")
    assert said in ended.stdout + ended.stderr
    assert ended.returncode == code
