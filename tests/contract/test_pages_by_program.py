"""What the wallet's and the console's pages do, a program can do: the table says how, for each."""

import importlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import typer.main
from fastapi import APIRouter
from starlette.routing import BaseRoute

from backend.app import public_application
from backend.clearing.routes import operator_router
from tests.support.backend import initialised, make_backend
from tillway.cli import ROOMS

TABLE = Path(__file__).parents[2] / "docs" / "runbook" / "by-program.md"
PAGES = re.compile(r"(GET|POST) /(console|wallet)(/(?!v1/).*)?")
ROUTE = re.compile(r"`((?:GET|POST|PUT|PATCH|DELETE) [^`]+)`")
COMMAND = re.compile(r"`tillway ([^`]+)`")


def told() -> Iterator[tuple[list[str], str]]:
    """The pages of each row, and what stands beside them."""
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("| `"):
            pages, beside = line.strip("| ").split(" | ")
            yield ROUTE.findall(pages), beside


def routes_of(routes: Iterable[BaseRoute]) -> Iterator[str]:
    for route in routes:
        for method in getattr(route, "methods", None) or ():
            if method != "HEAD":
                yield f"{method} {getattr(route, 'path', '')}"


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    settings, _ = initialised(
        tmp_path_factory.mktemp("backend"), opening_links=True, clock_control=True
    )
    clearing: APIRouter = operator_router(Mock(), Mock())
    application = public_application(make_backend(settings))
    return {*routes_of(application.routes), *routes_of(clearing.routes)}


def test_each_page_is_in_the_table_once_and_no_other(routes: set[str]) -> None:
    pages = [page for row, _ in told() for page in row]
    assert len(pages) == len(set(pages))
    assert set(pages) == {one for one in routes if PAGES.fullmatch(one) and "/static/" not in one}


def test_what_stands_beside_a_page_is_there(routes: set[str]) -> None:
    for pages, beside in told():
        named, commands = ROUTE.findall(beside), COMMAND.findall(beside)
        assert named or beside.startswith("page: "), pages
        assert set(named) <= routes, pages
        assert not any(PAGES.fullmatch(one) for one in named), pages
        for words in commands:
            assert is_command(words.split()), words


def is_command(words: list[str]) -> bool:
    if words[0] not in ROOMS:
        return False
    found: Any = typer.main.get_command(importlib.import_module(ROOMS[words[0]].module).app)
    for word in words[1:]:
        found = getattr(found, "commands", {}).get(word)
    return found is not None
