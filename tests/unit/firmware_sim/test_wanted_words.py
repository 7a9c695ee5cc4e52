"""What a check expects, and what came, is told in Chinese on a Chinese page."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import firmware_sim.conformance
from firmware_sim.conformance.check import NOTHING, CheckFailedError, expect
from firmware_sim.conformance.wanted import CAME, WANTED, in_chinese

ROOM = Path(firmware_sim.conformance.__file__).parent
ASKED = {"expect": 1, "CheckFailedError": 0}
"""Who is told what is expected, as which of the arguments; what came is the next."""
ITS_OWN = re.compile(
    "Accepted|Rejected|UnknownVendorId|UnknownConnector|RpcFrameworkError|unknownKey NoSuchKey"
    "|offline: true|SEL_RES 08|00|[cd],STATUS,.*|r = .*|rc = 8|StartTransaction|Charging|nothing"
)
"""A document's own words, or nothing but what is said as it is."""
PROSE = re.compile("[a-z]{3,}")


def said(place: int) -> Iterator[str]:
    """All that stands there in the checks' code, with ``{}`` for what is put in."""
    for path in sorted(ROOM.glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "id", "")
            if name in ASKED and len(call.args) > ASKED[name] + place:
                yield from texts(call.args[ASKED[name] + place])


def texts(said_by: ast.expr) -> Iterator[str]:
    if isinstance(said_by, ast.Constant) and isinstance(said_by.value, str):
        yield said_by.value
    elif isinstance(said_by, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in said_by.values
        )


@pytest.mark.parametrize(("place", "words"), [(0, WANTED), (1, CAME)])
def test_all_prose_of_the_checks_has_chinese(place: int, words: dict[str, str]) -> None:
    found = [text for text in said(place) if PROSE.search(text) and not ITS_OWN.fullmatch(text)]
    assert found
    for text in found:
        told = in_chinese(text.replace("{}", "07"), words)
        assert re.search("[\u4e00-\u9fff]", told), text
        assert told.count("07") == text.count("{}"), text


def test_a_failed_check_is_told_in_both_languages() -> None:
    for expected, came, en, zh in (
        ("silence", b"\x01", "silence; came 01", "没有应答；来了 01"),
        ("the code 02 for OPEN", NOTHING, "the code 02 for OPEN; came nothing",
         "OPEN 的确认码 02；什么也没来"),
        ("Accepted", "Rejected", "Accepted; came Rejected", "Accepted；来了 Rejected"),
        ("Accepted or Rejected", "another status", "Accepted or Rejected; came another status",
         "Accepted 或 Rejected；来了 另一个状态"),
    ):  # fmt: skip
        with pytest.raises(CheckFailedError) as caught:
            expect(False, expected, came)
        assert (str(caught.value), caught.value.why_zh) == (f"expected {en}", f"该是 {zh}")
