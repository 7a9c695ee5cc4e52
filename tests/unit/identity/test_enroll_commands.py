"""What ``tillway enroll`` says to whoever types it."""

import io
import sys
from pathlib import Path

import pytest

from tests.kit.command_line import tillway


def test_a_kind_that_there_is_not_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    token = tmp_path / "token"
    place = ("--url", "https://127.0.0.1:1", "--ca", f"{token}", "--token-file", f"{token}")
    words = ("--device", "till-2", "--kind", "till", "--store", "store-1")
    told = tillway("enroll", "code", *words, *place).stderr
    assert "'till' is not one of 'terminal', 'thing', 'hub'" in told


def test_a_code_is_read_from_a_pipe_without_a_word_of_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("no code\n"))
    ended = tillway("enroll", "join", "--state", f"{tmp_path}", "--url", "https://127.0.0.1:1")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("enrol_code_invalid")
