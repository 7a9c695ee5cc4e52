"""``tillway devices``: find devices, tag them, set them, and see what drifts."""

import json
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.table import Table

from backend.devices.model import DeviceKind, DeviceStatus
from faces.tables import draw
from tillway import listing
from tillway.fleet.options import By, Reason, Store, Tag, Text, Values, chosen, values_of
from tillway.operator_place import Ca, TokenFile, Url, api_of

app = typer.Typer(
    help="The devices: find them, tag them, set them.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_Tid = Annotated[str, typer.Argument(help="The device's name.")]
_Tids = Annotated[list[str], typer.Option("--device", help="Only this one; may be repeated.")]
_V1 = "/operator/v1"


@app.command("list")
def list_devices(
    url: Url, ca: Ca, token_file: TokenFile, store: Store = "", tag: Tag = "", text: Text = "",
    kind: Annotated[str | None, listing.one_of(DeviceKind, "Of this kind.")] = None,
    status: Annotated[str | None, listing.one_of(DeviceStatus, "Standing so.")] = None,
) -> None:  # fmt: skip
    """Devices by name."""
    api = api_of(url, ca, token_file)
    asked = {
        "store": store, "tag": tag, "text": text, "kind": kind or "", "status": status or "",
    }  # fmt: skip
    table = Table("device", "kind", "store", "status", "online", "tags")
    after: str | None = ""
    while after is not None:
        page = api.get(f"{_V1}/fleet?{urlencode({**asked, 'after': after})}")
        for row in page["devices"]:
            online = {None: "?", 0: "no", 1: "yes"}[row["is_online"]]
            shown = (row["tid"], row["kind"], row["store"], row["status"], online)
            table.add_row(*shown, " ".join(row["tags"]))
        after = page["next"]
    draw(table)


@app.command()
def tag(
    tid: _Tid, url: Url, ca: Ca, token_file: TokenFile, by: By,
    add: Annotated[list[str], typer.Option(help="Put on; may be repeated.")] = [],  # noqa: B006  # typer reads it
    remove: Annotated[list[str], typer.Option(help="Take off; may be repeated.")] = [],  # noqa: B006
) -> None:  # fmt: skip
    """Put tags on a device, and take others off."""
    wanted = {"add": add, "remove": remove, "by": by}
    found = _put(url, ca, token_file, f"/devices/{quote(tid, safe='')}/tags", wanted)
    typer.echo(f"{tid}: {' '.join(found['tags']) or 'no tags'}")


@app.command()
def schema(url: Url, ca: Ca, token_file: TokenFile) -> None:
    """What may be set."""
    table = Table("setting", "takes", "meaning")
    for one in api_of(url, ca, token_file).get(f"{_V1}/settings")["settings"]:
        table.add_row(one["name"], one["takes"], one["meaning"])
    draw(table)


@app.command("settings")
def show_settings(tid: _Tid, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Both sides of a device's settings, and what happened to them."""
    path = f"{_V1}/devices/{quote(tid, safe='')}/settings"
    found = api_of(url, ca, token_file).get(path)
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


@app.command("set")
def set_settings(
    values: Values, url: Url, ca: Ca, token_file: TokenFile, by: By, reason: Reason = "",
    store: Store = "", tag: Tag = "", text: Text = "", device: _Tids = [],  # noqa: B006  # typer reads it
) -> None:  # fmt: skip
    """Set devices: by name, or a group of them."""
    wanted = {
        "values": values_of(values), "devices": chosen(store, tag, text, device),
        "by": by, "reason": reason,
    }  # fmt: skip
    for one in _put(url, ca, token_file, "/settings", wanted)["devices"]:
        error = one.get("error")
        said = error["code"] if error else f"{one['standing']}, version {one['wanted_version']}"
        typer.echo(f"{one['tid']}: {said}")


@app.command()
def drift(
    url: Url, ca: Ca, token_file: TokenFile, store: Store = "", tag: Tag = "", text: Text = "",
    device: _Tids = [],  # noqa: B006  # typer reads it
) -> None:  # fmt: skip
    """The devices of a group that are not as they are wanted; exits 1 if there are any."""
    wanted = chosen(store, tag, text, device)
    found = api_of(url, ca, token_file).post(f"{_V1}/settings/drift", wanted)["devices"]
    for one in found:
        differs = ", ".join(
            f"{name}={both['actual']!r} (wanted {both['wanted']!r})"
            for name, both in one["drift"].items()
        )
        said = " ".join(part for part in (one["standing"], one["code"], differs) if part)
        typer.echo(f"{one['tid']}: {said}")
    if found:
        raise typer.Exit(1)


def _put(url: str, ca: Any, token_file: Any, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401
    api = api_of(url, ca, token_file)
    return json.loads(api.call("PUT", _V1 + path, json.dumps(body).encode()))
