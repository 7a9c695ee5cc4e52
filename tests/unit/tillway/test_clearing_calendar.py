"""Signing a calendar at the command line, and what the check says of it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from protocol.errors import CallerError
from tillway.clearing import app

RUN = CliRunner()
GOOD = "[2027]\nholidays = [2027-01-01, 2027-02-05]\nworkdays = [2027-02-20]\n"


def call(*words: str) -> str:
    """What a command prints; its error is ours."""
    found = RUN.invoke(app, ["calendar", *words], catch_exceptions=True)
    if isinstance(found.exception, CallerError):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found.output


def test_a_calendar_is_signed_and_checked_by_the_key_that_was_printed(tmp_path: Path) -> None:
    file, phrase = tmp_path / "calendar.toml", tmp_path / "phrase"
    file.write_text(GOOD)
    phrase.write_text("correct horse battery staple")
    signer = ("--key-file", f"{tmp_path / 'k'}", "--passphrase-file", f"{phrase}")
    key = call("key", "--name", "cal.example", *signer).strip()
    call("sign", f"{file}", "--name", "cal.example", *signer)
    assert call("check", f"{file}", "--key", key) == "2027: 2 days off, 1 worked weekends\n"
    with pytest.raises(CallerError, match="config_invalid"):
        call("key", "--name", "cal.example", *signer)
    file.write_text(GOOD + "\n")
    with pytest.raises(CallerError, match="signature_invalid"):
        call("check", f"{file}", "--key", key)
