"""What the commands print and leave behind: cases as they end, reports as files."""

from pathlib import Path
from typing import Annotated

import typer

from faces.words import Language
from firmware_sim.reports.report import Case, Report, Verdict
from firmware_sim.reports.words import WORDS
from protocol.errors import OperatingError

Junit = Annotated[Path | None, typer.Option(help="Write JUnit XML here.")]
Html = Annotated[Path | None, typer.Option(help="Write an HTML report with pictures here.")]
Lang = Annotated[Language, typer.Option(help="The HTML report's language: zh or en.")]


def show(case: Case) -> None:
    """Print a case as it ended."""
    typer.echo(f"  {case.verdict:8}{case.name:30} {case.title}")
    if case.verdict is not Verdict.PASSED or case.reason:
        for line in (case.reason, case.where, *case.lines):
            if line:
                typer.echo(f"          {line}")


def finish(
    report: Report, junit: Path | None, html: Path | None, lang: Language, *, bad_code: int = 1
) -> None:
    """Print the sum, write the reports, and end: 0 if all held, else ``bad_code``."""
    typer.echo(WORDS["sum"].en.format(*report.counts))
    if junit is not None:
        from firmware_sim.reports.junit import to_junit

        write(junit, to_junit(report))
    if html is not None:
        from firmware_sim.reports.page import to_page

        write(html, to_page(report, lang))
    raise typer.Exit(0 if report.has_held else bad_code)


def write(path: Path, content: bytes) -> None:
    """Leave a file behind; raises ``OperatingError("file_unwritable")``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise OperatingError("file_unwritable", f"{path}: {error.strerror}") from error
    typer.echo(f"wrote {path}", err=True)
