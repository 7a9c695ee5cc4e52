"""``tillway sim trace``, ``record`` and ``replay``: what was said on a line."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from firmware_sim.commands.output import Html, Junit, Lang, finish, show, write

trace_app = typer.Typer(help="Read traces.", no_args_is_help=True)
TraceFileArgument = Annotated[Path, typer.Argument(help="A trace (JSON lines).")]
Device = Annotated[
    str | None, typer.Option("--device", help="Which of its devices; the only one if not said.")
]


@trace_app.command("show")
def show_frames(file: TraceFileArgument, device: Device = None) -> None:
    """Print a trace frame by frame."""
    from firmware_sim.recording.file import load_trace

    trace = load_trace(file).only(device)
    kinds = ", ".join(f"{name} ({kind})" for name, kind in trace.head.devices.items())
    typer.echo(f"board {trace.head.board}, seed {trace.head.seed}: {kinds}")
    for event in trace.events:
        typer.echo(event.describe())


@trace_app.command()
def pcap(
    file: TraceFileArgument,
    out: Annotated[Path, typer.Argument(help="The capture file to write.")],
    device: Device = None,
) -> None:
    """Write a trace as a capture file for wire tools (link type 250, RTAC serial)."""
    from firmware_sim.recording.file import load_trace
    from firmware_sim.recording.pcap import to_pcap

    write(out, b"".join(to_pcap(load_trace(file).only(device))))


def record(
    kind: Annotated[str, typer.Argument(help="The kind of the real device: gm65, escpos, …")],
    device: Annotated[str, typer.Option(help="serial:/dev/…, tcp:HOST:PORT, rfc2217:HOST:PORT")],
    out: Annotated[Path, typer.Option(help="The trace to write.")],
    baud: Annotated[int | None, typer.Option(help="The line's rate, if not the usual.")] = None,
    transport: Annotated[str, typer.Option(help="What your driver opens: pty, tcp:PORT …")] = "pty",
) -> None:
    """Stand between your driver and a real device, and record what both say, until Ctrl-C.

    The first line printed names the port that your driver opens in the device's place.
    """
    from firmware_sim.recording.between import record_between

    asyncio.run(record_between(kind, device, out, baud=baud, transport=transport, say=typer.echo))


def replay(
    file: TraceFileArgument,
    device: Device = None,
    driver: Annotated[
        str, typer.Option(help="A command to run against the replayed device; {port} is its port.")
    ] = "",
    to: Annotated[
        str, typer.Option(help="Play the host's side instead, to: pty, serial:/dev/…, tcp:…")
    ] = "",
    limit: Annotated[float, typer.Option(min=1, max=3600, help="Seconds to wait.")] = 60.0,
    junit: Junit = None,
    html: Html = None,
    lang: Lang = "en",
) -> None:
    """Play a trace's device to a driver, or its host to a device; exits 0 only if all was alike.

    Time and retries may differ, meaning may not: the first difference is printed both ways.
    """
    from firmware_sim.driver_program import words_of
    from firmware_sim.recording.file import load_trace
    from firmware_sim.recording.replay_run import play_device, play_to
    from firmware_sim.reports.report import Report

    trace = load_trace(file)
    if to:
        case = play_to(trace, device, to)
    else:
        case = play_device(
            trace, device, words_of(driver), limit, say=lambda en, _zh: typer.echo(en)
        )
    show(case)
    facts = {"trace": file.name, "board": trace.head.board, "seed": str(trace.head.seed)}
    report = Report(f"replay {file.stem}", (case,), facts, title_zh=f"回放 {file.stem}")
    finish(report, junit, html, lang)
