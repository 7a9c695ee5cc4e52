"""One HTML page that needs nothing else: styles and pictures are within it."""

import base64
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from faces.words import Bilingual, Language, said
from firmware_sim.limits import REPORT_FRAME_BYTES_MAX
from firmware_sim.reports.report import Report
from firmware_sim.reports.words import FACTS, SIDES, VERDICTS, WORDS
from firmware_sim.words.deeds import deed_words


def to_page(report: Report, language: Language) -> bytes:
    """The page's bytes, UTF-8."""

    def say(words: Bilingual) -> str:
        return said(words, language)

    def w(name: str) -> str:
        return said(WORDS[name], language)

    def either(english: str, chinese: str) -> str:
        """What has no Chinese of its own is the same in both languages."""
        return (language == "zh" and chinese) or english

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["base64"] = lambda png: base64.b64encode(png).decode()
    source = files("firmware_sim.reports").joinpath("page.html.jinja").read_text(encoding="utf-8")
    return (
        environment.from_string(source)
        .render(
            report=report, lang=language, say=say, w=w, either=either, deed_words=deed_words,
            verdicts=VERDICTS, sides=SIDES, facts=FACTS, shown_bytes=REPORT_FRAME_BYTES_MAX,
        )
        .encode()
    )  # fmt: skip
