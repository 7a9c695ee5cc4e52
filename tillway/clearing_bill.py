"""``tillway clearing bill``: a merchant's bills of a closed day, written to a file whose bytes have
the hash that the backend told."""

import hashlib
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from protocol.errors import OperatingError
from tillway.json_api import JsonApi
from tillway.limits import CLEARING_RUN_S_MAX
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.out_files import part_of, writing

app = typer.Typer(help="A merchant's bills of a closed day.", no_args_is_help=True)
Day = Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The business day.")]
Merchant = Annotated[str, typer.Option(help="Whose bill.")]
Out = Annotated[Path, typer.Option(help="The file to write.")]


class Lines(StrEnum):
    """Which lines a trade bill has."""

    ALL = "ALL"
    SUCCESS = "SUCCESS"
    REFUND = "REFUND"


@app.command()
def trade(
    merchant: Merchant,
    day: Day,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    out: Out,
    lines: Annotated[Lines, typer.Option("--type", help="Which lines.")] = Lines.ALL,
) -> None:
    """The trade bill (交易账单), in WeChat Pay's layout."""
    api = api_of(url, ca, token_file, timeout_s=CLEARING_RUN_S_MAX)
    _save(api, f"/operator/v1/bills/{merchant}/{day.date()}/trade?bill_type={lines.value}", out)


@app.command("fund-flow")
def fund_flow(
    merchant: Merchant, day: Day, url: Url, ca: Ca, token_file: TokenFile, out: Out
) -> None:
    """The fund-flow bill (资金账单) of the basic account, in WeChat Pay's layout."""
    api = api_of(url, ca, token_file, timeout_s=CLEARING_RUN_S_MAX)
    _save(api, f"/operator/v1/bills/{merchant}/{day.date()}/fund-flow", out)


@app.command()
def settlement(
    merchant: Merchant, day: Day, url: Url, ca: Ca, token_file: TokenFile, out: Out
) -> None:
    """The settlement statement: sold, settled, paid out, come back, and what waits until when."""
    api = api_of(url, ca, token_file, timeout_s=CLEARING_RUN_S_MAX)
    _save(api, f"/operator/v1/bills/{merchant}/{day.date()}/settlement", out)


def _save(api: JsonApi, path: str, out: Path) -> None:
    """Write what comes as it comes; the file has its name once its hash is right."""
    part = part_of(out)
    digest = hashlib.sha256()
    with writing(out), part.open("wb") as sink:

        def take(chunk: bytes) -> None:
            digest.update(chunk)
            sink.write(chunk)

        told = api.download(path, take)
    if told.get("bill-sha256") != digest.hexdigest():
        part.unlink()
        raise OperatingError("file_rejected", f"{out.name}: other bytes than were told")
    part.replace(out)
    typer.echo(f"{out}  sha256 {digest.hexdigest()}")
