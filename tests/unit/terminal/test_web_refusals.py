"""What a till's port refuses by a status alone has a code and words, as every other refusal."""

from pathlib import Path

import pytest

from tests.support.tills import running_till
from transport.refused import UNDECLARED


@pytest.mark.asyncio
async def test_what_the_port_itself_refuses_has_a_code_and_words_too(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        mine = {"authorization": f"Bearer {till.token}"}
        plain = {"data": b'{"amount_minor": 5}', "headers": mine}
        for method, path, said, told in (
            ("GET", "api/screen", {}, ("not_authorized", "")),
            ("GET", "api/nothing", {"headers": mine}, ("route_unknown", "/api/nothing")),
            ("PUT", "api/sales", {"headers": mine}, ("route_unknown", "/api/sales")),
            ("GET", "", {"headers": {"host": "evil.example"}}, ("host_unknown", "")),
            ("POST", "api/sales", plain, ("field_invalid", UNDECLARED)),
        ):
            async with till.client.request(method, f"{till.base}/{path}", **said) as answer:
                error = (await answer.json())["error"]
            assert (error["code"], error["detail"]) == told
            assert error["zh"]
            assert error["en"]
