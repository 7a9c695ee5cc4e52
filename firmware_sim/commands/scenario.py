"""``tillway sim scenario``: run scenario files."""

from pathlib import Path
from typing import Annotated

import typer

from firmware_sim.commands.output import Html, Junit, Lang, finish, show


def scenario(
    files: Annotated[list[Path], typer.Argument(help="Scenario files (YAML).")],
    seed: Annotated[
        int | None, typer.Option(min=0, help="Run with this seed, not the files' own.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Write the trace of the last file here (JSON lines).")
    ] = None,
    junit: Junit = None,
    html: Html = None,
    lang: Lang = "en",
) -> None:
    """Run scenarios; exits 0 only if all held. A failure prints line, seed and the last frames."""
    from firmware_sim.recording.file import TraceFile
    from firmware_sim.recording.recorder import Keep, Recorder
    from firmware_sim.reports.report import Report
    from firmware_sim.scenario.form import load_scenario
    from firmware_sim.scenario.running import run_scenario
    from firmware_sim.wrongs import Wrongs

    loaded, wrongs = [], Wrongs()
    for path in files:
        with wrongs.gathered():
            loaded.append(load_scenario(path))
    wrongs.end()
    cases = []
    for path, one in zip(files, loaded, strict=True):
        trace = TraceFile(record) if record is not None else None

        def keep(recorder: Recorder, trace: TraceFile | None = trace) -> Keep:
            if trace is None:
                return lambda _event: None
            trace.write(recorder.head)
            return trace.write

        result = run_scenario(one, seed=seed, keep=keep, with_pictures=html is not None)
        if trace is not None:
            trace.close()
        case = result.case(path.stem, path.name)
        cases.append(case)
        show(case)
    facts, facts_zh = {"seed": str(seed)}, dict[str, str]()
    if seed is None:
        facts, facts_zh = {"seed": "of each file"}, {"seed": "各文件自己的"}
    report = Report("scenarios", tuple(cases), facts, title_zh="场景", facts_zh=facts_zh)
    finish(report, junit, html, lang)
