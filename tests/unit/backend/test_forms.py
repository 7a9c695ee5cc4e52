"""Forms of our own pages: what is read of them, and what is refused unread."""

from functools import partial

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from backend.forms import check_form, read_form
from protocol.errors import CallerError

FORM = "application/x-www-form-urlencoded"
read = partial(read_form, bytes_max=100, fields_max=3)


def answer_to(body: bytes, **headers: str) -> dict[str, str]:
    app = FastAPI()

    @app.post("/")
    async def post(request: Request) -> dict[str, str]:
        try:
            return await read(request)
        except CallerError as error:
            return {"refused": error.code}

    with TestClient(app) as http:
        found: dict[str, str] = http.post(
            "/", content=body, headers={"content-type": FORM, **headers}
        ).json()
    return found


def test_the_first_of_each_name_is_taken_and_several_lines_are_one() -> None:
    assert answer_to(b"a=1&a=2&b=%E5%BA%97%0D%0A%E5%90%8D") == {"a": "1", "b": "店 名"}


@pytest.mark.parametrize(
    "body",
    [
        b"a=" + b"1" * 100,
        b"a=1&b=2&c=3&d=4",
        b"a=%00",
        b"a=%1b",
        b"a=%ed%a0%80",
        b"a=%ff",
        "a=店".encode(),
    ],
    ids=["long", "many fields", "nul", "escape", "surrogate", "no UTF-8", "not encoded"],
)
def test_what_is_no_form_of_ours_is_refused(body: bytes) -> None:
    assert answer_to(body) == {"refused": "field_invalid"}


def test_a_form_of_another_site_is_refused_unread() -> None:
    assert answer_to(b"\xff", **{"sec-fetch-site": "cross-site"}) == {"refused": "not_authorized"}
    assert answer_to(b"a=1", **{"sec-fetch-site": "same-origin"}) == {"a": "1"}


@pytest.mark.parametrize("form", [{}, {"page": ""}, {"page": "othertoken"}, {"page": "店"}])
def test_only_a_page_of_this_session_has_its_token(form: dict[str, str]) -> None:
    check_form({"page": "thistoken"}, "thistoken")
    with pytest.raises(CallerError, match="not_authorized"):
        check_form(form, "thistoken")
