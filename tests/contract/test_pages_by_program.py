"""What the faces' pages do, a program can do: the table says how, for each page of every face."""

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
from firmware_sim.board import Board
from firmware_sim.board_file import load_board
from firmware_sim.control import build_control
from firmware_sim.hosting import in_memory
from firmware_sim.workplace import Workplace
from terminal.web.app import build_app as till_application
from tests.support.backend import initialised, make_backend
from tests.support.front_shop import Program, fake_shop
from tillway.cli import ROOMS
from tillway.front.app import build_app as front_application

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "runbook" / "by-program.md"
PAGES = {
    "The console": ("backend", r"(GET|POST) /console(/.*)?"),
    "The wallet": ("backend", r"(GET|POST) /wallet(/(?!v1/).*)?"),
    "The till": ("till", r"GET /(?!api/|healthz|readyz|metrics).*"),
    "The bench": ("bench", r"GET /bench(/.*)?"),
    "The front page": ("front", r"(GET|POST) /(?!api/).*"),
}
"""Of each section of the table: whose routes are its pages, and which of them."""
SCRIPTS = {
    "The till": ROOT / "terminal" / "web" / "static",
    "The bench": ROOT / "firmware_sim" / "bench" / "static",
}
"""Where the scripts of the faces stand that act by an interface for programs."""
ROUTE = re.compile(r"`((?:GET|POST|PUT|PATCH|DELETE) [^`]+)`")
COMMAND = re.compile(r"`tillway ([^`]+)`")
ASKED = re.compile(r"""\b(?:post|command)\(\s*(["`])(/.*?)\1""")


def told() -> Iterator[tuple[str, list[str], str]]:
    """The section and the pages of each row, and what stands beside them."""
    section = ""
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        if line.startswith("| `"):
            pages, beside = line.strip("| ").split(" | ")
            yield section, ROUTE.findall(pages), beside


def routes_of(routes: Iterable[BaseRoute]) -> Iterator[str]:
    for route in routes:
        for method in getattr(route, "methods", None) or ():
            if method != "HEAD":
                yield f"{method} {getattr(route, 'path', '')}"


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    settings, _ = initialised(
        tmp_path_factory.mktemp("backend"), opening_links=True, clock_control=True
    )
    clearing: APIRouter = operator_router(Mock(), Mock())
    application = public_application(make_backend(settings))
    state_dir = tmp_path_factory.mktemp("board")
    board = Board(in_memory(load_board("pos")), state_dir=state_dir, now_ms=lambda: 0)
    made = {
        "backend": [*application.routes, *clearing.routes],
        "till": till_application(Mock(), Mock(), Mock()).routes,
        "bench": build_control(Workplace.at(board, state_dir)).routes,
        "front": front_application(fake_shop(Program())).routes,
    }
    return {name: {*routes_of(found)} for name, found in made.items()}


def pages_of(section: str, routes: dict[str, set[str]]) -> set[str]:
    where, pages = PAGES[section]
    found = {one for one in routes[where] if re.fullmatch(pages, one)}
    return {one for one in found if "/static/" not in one}


def test_each_page_is_in_the_table_once_and_no_other(routes: dict[str, set[str]]) -> None:
    assert {section for section, _, _ in told()} == {*PAGES}
    for section in PAGES:
        pages = [page for where, row, _ in told() if where == section for page in row]
        assert len(pages) == len(set(pages)), section
        assert set(pages) == pages_of(section, routes), section


def test_what_stands_beside_a_page_is_there(routes: dict[str, set[str]]) -> None:
    there = set().union(*routes.values())
    for section, pages, beside in told():
        named, commands = ROUTE.findall(beside), COMMAND.findall(beside)
        assert named or beside.startswith("page: "), pages
        assert set(named) <= there, pages
        assert not set(named) & pages_of(section, routes), pages
        for words in commands:
            assert is_command(words.split()), words


@pytest.mark.parametrize("section", SCRIPTS)
def test_what_a_page_s_script_does_a_program_does_by_the_same_request(
    section: str, routes: dict[str, set[str]]
) -> None:
    paths = {one.partition(" ")[2] for one in routes[PAGES[section][0]] - pages_of(section, routes)}
    asked = {
        re.sub(r"\$\{.*?\}", ".+", path)
        for script in SCRIPTS[section].glob("*.js")
        for _, path in ASKED.findall(script.read_text("utf-8"))
    }
    assert len(asked) > 5
    for one in asked:
        assert any(re.fullmatch(one, path) for path in paths), one


def is_command(words: list[str]) -> bool:
    if words[0] not in ROOMS:
        return False
    found: Any = typer.main.get_command(importlib.import_module(ROOMS[words[0]].module).app)
    for word in words[1:]:
        found = getattr(found, "commands", {}).get(word)
    return found is not None
