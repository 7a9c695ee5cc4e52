"""A command beside a stack, where none runs, says where it has looked and what to do."""

from pathlib import Path

import pytest

from tests.kit.command_line import tillway


@pytest.mark.parametrize(
    "words", ["day close", "thing vend", "phone scan", "part list", "open wallet"]
)
def test_where_no_stack_is_there_is_how_to_start_one_or_name_it(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = tillway(*words.split())
    assert ended.returncode == 2
    what, zh, _ = ended.stderr.splitlines()
    assert f"no stack is running in {tmp_path}/var/up: start one (tillway up)" in what
    assert f"{tmp_path}/var/up 里没有在运行的系统" in zh
