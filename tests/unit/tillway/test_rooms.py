"""The console script: every command it lists leads to a module that has an application."""

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from tests.kit.command_line import tillway
from tillway.cli import ROOMS, usage


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_every_command_that_is_listed_exists(name: str) -> None:
    app = importlib.import_module(ROOMS[name].module).app
    assert isinstance(app, typer.Typer)
    assert f"  {name} " in usage()


def options_of(command: Any) -> Iterator[Any]:
    """A command's own options."""
    return (one for one in command.params if one.param_type_name == "option")


def options(command: Any) -> Iterator[Any]:
    """Every option of a command and of those below it."""
    yield from options_of(command)
    for one in getattr(command, "commands", {}).values():
        yield from options(one)


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A command and those below it, each with the words that lead to it."""
    yield words, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*words, name))


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_help_says_whatever_was_written_and_no_signs_of_how(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 200)
    room = typer.main.get_command(importlib.import_module(ROOMS[name].module).app)
    for words, command in commands(room):
        ended = tillway(name, *words, "--help")
        assert (ended.returncode, ended.stderr) == (0, ""), words
        assert "``" not in ended.stdout, words
        said = set(re.findall(r"\w+", ended.stdout))
        written = (command.help, *(one.help for one in options_of(command) if not one.hidden))
        for text in filter(None, written):
            assert set(re.findall(r"\w+", text)) <= said, words


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_no_command_offers_what_only_a_program_of_its_own_could_do(name: str) -> None:
    """A shell completes ``tillway``, which is no application of typer's."""
    command = typer.main.get_command(importlib.import_module(ROOMS[name].module).app)
    assert not {word for one in options(command) for word in one.opts if "completion" in word}


def test_one_variable_of_the_environment_says_where_the_backend_s_database_is() -> None:
    commands = (
        typer.main.get_command(importlib.import_module(room.module).app) for room in ROOMS.values()
    )
    said = {one.envvar for each in commands for one in options(each) if one.name == "database"}
    assert said == {"TILLWAY_BACKEND_DATABASE_URL", None}
