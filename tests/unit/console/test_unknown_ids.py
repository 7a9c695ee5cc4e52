"""What the console's addresses name and is not there is a page that says so: HTTP 404."""

import re

import pytest

from tests.support.console_world import ConsoleWorld, page_token
from tests.support.shop import MERCHANT

NOBODY_S = ("nope", "pay_01M8MNXFXJRPF3DQRNPBP71WJB", "x" * 70)
IN_FORMS = {"certificates", "retire"}
"""Their forms are told first what they lack."""


@pytest.mark.parametrize("name", ["li.na", "ops"])
def test_an_address_with_an_unknown_id_is_a_page_that_is_not_found(
    world: ConsoleWorld, name: str
) -> None:
    world.add("li.na")
    world.add("ops", role="operator", merchant_id="")
    http = world.signed_in(name)
    form = {"page": page_token(http.get("/console/account").text)}
    asked = [
        (method, path.replace("{merchant_id}", merchant_id))
        for method, path in world.addresses()
        if "/static/" not in path and path.split("/")[-1] not in IN_FORMS
        for merchant_id in (MERCHANT, "{merchant_id}")
    ]
    asked = sorted({one for one in asked if "{" in one[1]})
    assert len(asked) > 20
    for method, path in asked:
        for one in NOBODY_S:
            there = re.sub(r"\{[^}]*\}", one, path)
            data = form if method == "POST" else None
            answer = http.request(method, there, data=data, follow_redirects=False)
            assert answer.status_code == 404, f"{method} {there}"
            assert '<main id="main"' in answer.text, f"{method} {there}"
