"""``tillway risk screen``: names against the lists of those with whom nobody may deal."""

from pathlib import Path
from typing import Annotated

import typer

from protocol.errors import CallerError
from tillway.out_files import writing

Lists = Annotated[
    list[Path],
    typer.Option(
        "--list", exists=True, dir_okay=False, help="UN, OFAC, EU or UK XML; sdn.csv; a plain CSV."
    ),
]
Names = Annotated[
    Path, typer.Option(exists=True, dir_okay=False, help="id,name[,kind,born], CSV or Parquet.")
]
Out = Annotated[Path, typer.Option(help="The CSV to write, a line a hit.")]
Before = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="The list before: only what is new since."),
]
HitFrom = Annotated[float, typer.Option(min=0.5, max=1.0, help="The lowest score of a hit.")]


def screen(
    lists: Lists, names: Names, out: Out, before: Before = None, hit_from: HitFrom = 0.85
) -> None:
    """Write who may be on a list, with score and reasons. With ``--before`` the base is screened
    against what the list changes, and the entries that were dropped are told."""
    from backend.risk.aml.screening.base import index_of_change, screen_base
    from backend.risk.aml.screening.files import hits_table, read_list, read_people
    from backend.risk.aml.screening.index import NameIndex
    from backend.risk.tables_io import table_file

    if before is not None and len(lists) > 1:
        raise CallerError(
            "field_invalid", "--before goes with one --list", detail_zh="--before 只能配一个 --list"
        )
    given = [names, *lists, *([before] if before else [])]
    with writing(out), table_file(out, *given) as write:
        if before is None:
            index = NameIndex(read_list(path) for path in lists)
        else:
            index, change = index_of_change(read_list(before), read_list(lists[0]))
            for entry_id in change.dropped:
                typer.echo(f"dropped: {entry_id}")
        table = hits_table(screen_base(index, read_people(names), hit_from=hit_from))
        write(table)
    typer.echo(f"{len(table)} hits against {len(index)} entries written to {out}")
