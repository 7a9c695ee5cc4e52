"""The console script: every command it lists leads to a module that has an application."""

import importlib

import pytest
import typer

from tillway.cli import ROOMS, usage


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_every_command_that_is_listed_exists(name: str) -> None:
    app = importlib.import_module(ROOMS[name].module).app
    assert isinstance(app, typer.Typer)
    assert f"  {name} " in usage()
