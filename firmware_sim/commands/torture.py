"""``tillway sim torture``: a driver on bad lines."""

from typing import Annotated

import typer

from firmware_sim.commands.output import Html, Junit, Lang, finish, show
from firmware_sim.limits import DRIVER_LIMIT_S


def torture(
    driver: Annotated[
        str,
        typer.Argument(
            help="Our driver by its kind (gm65, escpos, ef01 …), or a command with {port} in it, "
            "such as 'python my_driver.py {port}'."
        ),
    ],
    kind: Annotated[str | None, typer.Option(help="What your command drives: gm65, …")] = None,
    do: Annotated[
        list[str] | None,
        typer.Option(help="What a person does to the device first: 'present text=ABC keep=true'."),
    ] = None,
    limit: Annotated[
        float, typer.Option(min=1, max=600, help="Seconds after which a driver hangs.")
    ] = DRIVER_LIMIT_S,
    ignore: Annotated[
        str, typer.Option(help="A regular expression: what of the output differs by run.")
    ] = "",
    only: Annotated[str, typer.Option(help="The rows whose names have this in them.")] = "",
    junit: Junit = None,
    html: Html = None,
    lang: Lang = "en",
) -> None:
    """Run a driver under every fault of the table and say what it does; exits 0 if it bears all.

    A driver ends with 0 where it had success, and prints what it found; with another code where
    it says an error. It fails a row where it hangs, crashes, takes damaged data for good, or
    believes a silent device. Exits 2 where the driver does not even work on a sound line.
    """
    from firmware_sim.reports.report import Report, Verdict
    from firmware_sim.torture.running import driver_of
    from firmware_sim.torture.running import torture as run
    from firmware_sim.torture.table import TABLE
    from protocol.errors import CallerError

    one = driver_of(driver, kind, do or [], limit_s=limit, ignore=ignore)
    rows = [row for row in TABLE if only in row.name]
    if not rows:
        raise CallerError("field_invalid", f"no row of the table has {only!r} in its name")
    typer.echo(f"{' '.join(one.words)}: {len(rows)} faults of a simulated {one.kind}")
    cases = []
    for case in run(one, rows):
        cases.append(case)
        show(case)
    facts = {"driver": " ".join(one.words)}
    title, title_zh = f"torture {one.kind}", f"驱动抗故障测试 {one.kind}"
    report = Report(title, tuple(cases), facts, title_zh=title_zh)
    finish(report, junit, html, lang, bad_code=2 if cases[0].verdict is Verdict.ERROR else 1)
