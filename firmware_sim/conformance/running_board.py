"""A simulated device of a board that runs already (``tillway sim run``): ``bench:PORT[/NAME]``.

Its line is opened as any port is; its people act by themselves, through the board's control API.
"""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from pydantic import JsonValue

from firmware_sim.board import Pictures
from firmware_sim.limits import CONTROL_ANSWER_BYTES_MAX, CONTROL_ANSWER_WAIT_S
from protocol.errors import CallerError, OperatingError, from_code, is_known

PREFIX = "bench:"
_HOST = "127.0.0.1"
_OK, _CALLERS = 200, range(400, 500)


@dataclass(frozen=True, slots=True)
class BoardPerson:
    """Acts on one device of the board whose control API listens at ``port``."""

    port: int
    name: str
    path: str

    @classmethod
    def beside(cls, device: str, kind: str) -> Self:
        """Whoever stands beside the device that ``device`` names; without a name, beside the only
        one of the kind. Raises ``CallerError("config_invalid")``, ``OperatingError``."""
        told, _, name = device.removeprefix(PREFIX).partition("/")
        if not (told.isascii() and told.isdecimal() and 0 < int(told) < 1 << 16):
            raise CallerError("config_invalid", f"device {device!r} is not {PREFIX}PORT[/NAME]")
        there: Mapping[str, Mapping[str, Any]] = json.loads(_ask(int(told), "GET", "/devices"))[
            "devices"
        ]
        alike = [one for one, shown in there.items() if shown["kind"] == kind]
        if not name and len(alike) == 1:
            name = alike[0]
        if name not in alike:
            known = ", ".join(alike) or "none"
            raise CallerError(
                "config_invalid",
                f"{device!r} has to name a {kind} of the board at port {told}; it has: {known}",
            )
        path, transport = there[name]["path"], there[name]["transport"]
        if transport.startswith("serial:"):
            raise _held(name, transport)
        if not path or path.startswith(("memory:", "ws")):
            raise OperatingError("port_unusable", f"{name} has no port to open ({path})")
        return cls(int(told), name, path)

    def do(self, act: str, /, **words: JsonValue) -> None:
        """As ``Person.do``."""
        self._ask("POST", f"acts/{quote(act)}", json.dumps(words).encode())

    def sees(self, act: str, /, **words: JsonValue) -> bool:
        """As ``Person.sees``."""
        try:
            self.do(act, **words)
        except CallerError:
            return False
        return True

    def pictures(self) -> Pictures:
        """The newest picture of the device."""
        titles = json.loads(self._ask("GET"))["pictures"]
        newest = sorted(titles, key=lambda title: (len(title), title))[-1:]
        return tuple(
            (f"{self.name} {title}", self._ask("GET", f"pictures/{quote(title)}.png"))
            for title in newest
        )

    def _ask(self, method: str, what: str = "", body: bytes | None = None) -> bytes:
        return _ask(self.port, method, f"/devices/{quote(self.name)}/{what}".rstrip("/"), body)


def _held(name: str, transport: str) -> OperatingError:
    """``path`` of a device at a real port is the simulator's own end of the cable."""
    return OperatingError(
        "port_taken",
        f"{name} speaks at {transport}, which the simulator itself holds: open the port at the "
        "cable's other end, with --device serial:/dev/… --attended, and do what it asks for on the "
        "bench",
        detail_zh=f"{name} 在 {transport} 上说话，这个端口由模拟器自己占着：请用线另一端的端口，"
        "--device serial:/dev/… --attended，它要人做的，在测试台上做",
    )


def _ask(port: int, method: str, path: str, body: bytes | None = None) -> bytes:
    """What the board answers; raises its refusal, or ``OperatingError("port_unusable")``."""
    line = http.client.HTTPConnection(_HOST, port, timeout=CONTROL_ANSWER_WAIT_S)
    try:
        line.request(method, path, body)
        answer = line.getresponse()
        status, content = answer.status, answer.read(CONTROL_ANSWER_BYTES_MAX)
    except (OSError, http.client.HTTPException) as error:
        why = f"no simulated board answers at port {port}: {error}"
        raise OperatingError("port_unusable", why) from error
    finally:
        line.close()
    if status == _OK:
        return content
    raise _refusal(status, content, f"port {port}, {method} {path}")


def _refusal(status: int, content: bytes, what: str) -> Exception:
    try:
        told = json.loads(content)["error"]
        code, detail = told["code"], told["detail"]
    except (ValueError, LookupError, TypeError):
        code, detail = "", f"{what} is answered with {status}: no simulated board is there"
    if status in _CALLERS and is_known(code):
        return from_code(code, detail)
    return OperatingError("port_unusable", detail)
