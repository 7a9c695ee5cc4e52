"""``tillway risk devices``: say of each observation whether it comes from the device it names."""

from pathlib import Path
from typing import Annotated

import typer

from tillway.out_files import writing

Observations = Annotated[
    Path, typer.Option(exists=True, dir_okay=False, help="A JSON object a line; see docs/risk.md.")
]
Out = Annotated[Path, typer.Option(help="The CSV to write: obs,trust,verdict,reasons.")]


def devices(observations: Observations, out: Out) -> None:
    """Judge each observation by the ones before it in the file."""
    from backend.risk.devices.observations import judge_file

    with writing(out):
        written = judge_file(observations, out)
    typer.echo(f"{written} observations judged, written to {out}")
