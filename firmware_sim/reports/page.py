"""One HTML page that needs nothing else: styles and pictures are within it."""

import base64
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from firmware_sim.limits import REPORT_FRAME_BYTES_MAX
from firmware_sim.reports.report import Report


def to_page(report: Report) -> bytes:
    """The page's bytes, UTF-8."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["base64"] = lambda png: base64.b64encode(png).decode()
    source = files("firmware_sim.reports").joinpath("page.html.jinja").read_text(encoding="utf-8")
    return (
        environment.from_string(source)
        .render(report=report, shown_bytes=REPORT_FRAME_BYTES_MAX)
        .encode()
    )
