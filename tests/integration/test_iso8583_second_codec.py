"""Every message that we or the switch emit, decoded by npm's jspos, a codec nobody here wrote."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend.channels.iso8583.codec import Message, decode
from backend.channels.iso8583.sealing import seal
from tests.support.iso8583_messages import every_message

JSPOS = Path(sys.prefix) / "npm_readers" / "node_modules" / "jspos"
RUNNER = Path(__file__).parents[1] / "support" / "jspos_decode.js"
KEY = bytes(range(16))


def decoded(bodies: list[bytes]) -> list[tuple[dict[int, str], bytes]]:
    """What jspos makes of messages: their fields (0: the type), and how it would write them."""
    node = shutil.which("node")
    if node is None or not (JSPOS / "package.json").is_file():
        pytest.skip("node or npm's jspos is not installed: make test does so where it can")
    lines = "\n".join(body.hex() for body in bodies)
    run = subprocess.run(
        [node, str(RUNNER), str(JSPOS)],
        input=lines,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = [json.loads(line) for line in run.stdout.splitlines()]
    return [
        (
            {int(number): value for number, value in one["fields"].items()},
            bytes.fromhex(one["again"]),
        )
        for one in found
    ]


def test_every_message_is_read_alike_field_by_field_and_written_alike() -> None:
    messages = every_message()
    bodies = [seal(message, KEY) for message in messages.values()]
    answers = decoded(bodies)
    assert len(answers) == len(bodies) == 50
    for name, body, (fields, again) in zip(messages, bodies, answers, strict=True):
        ours = decode(body)
        theirs = Message(fields[0], {n: text for n, text in fields.items() if n})
        assert theirs == ours, name
        assert again == body, name


def test_the_second_codec_sees_a_changed_digit() -> None:
    body = bytearray(seal(every_message()["sale"], KEY))
    body[13] ^= 1
    ((fields, _),) = decoded([bytes(body)])
    assert fields[3] + fields[4] != "000000" + "000000012345"
