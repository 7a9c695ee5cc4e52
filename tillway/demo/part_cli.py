"""``tillway part``: how each part of a running stack stands, and a start for one that nobody starts
any more. The front page's buttons do the same.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from tillway.demo.addresses import front_in
from tillway.json_api import JsonApi

app = typer.Typer(
    help="See how the parts of a running stack stand, and start one anew.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Directory = Annotated[Path, typer.Option(help="Where the stack's state is.")]
DIRECTORY = Path("var/up")


@app.command("list")
def list_parts(directory: Directory = DIRECTORY) -> None:
    """Each part: whether it runs, how often it has ended, and why the last time."""
    for part in _front(directory).get("/api/parts")["parts"]:
        _show(part)


@app.command()
def start(
    name: Annotated[str, typer.Argument(help="The part, as 'tillway part list' names it.")],
    directory: Directory = DIRECTORY,
) -> None:
    """Start a part that has ended, at once; exits 2 where it runs or there is none of the name."""
    _front(directory).post(f"/api/parts/{name}/start")
    typer.echo(f"starting {name}")


def _front(directory: Path) -> JsonApi:
    url, token = front_in(directory)
    return JsonApi(url, token=token)


def _show(part: dict[str, Any]) -> None:
    why = f"  ended {part['ends']} times, last: {part['why']}" if part["ends"] else ""
    typer.echo(f"{part['phase']:9}{part['name']}{why}")
    if part["phase"] != "running":
        for line in part["log"]:
            typer.echo(f"         {line}")
