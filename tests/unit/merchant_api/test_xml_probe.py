"""Whatever stands in a proven call's fields: an answer in XML, and never a server's error."""

from typing import Any

import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.support.merchant_caller import Caller
from tests.support.xml_caller import XmlCaller

LETTERS = st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn"), exclude_characters="\r")
VALUES = st.one_of(
    st.text(LETTERS, min_size=1, max_size=40),
    st.from_regex(r"[0-9]{1,20}", fullmatch=True),
    st.sampled_from(["order-0001", "NATIVE", "JSAPI", "MICROPAY", "Y", "CNY", "MCHT", "{}", "[",
                     "20261124", "20261124120000", "https://shop.example/n", "131234567890123456",
                     "HMAC-SHA256", "1", "0", "ALL", "Basic", "GZIP"]),
)  # fmt: skip


def calls(caller: Caller) -> dict[str, list[str]]:
    """The fields of every call, as the document names them."""
    found = {}
    for route in caller.parts.v2_router.routes:
        assert isinstance(route, APIRoute)
        if route.openapi_extra:
            content = route.openapi_extra["requestBody"]["content"]["text/xml"]
            found[route.path] = sorted(content["schema"]["properties"])
    return found


def test_no_fields_of_any_call_are_a_servers_error(stranger: Caller) -> None:
    xml, known = XmlCaller(stranger), calls(stranger)
    assert len(known) >= 30
    codes: set[str] = set()

    @given(data=st.data())
    @settings(max_examples=120, database=None, suppress_health_check=list(HealthCheck))
    def probe(data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(known)))
        names = [name for name in known[path] if name != "sign_type"]
        fields: dict[str, Any] = data.draw(
            st.fixed_dictionaries({}, optional=dict.fromkeys(names, VALUES))
        )
        if data.draw(st.booleans()):
            fields = {name: text for name, text in fields.items() if "appid" not in name}
        stranger.shop.clock.at_ms += 100
        answer = xml.ask(path, **{name: text for name, text in fields.items() if "]]>" not in text})
        codes.add(answer.get("err_code", ""))

    with capture_logs() as logs:
        probe()
    assert not [log for log in logs if log["event"] == "merchant_call_bug"]
    assert {"LACK_PARAMS", "PARAM_ERROR", "NOAUTH"} <= codes


@pytest.mark.parametrize("spaced", [" ", " wx0", "wx0\u3000"])
def test_what_a_reader_would_strip_is_not_said_again_under_a_signature(
    stranger: Caller, spaced: str
) -> None:
    xml, path = XmlCaller(stranger), "/mmpaymkttransfers/gethbinfo"
    refused = xml.ask(path, appid=spaced)
    assert (refused["result_code"], refused["err_code"]) == ("FAIL", "LACK_PARAMS")
    assert "appid" not in refused
    assert xml.ask(path, appid="wx0")["appid"] == "wx0"
