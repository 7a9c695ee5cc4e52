"""What Qibixx' MDB adapter owes its computer (docs.qibixx.com, MDB API).

On the bench hang a machine with a column 1 at 3.00 on the peripheral port, and a cashless reader
and a coin changer on the VMC port. Settings are volatile; every check ends with all modes off.
"""

from collections.abc import Callable

from firmware_sim.conformance.check import NOTHING, Check, CheckFailedError, Person, Wire, expect
from protocol.framing import qibixx

_REPLY_S, _BUS_S, _GIVEN_S, _SILENCE_S = 1.0, 15.0, 30.0, 0.2
_ALWAYS_IDLE = "C,SETCONF,mdb-always-idle=1"
_MODES_OFF = b"X,0\nC,0\nD,0\nM,0\n"


class _Talk:
    """Lines over a wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._parser = qibixx.LineParser()
        self._lines: list[str] = []
        self.reset()

    def reset(self) -> None:
        """All modes off, nothing left unread."""
        self._wire.send(_MODES_OFF)
        self._wire.drain(0.05)

    def say(self, line: str, end: bytes = qibixx.LINE_END) -> None:
        """Say a line."""
        self._wire.send(line.encode("ascii") + end)

    def next(self, timeout_s: float) -> str | None:
        """The next line, or None."""
        left_s = timeout_s
        while not self._lines and left_s > 0:
            data = self._wire.receive(1, min(left_s, _SILENCE_S))
            if not data:
                left_s -= _SILENCE_S
            for line in self._parser.feed(data):
                if isinstance(line, qibixx.Damaged):
                    raise CheckFailedError("a line", line.why)
                self._lines.append(line)
        return self._lines.pop(0) if self._lines else None

    def wait(self, wanted: str, timeout_s: float = _REPLY_S) -> str:
        """The line that begins so; lines before it are passed over."""
        passed = []
        for _ in range(200):
            line = self.next(timeout_s)
            if line is None:
                break
            if line.startswith(wanted):
                return line
            passed.append(line)
        raise CheckFailedError(f"{wanted}…", "; ".join(passed) or NOTHING)

    def ask(self, line: str, wanted: str, timeout_s: float = _REPLY_S) -> str:
        """Say a line and wait for one."""
        self.say(line)
        return self.wait(wanted, timeout_s)

    def enable(self) -> None:
        """Until the machine has enabled the adapter, selection first."""
        self.ask(_ALWAYS_IDLE, "c,SET,OK")
        self.say("C,1")
        self.wait("c,STATUS,ENABLED", _BUS_S)

    def start_master(self) -> None:
        """Until the reader on the VMC port is enabled."""
        self.say("D,2")
        self.wait("d,STATUS,INIT", _BUS_S)
        self.ask("D,READER,1", "d,STATUS,IDLE", _BUS_S)


def _checked(run: Callable[[_Talk, Person], None]) -> Callable[[Wire, Person], None]:
    def begin_and_end(wire: Wire, person: Person) -> None:
        talk = _Talk(wire)
        try:
            run(talk, person)
        finally:
            talk.reset()

    return begin_and_end


def _version(talk: _Talk, _: Person) -> None:
    talk.ask("V", "v,")


def _line_ends(talk: _Talk, _: Person) -> None:
    for end in (b"\n", b"\r", b"\r\n"):
        talk.say("V", end)
        talk.wait("v,")


def _after_junk(talk: _Talk, _: Person) -> None:
    talk.say("?" * 300)
    talk.say("Q,1")
    talk.ask("V", "v,")


def _settings(talk: _Talk, _: Person) -> None:
    talk.ask("C,SETCONF,mdb-currency-code=0x1156", "c,SET,OK")
    talk.ask(_ALWAYS_IDLE, "c,SET,OK")


def _off(talk: _Talk, _: Person) -> None:
    talk.ask("C,START,1", 'c,ERR,"cashless is off"')


def _on_once(talk: _Talk, _: Person) -> None:
    talk.ask("C,1", "c,STATUS,INACTIVE")
    talk.ask("C,1", 'c,ERR,"cashless is on"')


def _enabled(talk: _Talk, _: Person) -> None:
    talk.ask(_ALWAYS_IDLE, "c,SET,OK")
    talk.say("C,1")
    for state in ("INACTIVE", "DISABLED", "ENABLED"):
        talk.wait(f"c,STATUS,{state}", _BUS_S)


def _no_request(talk: _Talk, _: Person) -> None:
    talk.enable()
    talk.ask("C,VEND,1.00", 'c,ERR,"VEND -3"')


def _sniffer(talk: _Talk, _: Person) -> None:
    talk.ask("X,1", "x,ACK")
    line = talk.wait("x,", _BUS_S)
    fields = line.split(",")
    is_whole = len(fields) >= 4 and len(fields[2]) == 10 and fields[2].isdigit()
    expect(is_whole and fields[1] in ("00", "80"), "x,status,ten digits of time,…", line)


def _raw_master(talk: _Talk, _: Person) -> None:
    talk.ask("R,0B", "p,NACK")
    talk.ask("M,1", "m,ACK")
    talk.ask("R,08", "p,ACK")
    talk.ask("R,0B", "p,0B")
    line = talk.ask("R,09", "p,")
    expect(len(line) == 2 + 46, "23 bytes of a changer's set-up", line)


def _master_once(talk: _Talk, _: Person) -> None:
    talk.ask("D,2", "d,STATUS,RESET")
    talk.ask("D,2", 'd,ERR,"cashless master is on"')
    talk.ask("D,0", "d,STATUS,OFF")


def _master_cancels(talk: _Talk, _: Person) -> None:
    talk.start_master()
    talk.ask("D,REQ,1.00,5", "d,STATUS,VEND")
    talk.ask("D,REQ,-1", "d,STATUS,RESULT,-1", _BUS_S)
    talk.wait("d,STATUS,IDLE", _BUS_S)


def _denied(talk: _Talk, person: Person) -> None:
    talk.enable()
    person.do("select", item=1)
    line = talk.wait("c,STATUS,VEND,", _GIVEN_S)
    expect(line == "c,STATUS,VEND,3.00,1", "c,STATUS,VEND,3.00,1", line)
    talk.ask("C,STOP", "c,STATUS,IDLE", _BUS_S)
    talk.wait("c,STATUS,ENABLED", _BUS_S)


def _approved(talk: _Talk, person: Person) -> None:
    talk.enable()
    person.do("select", item=1)
    talk.wait("c,STATUS,VEND,", _GIVEN_S)
    talk.ask("C,VEND,3.00", "c,VEND,SUCCESS", _GIVEN_S)
    talk.wait("c,STATUS,IDLE", _BUS_S)
    talk.wait("c,STATUS,ENABLED", _BUS_S)


def _failed(talk: _Talk, person: Person) -> None:
    person.do("jam", item=1)
    try:
        talk.enable()
        person.do("select", item=1)
        talk.wait("c,STATUS,VEND,", _GIVEN_S)
        talk.ask("C,VEND,3.00", "c,ERR,VEND 3", _GIVEN_S)
        talk.wait("c,STATUS,ENABLED", _BUS_S)
    finally:
        person.do("free", item=1)


def _given_up(talk: _Talk, person: Person) -> None:
    talk.enable()
    person.do("select", item=1)
    talk.wait("c,STATUS,VEND,", _GIVEN_S)
    person.do("pull_lever")
    talk.wait("c,ERR,VEND 1", _BUS_S)
    talk.wait("c,STATUS,ENABLED", _BUS_S)


def _tapped(talk: _Talk, person: Person) -> None:
    talk.start_master()
    talk.ask("D,REQ,1.00,5", "d,STATUS,VEND")
    talk.next(_SILENCE_S)
    person.do("tap", funds_minor=100)
    line = talk.wait("d,STATUS,RESULT,", _GIVEN_S)
    expect(line == "d,STATUS,RESULT,1,1.00", "d,STATUS,RESULT,1,1.00", line)
    talk.ask("D,END", "d,STATUS,IDLE", _BUS_S)


def _of(
    name: str,
    title: str,
    clause: str,
    run: Callable[[_Talk, Person], None],
    *,
    needs_person: bool = False,
) -> Check:
    return Check(f"qibixx.{name}", title, clause, _checked(run), needs_person=needs_person)


CHECKS = (
    _of("version", "V says the version", "MDB API, V", _version),
    _of("line_ends", "LF, CR and both end a line", "MDB API", _line_ends),
    _of("after_junk", "what is no line does not stop it", "MDB API", _after_junk),
    _of("settings", "currency and always idle are set", "Cashless Slave, SETCONF", _settings),
    _of("slave_off", "a reader that is off sells nothing", "Cashless Slave, errors", _off),
    _of("slave_on_once", "a reader is on once", "Cashless Slave, errors", _on_once),
    _of("slave_enabled", "the machine enables the reader", "MDB 4.2 7.2", _enabled),
    _of("slave_no_request", "no approval without a request", "Cashless Slave, VEND", _no_request),
    _of("sniffer", "X tells of blocks with their time", "Sniff", _sniffer),
    _of("raw_master", "raw bytes reach a changer", "MDB 4.2 5.3", _raw_master),
    _of("master_once", "a master is on once", "Cashless Master, D", _master_once),
    _of("master_cancels", "D,REQ,-1 cancels", "Cashless Master, REQ", _master_cancels),
    _of("denied", "C,STOP denies", "Cashless Slave, STOP", _denied, needs_person=True),
    _of("approved", "C,VEND lets it fall", "Cashless Slave, VEND", _approved, needs_person=True),
    _of("failed", "a jam is VEND 3", "Cashless Slave, errors", _failed, needs_person=True),
    _of("given_up", "the lever is VEND 1", "Cashless Slave, errors", _given_up, needs_person=True),
    _of("tapped", "a card pays", "Cashless Master, RESULT", _tapped, needs_person=True),
)
