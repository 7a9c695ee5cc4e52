"""Whatever the audit log keeps of the operator's API is told in Chinese and in English."""

import inspect
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import product
from typing import Any, Literal, get_args, get_origin
from unittest.mock import Mock

import pytest
from starlette.routing import Route

from backend.app import KEPT_ELSEWHERE, public_application
from backend.clearing.routes import operator_router
from backend.console.acts_shown import actor_of, subject_of
from backend.console.path_words import ROOMS, STEPS
from tests.support.backend import initialised, make_backend

API, NAME = "/operator/v1/", "x7"
LOOKS = {"GET", "HEAD", "OPTIONS"}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Each that changes something and that no other line of the log stands for."""
    settings, _ = initialised(
        tmp_path_factory.mktemp("backend"), opening_links=True, clock_control=True
    )
    routes = [
        *public_application(make_backend(settings)).routes,
        *operator_router(Mock(), Mock()).routes,
    ]
    return {
        address
        for route in routes
        if isinstance(route, Route) and route.path.startswith(API)
        if not (route.methods or set()) <= LOOKS
        for address in asked_at(route)
        if not address.startswith(KEPT_ELSEWHERE)
    }


def asked_at(route: Route) -> Iterator[str]:
    """A route's addresses: a name for each id, and each word of a closed set."""
    hints = inspect.get_annotations(route.endpoint, eval_str=True)
    parts = [
        words_of(hints.get(part.strip("{}"))) if part.startswith("{") else [part]
        for part in route.path.split("/")
    ]
    return map("/".join, product(*parts))


def words_of(hint: Any) -> Sequence[str]:
    """What may stand in a part of an address: the words of its set, or a name."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return [each.value for each in hint]
    return get_args(hint) if get_origin(hint) is Literal else [NAME]


def test_every_audited_address_is_told_in_both_languages(addresses: set[str]) -> None:
    assert len(addresses) > 80
    for address in sorted(addresses):
        told = subject_of(address)
        assert set(told.name.split("/")) <= {NAME, ""}, f"{address}: {told.name} has no words"
        assert told.words.zh, address
        assert not f"{told.words.zh}{told.asked.zh}".isascii(), address
        assert f"{told.words.en}{told.asked.en}".isascii(), address


def test_no_word_of_an_address_is_of_one_that_is_not_there(addresses: set[str]) -> None:
    parts = {part for each in addresses for part in each.removeprefix(API).split("/")[1:]}
    assert set(STEPS) <= parts
    rooms = {each.removeprefix(API).split("/")[0] for each in addresses}
    assert rooms <= set(ROOMS)


def test_an_opening_link_is_told_as_who_acts() -> None:
    assert actor_of("opening link").words.zh == "一次性打开链接"
