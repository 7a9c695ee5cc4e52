"""The worked example of the ``smp`` package's documentation: a whole upload message in fifteen
lines of 15 bytes.
"""

from protocol.framing import smp
from protocol.framing.smp import Group, LineParser, Op, Received

LINES = (
    "06094148344b41414230414147610a",
    "041441615a6a6247567544574e760a",
    "04145a6d59594b6d4e7a6147464d0a",
    "041464484a3163335167625755670a",
    "0414596e4a765a475268644746590a",
    "04145141414241674d45425159480a",
    "041443416b4b4377774e446738510a",
    "041445524954464255574678675a0a",
    "04144768736348523466494345690a",
    "04144979516c4a69636f4b536f720a",
    "04144c4330754c7a41784d6a4d300a",
    "04144e5459334f446b364f7a77390a",
    "0414506a396c615731685a3255410a",
    "04145a3356775a334a685a4758300a",
    "04147134673d0a",
)


def test_the_published_upload_is_read() -> None:
    [item] = LineParser().feed(b"".join(map(bytes.fromhex, LINES)))
    assert isinstance(item, Received)
    found = item.message
    assert (found.op, found.group, found.command) == (Op.WRITE, Group.IMAGE, 1)
    assert (found.version, found.sequence) == (1, 154)
    assert found.fields() == {
        "off": 42, "data": bytes(range(64)), "image": 0, "len": 13, "sha": b"trust me bro",
        "upgrade": False,
    }  # fmt: skip


def test_the_published_upload_is_written_with_the_same_bytes() -> None:
    [item] = LineParser().feed(b"".join(map(bytes.fromhex, LINES)))
    assert isinstance(item, Received)
    ours = smp.encode(item.message).replace(b"\n", b"")
    theirs = b"".join(bytes.fromhex(line)[2:-1] for line in LINES)
    assert ours.replace(smp.START, b"").replace(smp.CONTINUE, b"") == theirs
