"""A vending machine's controller, reached as its cashless reader through Qibixx' MDB adapter
(``protocol/framing/qibixx.py`` has the lines).

Rule 1: an approval is sent once; it is sent again only if the adapter said that it did not take it.
Rule 2: a line has no checksum. *Given* is one word that no single fault makes of another; *not
given* counts only if the reader's next state agrees; anything else leaves it open.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

import structlog

from protocol.errors import CallerError, OperatingError
from protocol.framing import qibixx
from terminal.adapters.limits import (
    MDB_ATTEMPTS_MAX,
    MDB_GIVE_LIMIT_S,
    MDB_GIVEN_S,
    MDB_HEARTBEAT_S,
    MDB_JOB_LIMIT_S,
    MDB_LISTEN_S,
    MDB_QUIET_S,
    MDB_REPLY_S,
    MDB_STATE_S,
)
from terminal.adapters.serial_worker import Dialogue, Port, SerialWorker, open_serial
from terminal.ports import Selection

log = structlog.get_logger()
_DECIMALS = 2
_NUMBERS = {"CNY": "156", "EUR": "978", "USD": "840", "GBP": "826", "HKD": "344"}
_REQUEST = re.compile(r"c,STATUS,VEND,([0-9]+\.[0-9]{2}),([0-9]{1,5})")
_GIVEN = "c,VEND,SUCCESS"
_NOT_GIVEN = ("c,ERR,VEND 1", "c,ERR,VEND 3")
_ENDED = (_GIVEN, *_NOT_GIVEN, "c,ERR,VEND 5")
_NOT_TAKEN = ("ERR", "c,UNKNOWN", 'c,ERR,"VEND -2"')
_BACK = ("c,STATUS,IDLE", "c,STATUS,ENABLED")
_STATE = re.compile(r"c,STATUS,(INACTIVE|DISABLED|ENABLED|IDLE)(,.*)?")


class MdbCashless:
    """``SelectionSource`` and ``Dispenser`` of one machine. ``columns`` says which item of ours
    lies in which column of its."""

    def __init__(
        self,
        path: str,
        columns: Mapping[int, str],
        *,
        currency: str = "CNY",
        open_port: Callable[[], Port] | None = None,
    ) -> None:
        if currency not in _NUMBERS:
            raise CallerError("currency_unsupported", currency)
        self._machine = Machine(columns, _NUMBERS[currency])
        opener = open_port or partial(open_serial, path, 115_200)
        self._worker = SerialWorker("mdb", opener, self._machine.greet)

    async def next_selection(self) -> Selection | None:
        """As ``SelectionSource.next_selection``."""
        return await self._worker.run(self._machine.listen, limit_s=MDB_JOB_LIMIT_S)

    async def refuse(self, selection: Selection) -> None:
        """As ``SelectionSource.refuse``."""
        await self._worker.run(partial(self._machine.refuse, selection), limit_s=MDB_JOB_LIMIT_S)

    async def dispense(self, item: str) -> None:
        """As ``Dispenser.dispense``."""
        await self._worker.run(partial(self._machine.give, item), limit_s=MDB_GIVE_LIMIT_S)

    async def check(self) -> dict[str, str]:
        """The adapter's version, and what state its reader has got to."""
        return await self._worker.run(self._machine.check, limit_s=MDB_JOB_LIMIT_S)

    async def aclose(self) -> None:
        """Let go of the port."""
        await self._worker.aclose()


class Machine:
    """What is known of the machine. Only the port's thread touches it."""

    def __init__(self, columns: Mapping[int, str], currency_number: str) -> None:
        self._columns = dict(columns)
        self._currency_number = currency_number
        self._parser = qibixx.LineParser()
        self._lines: deque[str] = deque()
        self._waiting: Selection | None = None
        self._is_fresh = False
        self._state = "off"
        self._heard_at = 0.0

    def greet(self, dialogue: Dialogue) -> None:
        """Make the adapter our reader, afresh: what was requested of an earlier one is void."""
        self._waiting, self._is_fresh, self._state = None, False, "off"
        self._lines.clear()
        self._parser.clear()
        dialogue.send(b"\n")  # ends what a broken connection may have left half said
        self._send(dialogue, "X,0")
        self._send(dialogue, "C,0")
        dialogue.pause(MDB_QUIET_S)
        dialogue.discard_input()
        code = f"C,SETCONF,mdb-currency-code=0x1{self._currency_number}"
        self._exchange(dialogue, code, "c,SET,OK")
        self._exchange(dialogue, "C,SETCONF,mdb-always-idle=1", "c,SET,OK")
        self._exchange(dialogue, "C,1", "c,STATUS,INACTIVE", 'c,ERR,"cashless is on"')

    def listen(self, dialogue: Dialogue) -> Selection | None:
        """Listen for a while; each selection is handed out once.

        One that is not ours to sell is refused at once.
        """
        if time.monotonic() - self._heard_at > MDB_HEARTBEAT_S:
            self._look_alive(dialogue)
        until = time.monotonic() + MDB_LISTEN_S
        while not self._is_fresh and (line := self._hear(dialogue, until)) is not None:
            self._note(line)
            if _REQUEST.fullmatch(line) and self._waiting is None:
                log.warning("mdb_selection_unknown", line=line)
                self._send(dialogue, "C,STOP")
        if not self._is_fresh:
            return None
        self._is_fresh = False
        return self._waiting

    def refuse(self, selection: Selection, dialogue: Dialogue) -> None:
        """Tell the machine that nobody pays, if it still waits for an answer."""
        self._catch_up(dialogue)
        if self._waiting == selection:
            self._waiting = None
            self._send(dialogue, "C,STOP")

    def give(self, item: str, dialogue: Dialogue) -> None:
        """Approve what was selected, and wait until the machine says what came of it. Another
        selection that waits meanwhile is handed out next."""
        self._catch_up(dialogue)
        selection = self._waiting
        if selection is None or selection.item != item:
            raise OperatingError("item_not_given", "mdb: the machine asks for it no longer")
        self._waiting, self._is_fresh = None, False
        amount = qibixx.format_amount(selection.amount_minor, _DECIMALS)
        until = time.monotonic() + MDB_GIVEN_S
        for _ in range(MDB_ATTEMPTS_MAX):
            self._send(dialogue, f"C,VEND,{amount}")
            verdict = self._verdict(dialogue, until)
            if verdict == _GIVEN:
                return
            if not verdict.startswith(_NOT_TAKEN):
                self._must_be_back(dialogue, verdict)
                raise OperatingError("item_not_given", f"mdb: {verdict}")
        self._send(dialogue, "C,STOP")
        raise OperatingError("item_not_given", "mdb: the adapter takes no approval")

    def check(self, dialogue: Dialogue) -> dict[str, str]:
        """Ask for the version, wait for the machine to enable the reader, and leave the bus."""
        version = self._exchange(dialogue, "V", "v,")
        until = time.monotonic() + MDB_STATE_S
        while self._state != "ENABLED" and (line := self._hear(dialogue, until)) is not None:
            self._note(line)
        self._send(dialogue, "C,0")
        return {"version": version.removeprefix("v,"), "state": self._state}

    def _verdict(self, dialogue: Dialogue, until: float) -> str:
        """The line that ends a vend, or says that the approval was not taken."""
        while (line := self._hear(dialogue, until)) is not None:
            self._note(line)
            if line in _ENDED or line.startswith(_NOT_TAKEN):
                return line
            if line == 'c,ERR,"VEND -3"':
                raise OperatingError("item_not_given", "mdb: nothing was asked for")
            if _STATE.fullmatch(line):
                break  # the vend is over and its end was not heard
        raise OperatingError("device_no_reply", "mdb: the machine does not say what came of it")

    def _must_be_back(self, dialogue: Dialogue, verdict: str) -> None:
        until = time.monotonic() + MDB_REPLY_S
        line: str | None = verdict
        while line == verdict:  # said twice, it says no more
            line = self._hear(dialogue, until)
        if line is not None:
            self._note(line)
        if verdict not in _NOT_GIVEN or line is None or not line.startswith(_BACK):
            raise OperatingError("device_bad_frame", f"mdb: {verdict}, then {line}")

    def _look_alive(self, dialogue: Dialogue) -> None:
        """Set the adapter up again if it was off in between: it has forgotten our settings."""
        answer = self._exchange(dialogue, "C,1", "c,STATUS,INACTIVE", 'c,ERR,"cashless is on"')
        if answer == "c,STATUS,INACTIVE":
            log.warning("mdb_adapter_restarted")
            self.greet(dialogue)

    def _exchange(self, dialogue: Dialogue, line: str, *wanted: str) -> str:
        """Send a line, again and again, until one of the wanted answers comes."""
        heard = False
        for _ in range(MDB_ATTEMPTS_MAX):
            self._send(dialogue, line)
            until = time.monotonic() + MDB_REPLY_S
            while (answer := self._hear(dialogue, until)) is not None:
                heard = True
                self._note(answer)
                if answer.startswith(wanted):
                    return answer
        raise OperatingError("device_bad_frame" if heard else "device_no_reply", f"mdb: {line}")

    def _catch_up(self, dialogue: Dialogue) -> None:
        """Read the lines that came while nobody listened."""
        while (line := self._hear(dialogue, time.monotonic() + MDB_QUIET_S)) is not None:
            self._note(line)

    def _note(self, line: str) -> None:
        if (state := _STATE.fullmatch(line)) is not None:
            self._state, self._waiting, self._is_fresh = state[1], None, False
        elif line in _ENDED:
            self._waiting, self._is_fresh = None, False
        elif (request := _REQUEST.fullmatch(line)) is not None:
            self._state = "VEND"
            item = self._columns.get(int(request[2]))
            amount_minor = qibixx.parse_amount(request[1], _DECIMALS)
            self._waiting = None if item is None else Selection(item, amount_minor)
            self._is_fresh = self._waiting is not None

    def _hear(self, dialogue: Dialogue, until: float) -> str | None:
        """The next line; a damaged one is passed over."""
        while not self._lines:
            data = dialogue.receive(until)
            if not data:
                return None
            found = self._parser.feed(data)
            self._lines += [line for line in found if isinstance(line, str)]
            self._heard_at = time.monotonic()
        return self._lines.popleft()

    @staticmethod
    def _send(dialogue: Dialogue, line: str) -> None:
        dialogue.send(qibixx.encode(line))
