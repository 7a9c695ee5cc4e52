"""Logs hold no secret, whatever somebody logs."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import CallerError
from transport import logs
from transport.logs import MASK, redact, traced

PAN, CODE = "6222021234567890128", "134711234908172635"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    found = io.StringIO()
    logs.configure(found)
    yield found
    structlog.reset_defaults()
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)


def logged(stream: io.StringIO) -> dict[str, object]:
    line: dict[str, object] = json.loads(stream.getvalue().splitlines()[-1])
    return line


def test_a_real_event_is_one_json_line_with_its_trace(stream: io.StringIO) -> None:
    with traced(trace_id="trace-1"):
        structlog.get_logger().info("payment_captured", payment_id="pay_1", amount_minor=1280)
    line = logged(stream)
    assert line["event"] == "payment_captured"
    assert (line["trace_id"], line["amount_minor"], line["level"]) == ("trace-1", 1280, "info")


@pytest.mark.parametrize(
    "key",
    ["pay_code", "pan", "PAN", "token", "operator_token", "password", "passphrase", "pin",
     "authorization", "enrolment_code", "private_key", "api_secret"],
)  # fmt: skip
def test_what_a_key_calls_secret_is_masked_at_any_depth(stream: io.StringIO, key: str) -> None:
    structlog.get_logger().info("scanned", **{key: "abc"}, inner={"list": [{key: "abc"}]})
    assert "abc" not in stream.getvalue()
    assert logged(stream)[key] == MASK


def test_long_digits_are_masked_wherever_they_stand(stream: io.StringIO) -> None:
    structlog.get_logger().info("read", text=f"card {PAN} code {CODE}", number=int(CODE), raw=b"1")
    assert PAN not in stream.getvalue()
    assert CODE not in stream.getvalue()
    assert logged(stream)["text"] == f"card {MASK}0128 code {MASK}2635"


def test_a_secret_in_an_exception_is_masked(stream: io.StringIO) -> None:
    try:
        raise CallerError("pay_code_invalid", CODE)
    except CallerError:
        structlog.get_logger().exception("refused")
    assert CODE not in stream.getvalue()
    assert "pay_code_invalid" in stream.getvalue()


def test_what_a_library_logs_is_masked_too(stream: io.StringIO) -> None:
    try:
        raise ValueError(f"card {PAN}")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("read %s", CODE)
    assert PAN not in stream.getvalue()
    assert CODE not in stream.getvalue()
    line = logged(stream)
    assert (line["event"], line["level"]) == (f"read {MASK}2635", "error")
    assert "ValueError" in str(line["exception"])


def test_a_trace_is_told_whole_though_many_of_its_digits_are_decimal(stream: io.StringIO) -> None:
    trace_id = "0123456789012345678901234567890a"
    structlog.get_logger().info("batch_answered", trace_id=trace_id, number=f"{PAN}{CODE[:13]}")
    assert logged(stream)["trace_id"] == trace_id
    assert PAN not in stream.getvalue()


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)


@given(st.dictionaries(st.text(max_size=9), _values, max_size=4))
def test_any_event_is_masked_without_failing(event: dict[str, object]) -> None:
    redacted = redact(None, "info", {**event, "pan": PAN, "deep": {"x": [f"a{PAN}b"]}})
    assert PAN not in json.dumps(redacted, default=str)
