"""Makes the bench's pages and their pieces: one look at the board, however many look on."""

import gzip
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from faces.assets import Assets
from faces.locale import language_of, remember
from faces.pages import Pages
from faces.words import Language
from firmware_sim.bench import view
from firmware_sim.bench.words import WORDS
from firmware_sim.limits import BENCH_LOOK_EVERY_MS, BENCH_WORDS_BYTES_MAX
from firmware_sim.wire_pictures import Entry, rows_of
from firmware_sim.words.deeds import deed_words
from firmware_sim.words.faults import FAULTS, SHORT_FAULTS
from firmware_sim.words.kinds import act_words
from firmware_sim.words.states import field_words, value_words
from firmware_sim.words.telling import deed_rows
from firmware_sim.workplace import Workplace

ROOT = "/bench"
_PACK_LEVEL = 6


class Face:
    """Makes the bench's pages and their pieces."""

    def __init__(self, place: Workplace) -> None:
        self.place, self.board, self.wire = place, place.board, place.wire
        self.assets = Assets("bench", "firmware_sim.bench", root=ROOT)
        self._parts: dict[str, tuple[int, view.Part]] = {}
        self._drawn: dict[tuple[str, Language], tuple[view.Part, Markup]] = {}
        self.board.watch(lambda *_: self._parts.clear())  # what people did is seen at once
        self._pages = Pages("firmware_sim.bench", self.assets, WORDS)

    def page(self, template: str, request: Request, **context: Any) -> Response:  # noqa: ANN401
        """A whole page, in few bytes. It carries no token that its length could give away."""
        html = self.piece(template, language_of(request), **context).encode()
        response = HTMLResponse(html, headers={"vary": "accept-encoding"})
        if "gzip" in request.headers.get("accept-encoding", ""):
            packed = {"content-encoding": "gzip", "vary": "accept-encoding"}
            response = HTMLResponse(gzip.compress(html, _PACK_LEVEL, mtime=0), headers=packed)
        remember(request, response)
        return response

    def piece(self, template: str, language: Language, **context: Any) -> Markup:  # noqa: ANN401
        """A template with what every one of them knows."""
        return self._pages.render(
            f"bench/{template}.html", language, face="bench", mood="plain", token="", root=ROOT,
            board=self.board, short_faults=SHORT_FAULTS, fault_words=FAULTS,
            shown_max=BENCH_WORDS_BYTES_MAX, field_words=field_words, value_words=value_words,
            deed_words=deed_words, deed_rows=deed_rows, **context,
        )  # fmt: skip

    def part(self, name: str, language: Language) -> Markup:
        """The drawing of a device as it is now; drawn once for all who look on."""
        part = self._seen(name)
        drawn = self._drawn.get((name, language))
        if drawn is None or drawn[0] != part:
            words = {act.name: act_words(act.summary) for act in self.board.kinds[name].acts}
            drawn = part, self.piece("part", language, part=part, part_words=words)
            self._drawn[name, language] = drawn
        return drawn[1]

    def _seen(self, name: str) -> view.Part:
        """A device as it was a moment ago, or as it is: however many look on, it is looked at a
        few times a second."""
        now_ms = self.board.now_ms()
        at_ms, part = self._parts.get(name, (0, None))
        if part is None or now_ms - at_ms >= BENCH_LOOK_EVERY_MS:
            part = view.part_of(self.board, name)
            self._parts[name] = now_ms, part
        return part

    def status(self, name: str, language: Language) -> Markup:
        """What changes by itself beside the drawing."""
        part = self._seen(name)
        return self.piece(
            "status", language, part=part, rows=list(view.state_rows(part)),
            faults=view.fault_rows(self.board, name), counts=self.board.link(name).counts,
        )  # fmt: skip

    def device(self, name: str, language: Language) -> Markup:
        """All of what can be done with a device."""
        return self.piece(
            "device", language, name=name, title=view.title_of(self.board, name),
            acts=view.acts_of(self.board, name), status=self.status(name, language),
        )  # fmt: skip

    def rows(self, entries: list[Entry], language: Language) -> Markup:
        """Lines of the timeline."""
        return self.piece("rows", language, rows=rows_of(entries))
