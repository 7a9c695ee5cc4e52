"""What runs, where, and how it is: each program asked by its own ``/readyz`` and ``/metrics``."""

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from protocol.errors import TillwayError
from tillway.front.limits import PROBES_AT_ONCE_MAX
from tillway.revival import Revival, why_of

_SAMPLE = re.compile(r"^([a-z_]+)(\{[^}]*\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Link:
    """A page of a part. ``words`` names the entry of the catalogue."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Note:
    """What its pages ask people for, and where that is: a file, or a command. ``words`` names the
    entry of the catalogue."""

    words: str
    text: str


class Asked(Protocol):
    """What a program is asked by."""

    @property
    def url(self) -> str:
        """Where it listens."""
        ...

    def call(self, method: str, path: str) -> bytes:
        """The content that stands there; raises ``TillwayError`` for every other answer."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """One part: its kind, its name, where it is asked, the pages it has."""

    kind: str
    name: str
    asked: tuple[Asked, ...]
    links: tuple[Link, ...] = ()
    notes: tuple[Note, ...] = ()
    log: str = ""
    """The file that says what became of it, where it is silent."""
    programs: tuple[str, ...] = ()
    """By whose names it is started anew."""


@dataclass(frozen=True, slots=True)
class Part:
    """How a part is. ``figures`` are entries of the catalogue with their number."""

    kind: str
    name: str
    address: str
    links: tuple[Link, ...]
    state: str
    figures: tuple[tuple[str, int], ...]
    notes: tuple[Note, ...] = ()
    log: str = ""
    programs: tuple[str, ...] = ()


class Keeper(Protocol):
    """Starts programs anew that end."""

    def told(self) -> Mapping[str, Revival]:
        """How each stands, by its name."""
        ...

    def start(self, name: str) -> None:
        """Start one now that nobody tries to start any more; raises ``CallerError``."""
        ...


def parts_told(keeper: Keeper) -> list[dict[str, object]]:
    """How each program stands, for a program."""
    return [
        {
            "name": name,
            "phase": part.phase,
            "ends": part.ends,
            "tries": part.tries,
            "why": why_of(part.last) if part.last else "",
            "log": list(part.last.tail) if part.last else [],
        }
        for name, part in keeper.told().items()
    ]


def look_at(places: list[Place]) -> list[Part]:
    """All of them, asked at once."""
    with ThreadPoolExecutor(PROBES_AT_ONCE_MAX) as pool:
        return list(pool.map(_looked, places))


def _looked(place: Place) -> Part:
    state, figures = "ready", dict[str, int]()
    for asked in place.asked:
        try:
            figures |= _FIGURES[place.kind](asked)
        except TillwayError as error:
            is_silent = error.code == "server_unreachable"
            state = "silent" if is_silent else "not_ready"
    if place.kind == "institution" and state == "ready":
        figures = {"fig_institutions": len(place.asked)}
    address = place.asked[0].url.partition("//")[2]
    told = tuple(figures.items())
    log = place.log if state == "silent" else ""
    return Part(place.kind, place.name, address, place.links, state, told, place.notes, log,
                place.programs)  # fmt: skip


def _of_till(asked: Asked) -> dict[str, int]:
    asked.call("GET", "/readyz")
    told = asked.call("GET", "/metrics").decode()
    return {
        "fig_settled": total(told, "tillway_terminal_sales_settled_total"),
        "fig_open": total(told, "tillway_terminal_sales_open"),
    }


def _of_board(asked: Asked) -> dict[str, int]:
    asked.call("GET", "/readyz")
    return {"fig_devices": len(_object(asked.call("GET", "/healthz"))["devices"])}


def _of_hub(asked: Asked) -> dict[str, int]:
    told = _object(asked.call("GET", "/readyz"))
    return {"fig_connected": int(told["connected"]), "fig_spool_rows": int(told["spool_rows"])}


def _of_backend(asked: Asked) -> dict[str, int]:
    asked.call("GET", "/readyz")
    told = asked.call("GET", "/metrics").decode()
    return {"fig_requests": total(told, "tillway_device_requests_total")}


def _of_institution(asked: Asked) -> dict[str, int]:
    asked.call("GET", "/healthz")
    return {}


_FIGURES = {
    "till": _of_till,
    "exit": _of_till,
    "vending": _of_till,
    "board": _of_board,
    "hub": _of_hub,
    "backend": _of_backend,
    "institution": _of_institution,
}


def total(exposition: str, name: str) -> int:
    """The sum of a metric's samples, whatever their labels."""
    return sum(
        round(float(value)) for found, _, value in _SAMPLE.findall(exposition) if found == name
    )


def _object(content: bytes) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(content)
    return found
