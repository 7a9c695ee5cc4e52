"""A command that is called wrongly says so as every refusal does: a code, what is wrong, and what
to do, in both languages."""

import importlib
import re
from collections.abc import Iterator
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import pytest
import typer.main

from protocol.errors import CATALOGUE
from tests.kit.command_line import Ended, tillway
from tillway import cli
from tillway.cli import ROOMS, Room
from tillway.origin import how_to_install

DATABASE, PASSWORD = "TILLWAY_BACKEND_DATABASE_URL", "TILLWAY_SENSOR_PASSWORD"
TOO_SMALL = "Input should be greater than or equal to 0"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is configured."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(DATABASE, raising=False)


def refused(ended: Ended, code: str) -> list[str]:
    """The lines above the advice of a refusal with this code."""
    assert (ended.returncode, ended.stdout) == (2, ""), ended
    *above, zh, en = ended.stderr.splitlines()
    assert (zh, en) == (f"  {CATALOGUE[code].zh}", f"  {CATALOGUE[code].en}")
    assert f"\n{code} (" in f"\n{ended.stderr}"
    return above


def leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command of a group."""
    inner = getattr(command, "commands", {})
    if not inner:
        yield words
    for name, one in inner.items():
        yield from leaves(one, (*words, name))


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_every_command_refuses_an_option_that_it_has_not(name: str) -> None:
    app = importlib.import_module(ROOMS[name].module).app
    for words in leaves(typer.main.get_command(app)):
        usage, what = refused(tillway(name, *words, "--zzz9"), "option_unknown")
        assert usage.startswith(f"Usage: {' '.join(('tillway', name, *words))} [OPTIONS]")
        assert what == "option_unknown (No such option: --zzz9)"


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (
            ("backend", "sagas", "list", "--databse", "x"), "option_unknown",
            "No such option: --databse (Possible options: --database)",
        ),
        (
            ("backend", "sagas", "list"), "argument_missing",
            f"Missing option '--database' (env var: '{DATABASE}')",
        ),
        (("sim", "conform"), "argument_missing", "Missing argument 'kind'"),
        (
            ("backend", "sagas", "lst"), "command_unknown",
            "No such command 'lst'. Did you mean 'list'?",
        ),
        (("payement",), "command_unknown", "No such command 'payement'. Did you mean 'payment'?"),
        (("zzz",), "command_unknown", "No such command 'zzz'"),
        (
            ("risk", "lists", "list", "purple"), "argument_invalid",
            "Invalid value for 'list_name': 'purple' is none of allow, block, grey",
        ),
        (
            ("terminal", "fingers", "/dev/null", "--password", "-1"), "argument_invalid",
            f"Invalid value for '--password' (env var: '{PASSWORD}'): {TOO_SMALL}",
        ),
        (
            ("backend", "init", "much"), "argument_invalid",
            "Got unexpected extra argument(s) (much)",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_between_the_usage_and_the_advice(
    words: tuple[str, ...], code: str, what: str
) -> None:
    usage, told = refused(tillway(*words), code)
    assert usage.startswith("Usage: tillway ")
    assert told == f"{code} ({what})"


@pytest.mark.parametrize(
    "words",
    [
        ("payment", "list", "--url", "http://127.0.0.1:1", "--merchant", "\udcff"),
        ("shards", "where", "\udcff", "--config", "backend.toml"),
        ("doctor", "--state", "\udcff"),
        ("\udcff",),
    ],
)
def test_a_word_that_is_no_text_is_refused_by_every_command(words: tuple[str, ...]) -> None:
    [told] = refused(tillway(*words), "argument_invalid")
    assert told == r"argument_invalid (b'\xff' is not UTF-8)"


def test_a_path_that_is_too_long_is_named() -> None:
    name = "x" * 300
    for words in (
        ("shards", "found", "--config", name),
        ("doctor", "--state", name),
        ("ledger", "verify", "--database", f"sqlite:///{name}"),
    ):
        [told] = refused(tillway(*words), "file_unusable")
        assert re.fullmatch(rf"file_unusable \({name}[/a-z.]*: File name too long\)", told)


def test_an_option_without_its_value_is_named() -> None:
    [told] = refused(tillway("doctor", "--state"), "argument_invalid")
    assert told == "argument_invalid (Option '--state' requires an argument)"


def test_what_is_not_installed_is_named_and_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(cli.ROOMS, "hub", Room("no_such_package.cli", "hub", ""))
    [told] = refused(tillway("hub", "run"), "package_missing")
    assert told == f"package_missing (no_such_package: {how_to_install('hub')})"


def test_it_is_installed_from_where_it_came_and_by_no_name_of_an_index(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for record, source in (
        ('{"dir_info": {}, "url": "file:///home/li/my%20tillway"}', "/home/li/my tillway"),
        ('{"archive_info": {}, "url": "https://example.com/tillway-0.1.0-py3-none-any.whl"}', "."),
        (None, "."),
    ):
        monkeypatch.setattr(PathDistribution, "read_text", lambda *_, told=record: told)
        assert how_to_install("hub") == f"pip install '{source}[hub]'"


@pytest.mark.parametrize(
    "command",
    [
        "ledger key --state nowhere",
        "clearing calendar key --name c --key-file k --passphrase-file nowhere",
        "clearing calendar sign c --name c --key-file nowhere --passphrase-file p",
    ],
)
def test_a_file_that_cannot_be_read_is_named(command: str) -> None:
    [told] = refused(tillway(*command.split()), "file_unusable")
    assert re.fullmatch(r"file_unusable \(nowhere[/a-z.]*: No such file or directory\)", told)


@pytest.mark.parametrize(
    "words",
    [
        ("payment", "csv"),
        ("refund", "csv"),
        ("audit", "csv"),
        ("clearing", "bill", "fund-flow", "--merchant", "m", "--date", "2026-11-20"),
    ],
    ids=" ".join,
)
def test_a_name_that_is_no_file_s_is_refused_before_anything_is_asked(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    token.chmod(0o600)
    place = ("--url", "http://127.0.0.1:1", "--ca", f"{token}", "--token-file", f"{token}")
    ended = tillway(*words, *place, "--out", "")
    [told] = refused(ended, "file_unwritable")
    assert told == "file_unwritable (. is no file's name)"


def test_what_went_wrong_without_a_file_is_a_bug_and_seen_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = typer.Typer()

    @app.command()
    def fails() -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("hub.cli.app", app)
    with pytest.raises(OSError, match="Input/output error"):
        run_command(monkeypatch, "hub")


def run_command(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr("sys.argv", ["tillway", *words])
    monkeypatch.setattr("gc.set_threshold", lambda *_: None)
    cli.main()


def test_a_group_without_a_command_shows_its_help() -> None:
    ended = tillway("backend", "sagas")
    assert (ended.returncode, ended.stderr) == (2, "")
    assert "Usage: tillway backend sagas" in ended.stdout


def test_who_stops_at_a_question_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def asks() -> None:
        raise typer.Abort

    app = typer.Typer()
    app.command()(asks)
    monkeypatch.setattr("hub.cli.app", app)
    ended = tillway("hub")
    assert (ended.returncode, ended.stderr) == (1, "已中止。Aborted.\n")


def test_what_a_command_ends_with_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()

    @app.command()
    def ends(code: int) -> None:
        if code:
            raise typer.Exit(code)

    monkeypatch.setattr("hub.cli.app", app)
    assert [tillway("hub", code).returncode for code in ("0", "3")] == [0, 3]
