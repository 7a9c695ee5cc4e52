"""``tillway flows``: how often, how well and how fast all backend processes answer."""

from typing import Annotated

import typer

from tillway.operator_place import Ca, TokenFile, Url, api_of

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_FLOWS = "/operator/v1/flows"
_HEAD = f"{'flow':<16} {'count':>8} {'refused':>8} {'failed':>8} {'p50':>8} {'p95':>8} {'p99':>8}"


@app.command(help="Requests, refusals, failures and durations of each flow, one a line.")
def flows(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    minutes: Annotated[int, typer.Option(min=1, max=1_440, help="The last minutes.")] = 60,
) -> None:
    """The flows of the last minutes; durations are upper bounds in milliseconds."""
    typer.echo(_HEAD)
    for one in api_of(url, ca, token_file).get(f"{_FLOWS}?minutes={minutes}")["flows"]:
        lasted = " ".join(f"{_ms(one[name]):>8}" for name in ("p50_ms", "p95_ms", "p99_ms"))
        counts = " ".join(f"{one[name]:>8}" for name in ("count", "refused", "failed"))
        typer.echo(f"{one['flow']:<16} {counts} {lasted}")


def _ms(value: int | None) -> str:
    return "-" if value is None else f"≤{value}"
