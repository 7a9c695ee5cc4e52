"""``tillway firmware``: bring firmware, want it of one device, follow the device."""

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.table import Table

from faces.tables import draw
from protocol.errors import CallerError
from protocol.limits import FIRMWARE_BYTES_MAX
from tillway.fleet.options import By
from tillway.operator_place import Ca, TokenFile, Url, api_of

app = typer.Typer(
    help="Firmware: bring it, want it of a device, follow the device.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_FIRMWARE = "/operator/v1/firmware"
_Tid = Annotated[str, typer.Argument(help="The device's name.")]


@app.command()
def bring(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Image or archive.")],
    url: Url, ca: Ca, token_file: TokenFile, by: By,
    name: Annotated[str, typer.Option(help="What it is called. [the file's name]")] = "",
    version: Annotated[str, typer.Option(help="Of an archive; an image says its own.")] = "",
) -> None:  # fmt: skip
    """Bring a signed MCUboot image, or an archive for swupdate; prints its digest."""
    if file.stat().st_size > FIRMWARE_BYTES_MAX:
        raise CallerError("firmware_file_invalid", f"{file}: more than {FIRMWARE_BYTES_MAX} bytes")
    asked = urlencode({"name": name or file.stem, "by": by, "version": version})
    content = api_of(url, ca, token_file).call(
        "POST", f"{_FIRMWARE}?{asked}", file.read_bytes(), "application/octet-stream"
    )
    made: dict[str, Any] = json.loads(content)
    typer.echo(f"{made['digest']} {made['kind']} {made['version']}, {made['size']} bytes")


@app.command("list")
def list_firmware(url: Url, ca: Ca, token_file: TokenFile) -> None:
    """What was brought."""
    table = Table("digest", "name", "kind", "version", "bytes", "by")
    for one in api_of(url, ca, token_file).get(_FIRMWARE)["artifacts"]:
        row = (one["digest"], one["name"], one["kind"], one["version"])
        table.add_row(*row, str(one["size"]), one["brought_by"])
    draw(table)


@app.command()
def want(
    tid: _Tid, url: Url, ca: Ca, token_file: TokenFile, by: By,
    digest: Annotated[str, typer.Argument(help="Of what was brought; empty: nothing more.")] = "",
) -> None:  # fmt: skip
    """Want firmware of one device; for many see ``tillway rollout firmware``."""
    path = f"/operator/v1/devices/{quote(tid, safe='')}/firmware"
    wish = json.dumps({"digest": digest, "by": by}).encode()
    found = json.loads(api_of(url, ca, token_file).call("PUT", path, wish))
    typer.echo(f"{tid}: {found['state']}, wish {found['wanted_version']}")


@app.command()
def show(tid: _Tid, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """How far a device has come, and its steps."""
    found = api_of(url, ca, token_file).get(f"/operator/v1/devices/{quote(tid, safe='')}/firmware")
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


@app.command()
def token(tid: _Tid, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """A new token for a device that asks by itself (swupdate); the one before is good no more."""
    path = f"/operator/v1/devices/{quote(tid, safe='')}/updates/token"
    typer.echo(api_of(url, ca, token_file).post(path)["token"])
