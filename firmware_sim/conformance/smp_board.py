"""Checks of a board that speaks SMP on its serial line (Zephyr "SMP over console" and "SMP protocol
specification"; MCUboot serial recovery speaks the same).

Nothing is written to the board's flash. The last check resets it and finds it as it was.
"""

from collections.abc import Callable, Mapping

from firmware_sim.conformance.check import Check, Person, Wire, expect
from protocol.framing import smp
from protocol.framing.smp import Error, Group, ImageError, Message, Op

REPLY_S = 1.0
QUIET_S = 0.3
BACK_S = 15.0
LONG_TEXT = "Tillway " * 30
UNKNOWN_GROUP, UNKNOWN_COMMAND = 0xFFF0, 0xFE
HASH_BYTES = 32
NO_SUCH_HASH = b"\x5a" * HASH_BYTES
Fields = Mapping[int | str, object]


def _echo(text: str, *, sequence: int = 1) -> Message:
    return smp.message(Op.WRITE, Group.OS, 0, {"d": text}, sequence=sequence)


def _hear(wire: Wire, within_s: float = REPLY_S) -> Message | None:
    """The next message; console text and damage are passed over."""
    parser, until = smp.LineParser(), wire.now_s() + within_s
    while (left := until - wire.now_s()) > 0:
        byte = wire.receive(1, left)
        if not byte:
            return None
        for item in parser.feed(byte):
            if isinstance(item, smp.Received):
                return item.message
    return None


def _ask(wire: Wire, sent: Message, noise: bytes = b"") -> tuple[Message, Fields]:
    wire.drain(0.02)
    wire.send(noise + smp.encode(sent))
    return _answer(wire, sent)


def _answer(wire: Wire, sent: Message) -> tuple[Message, Fields]:
    came = _hear(wire)
    if came is None:
        expect(False, "an answer", "nothing")
        raise AssertionError("expect raises")
    told = (came.op, came.group, came.command, came.sequence)
    wanted = (sent.op + 1, sent.group, sent.command, sent.sequence)
    expect(told == wanted, f"op, group, command and sequence {wanted}", str(told))
    fields = came.fields()
    expect(fields is not None, "a CBOR map", came.body)
    return came, fields or {}


def _expect_echo(wire: Wire, text: str, noise: bytes = b"") -> None:
    fields = _ask(wire, _echo(text), noise)[1]
    expect(fields.get("r") == text, f"r = {text!r}", str(dict(fields)))


def _expect_refusal(fields: Fields, group: Group, codes: tuple[int, ...]) -> None:
    """A refusal in either of its forms; a group's code only in the second protocol."""
    error = fields.get("err")
    if isinstance(error, Mapping):
        is_so = error.get("group") == group and error.get("rc") in codes
    else:
        is_so = fields.get("rc") not in (None, 0)
    expect(is_so, f"a refusal with one of {list(map(int, codes))}", str(dict(fields)))


def _states(wire: Wire) -> list[object]:
    fields = _ask(wire, smp.message(Op.READ, Group.IMAGE, 0, {}))[1]
    images = fields.get("images")
    expect(isinstance(images, list), "a list of images", str(dict(fields)))
    return images if isinstance(images, list) else []


def _echoes(wire: Wire, _: Person) -> None:
    _expect_echo(wire, "tillway")


def _gives_the_sequence_back(wire: Wire, _: Person) -> None:
    for sequence in (0, 7, 255):
        _ask(wire, _echo("x", sequence=sequence))


def _joins_lines(wire: Wire, _: Person) -> None:
    _expect_echo(wire, LONG_TEXT[:200])


def _cuts_lines(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    wire.send(smp.encode(_echo(LONG_TEXT[:200])))
    raw = wire.drain(QUIET_S)
    longest = max(map(len, raw.splitlines(keepends=True)), default=0)
    expect(0 < longest <= 128, "lines of at most 128 bytes", longest)


def _ignores_a_wrong_checksum(wire: Wire, _: Person) -> None:
    line = bytearray(smp.encode(_echo("tillway")))
    line[12] ^= 0x01  # one letter of base64 stands for another
    wire.drain(0.02)
    wire.send(bytes(line))
    came = _hear(wire, QUIET_S)
    expect(came is None, "silence", smp.pack(came) if came else b"")


def _survives_a_lost_line(wire: Wire, _: Person) -> None:
    first = smp.encode(_echo(LONG_TEXT[:200])).splitlines(keepends=True)[0]
    _expect_echo(wire, "after", noise=first)


def _passes_over_console_text(wire: Wire, _: Person) -> None:
    _expect_echo(wire, "after", noise=b"\r\n")


def _takes_a_line_in_pieces(wire: Wire, _: Person) -> None:
    sent = _echo("pieces")
    wire.drain(0.02)
    for value in smp.encode(sent):
        wire.send(bytes([value]))
        wire.pause(0.005)
    fields = _answer(wire, sent)[1]
    expect(fields.get("r") == "pieces", "r = 'pieces'", str(dict(fields)))


def _refuses_an_unknown_group(wire: Wire, _: Person) -> None:
    fields = _ask(wire, smp.message(Op.READ, UNKNOWN_GROUP, 0, {}))[1]
    expect(fields.get("rc") == Error.NOT_SUPPORTED, "rc = 8", str(dict(fields)))


def _refuses_an_unknown_command(wire: Wire, _: Person) -> None:
    fields = _ask(wire, smp.message(Op.READ, Group.OS, UNKNOWN_COMMAND, {}))[1]
    expect(fields.get("rc") == Error.NOT_SUPPORTED, "rc = 8", str(dict(fields)))


def _speaks_the_first_protocol(wire: Wire, _: Person) -> None:
    asked = _echo("old")
    old = Message(asked.op, asked.group, asked.command, asked.body, sequence=3, version=0)
    came, fields = _ask(wire, old)
    expect(came.version == 0, "an answer in protocol 0", came.version)
    expect(fields.get("r") == "old", "r = 'old'", str(dict(fields)))


def _lists_its_images(wire: Wire, _: Person) -> None:
    images = _states(wire)
    entry = images[0] if images and isinstance(images[0], Mapping) else {}
    digest, version = entry.get("hash"), entry.get("version")
    expect(isinstance(digest, bytes) and len(digest) == HASH_BYTES, "a hash", str(entry))
    expect(isinstance(version, str) and version.count(".") >= 2, "a version", str(entry))


def _refuses_an_unknown_hash(wire: Wire, _: Person) -> None:
    before = _states(wire)
    asked = smp.message(Op.WRITE, Group.IMAGE, 0, {"hash": NO_SUCH_HASH, "confirm": False})
    fields = _ask(wire, asked)[1]
    _expect_refusal(fields, Group.IMAGE, (ImageError.HASH_NOT_FOUND, ImageError.INVALID_HASH))
    after = _states(wire)
    expect(after == before, "the same images as before", str(after))


def _refuses_what_is_no_image(wire: Wire, _: Person) -> None:
    before = _states(wire)
    junk = {"off": 0, "len": 64, "data": bytes(64), "image": 0}
    fields = _ask(wire, smp.message(Op.WRITE, Group.IMAGE, 1, junk))[1]
    busy = (ImageError.NO_FREE_SLOT, ImageError.ALREADY_PENDING)
    _expect_refusal(fields, Group.IMAGE, (ImageError.INVALID_MAGIC, *busy))
    after = _states(wire)
    expect(after == before, "the same images as before", str(after))


def _says_its_buffers(wire: Wire, _: Person) -> None:
    fields = _ask(wire, smp.message(Op.READ, Group.OS, 6, {}))[1]
    size, count = fields.get("buf_size"), fields.get("buf_count")
    expect(isinstance(size, int) and size >= 128, "buf_size of 128 or more", str(size))
    expect(isinstance(count, int) and count >= 1, "buf_count of 1 or more", str(count))


def _comes_back_from_a_reset(wire: Wire, _: Person) -> None:
    before = _states(wire)
    waiting = any(isinstance(one, Mapping) and one.get("pending") for one in before)
    expect(not waiting, "no update that a reset would start", str(before))
    _ask(wire, smp.message(Op.WRITE, Group.OS, 5, {}))
    until = wire.now_s() + BACK_S
    wire.pause(QUIET_S)
    came: Message | None = None
    while came is None and wire.now_s() < until:
        wire.drain(0.02)
        wire.send(smp.encode(_echo("back")))
        came = _hear(wire, 1.0)
    expect(came is not None, f"an answer within {BACK_S} s of the reset", "nothing")
    after = _states(wire)
    expect(after == before, "the same images as before", str(after))


def _check(name: str, title: str, clause: str, run: Callable[[Wire, Person], None]) -> Check:
    return Check(f"smp_board.{name}", title, f"Zephyr {clause}", run)


_CONSOLE, _SMP, _OS, _IMAGE = (
    "SMP over console", "SMP protocol specification", "SMP, OS management group",
    "SMP, image management group",
)  # fmt: skip
CHECKS = (
    _check("echo", "echoes a text", _OS, _echoes),
    _check("sequence", "gives the sequence number back", _SMP, _gives_the_sequence_back),
    _check("join", "joins a message of several lines", _CONSOLE, _joins_lines),
    _check("cut", "cuts its answer into lines", _CONSOLE, _cuts_lines),
    _check("crc", "does not answer a wrong checksum", _CONSOLE, _ignores_a_wrong_checksum),
    _check("lost_line", "begins anew after a lost line", _CONSOLE, _survives_a_lost_line),
    _check("console", "passes over an empty console line", _CONSOLE, _passes_over_console_text),
    _check("pieces", "takes a line byte by byte", _CONSOLE, _takes_a_line_in_pieces),
    _check("group", "refuses an unknown group", _SMP, _refuses_an_unknown_group),
    _check("command", "refuses an unknown command", _SMP, _refuses_an_unknown_command),
    _check("version", "answers the first protocol in kind", _SMP, _speaks_the_first_protocol),
    _check("buffers", "says how much it takes at once", _OS, _says_its_buffers),
    _check("images", "lists its images", _IMAGE, _lists_its_images),
    _check("hash", "refuses a hash it does not hold", _IMAGE, _refuses_an_unknown_hash),
    _check("magic", "refuses an upload that is no image", _IMAGE, _refuses_what_is_no_image),
    _check("reset", "comes back from a reset as it was", _OS, _comes_back_from_a_reset),
)
