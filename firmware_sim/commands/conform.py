"""``tillway sim conform``: a device against its maker's documents."""

from typing import Annotated

import typer

from firmware_sim.commands.output import Html, Junit, Lang, finish, show

_WHO_ACTS = (
    "What was skipped needs a person: --attended asks you; a simulated device of a running board "
    "acts by itself with --device bench:PORT[/NAME]"
)


def conform(
    kind: Annotated[str, typer.Argument(help="The kind of device: gm65, escpos, …")],
    device: Annotated[
        str,
        typer.Option(
            help="pty or memory (simulated); bench:PORT[/NAME], one of a running board"
            " (`tillway sim run`); serial:/dev/…, tcp:HOST:PORT, rfc2217:…, ws:PORT (real)"
        ),
    ] = "pty",
    baud: Annotated[int | None, typer.Option(help="The line's rate, if not the usual.")] = None,
    attended: Annotated[
        bool, typer.Option(help="Ask the person here to act on a real device.")
    ] = False,
    only: Annotated[str, typer.Option(help="Run the checks whose names have this in them.")] = "",
    junit: Junit = None,
    html: Html = None,
    lang: Lang = "en",
) -> None:
    """Test a simulated or a real device; exits 0 only if all checks held.

    Exits 1 where a check failed, 2 where the device cannot be reached or there is no such kind.
    """
    from firmware_sim.conformance.registry import checks_of
    from firmware_sim.conformance.running import bench_of, run_checks
    from firmware_sim.reports.report import Report, Verdict
    from protocol.errors import CallerError

    checks = tuple(check for check in checks_of(kind) if only in check.id)
    if not checks:
        raise CallerError("field_invalid", f"no check of {kind} has {only!r} in its name")
    ask = _ask_person if attended else None
    with bench_of(kind, device, baud=baud, ask=ask) as bench:
        typer.echo(f"{bench.what.en}: {len(checks)} checks")
        cases = []
        for case in run_checks(bench, checks):
            cases.append(case)
            show(case)
    if not attended and any(case.verdict is Verdict.SKIPPED for case in cases):
        typer.echo(_WHO_ACTS)
    report = Report(
        f"conformance {kind}", tuple(cases), {"device": device, "what": bench.what.en},
        title_zh=f"一致性测试 {kind}", facts_zh={"what": bench.what.zh},
    )  # fmt: skip
    finish(report, junit, html, lang)


def _ask_person(words: str) -> bool:
    """What is done is said at once: a device does not wait long for its host."""
    return typer.confirm(f"Please: {words}. Done?", default=True, err=True)
