"""``tillway rollout``: bring a change to many devices in waves."""

import json
import os
import time
from typing import Annotated, Any

import typer
from rich.table import Table

from faces.tables import draw
from protocol import ids
from protocol.errors import CallerError
from tillway.fleet.options import By, Reason, Store, Tag, Text, Values, chosen, values_of
from tillway.json_api import JsonApi
from tillway.operator_place import Ca, TokenFile, Url, api_of

app = typer.Typer(
    help="Bring a change to many devices in waves.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_PATH = "/operator/v1/rollouts"
_Id = Annotated[str, typer.Argument(help="The rollout's number.")]
_Tids = Annotated[list[str], typer.Option("--device", help="Only this one; may be repeated.")]
_Waves = Annotated[
    list[str], typer.Option("--wave", help="A tag, or a share such as 10%; what is left is last.")
]
_Success = Annotated[int, typer.Option(help="Percent of a wave that must succeed to go on.")]
_Errors = Annotated[int, typer.Option(help="Percent of a wave that may fail; one more stops it.")]
_Keep = Annotated[bool, typer.Option("--keep", help="A stop leaves the change where it is.")]
_Wait = Annotated[int, typer.Option(help="Seconds before a silent device counts as failed.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")]
_RolloutId = Annotated[
    str,
    typer.Option(
        help="Its number, to plan what a dry run said, or the same again after a cut; else new."
    ),
]


@app.command("settings")
def settings(
    values: Values, url: Url, ca: Ca, token_file: TokenFile, by: By,
    name: Annotated[str, typer.Option(help="What it is called.")],
    store: Store = "", tag: Tag = "", text: Text = "", device: _Tids = [],  # noqa: B006  # typer reads it
    wave: _Waves = [], success: _Success = 90, errors: _Errors = 10, keep: _Keep = False,  # noqa: B006
    wait_s: _Wait = 86_400, rollout_id: _RolloutId = "", dry_run: _DryRun = False,
) -> None:  # fmt: skip
    """Plan a rollout of settings; it begins with ``start``."""
    wanted = {
        "kind": "settings", "content": values_of(values),
        "devices": chosen(store, tag, text, device), "waves": [_wave(one) for one in wave],
        "success_percent": success, "error_percent": errors, "rolls_back": not keep,
        "device_wait_s": wait_s, "rollout_id": rollout_id or _minted(),
    }  # fmt: skip
    _plan(api_of(url, ca, token_file), wanted, {} if dry_run else {"name": name, "by": by})


@app.command("firmware")
def firmware(
    digest: Annotated[str, typer.Argument(help="SHA-256 of firmware that was brought.")],
    url: Url, ca: Ca, token_file: TokenFile, by: By,
    name: Annotated[str, typer.Option(help="What it is called.")],
    store: Store = "", tag: Tag = "", text: Text = "", device: _Tids = [],  # noqa: B006  # typer reads it
    wave: _Waves = [], success: _Success = 90, errors: _Errors = 10, keep: _Keep = False,  # noqa: B006
    wait_s: _Wait = 86_400, rollout_id: _RolloutId = "", dry_run: _DryRun = False,
) -> None:  # fmt: skip
    """Plan a rollout of firmware; it begins with ``start``."""
    wanted = {
        "kind": "firmware", "content": {"digest": digest},
        "devices": chosen(store, tag, text, device), "waves": [_wave(one) for one in wave],
        "success_percent": success, "error_percent": errors, "rolls_back": not keep,
        "device_wait_s": wait_s, "rollout_id": rollout_id or _minted(),
    }  # fmt: skip
    _plan(api_of(url, ca, token_file), wanted, {} if dry_run else {"name": name, "by": by})


@app.command("list")
def list_rollouts(url: Url, ca: Ca, token_file: TokenFile) -> None:
    """The latest rollouts."""
    table = Table("rollout", "name", "kind", "state", "wave")
    for one in api_of(url, ca, token_file).get(_PATH)["rollouts"]:
        wave = f"{one['wave'] + 1}/{one['wave_count']}"
        table.add_row(one["rollout_id"], one["name"], one["kind"], one["state"], wave)
    draw(table)


@app.command()
def show(rollout_id: _Id, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """A rollout with its waves, why devices failed, and what happened."""
    found = api_of(url, ca, token_file).get(f"{_PATH}/{rollout_id}")
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


@app.command()
def devices(rollout_id: _Id, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Where each of its devices is."""
    table = Table("device", "wave", "state", "why")
    for one in api_of(url, ca, token_file).get(f"{_PATH}/{rollout_id}/devices")["devices"]:
        why = " ".join(part for part in (one["code"], one["detail"]) if part)
        table.add_row(one["tid"], str(one["wave"]), one["state"], why)
    draw(table)


@app.command()
def start(
    rollout_id: _Id, url: Url, ca: Ca, token_file: TokenFile, by: By, reason: Reason = ""
) -> None:
    """Offer the change to the first wave."""
    _step("start", rollout_id, url, ca, token_file, by, reason)


@app.command()
def pause(
    rollout_id: _Id, url: Url, ca: Ca, token_file: TokenFile, by: By, reason: Reason = ""
) -> None:
    """Offer it to nobody more; what was offered goes on."""
    _step("pause", rollout_id, url, ca, token_file, by, reason)


@app.command()
def resume(
    rollout_id: _Id, url: Url, ca: Ca, token_file: TokenFile, by: By, reason: Reason = ""
) -> None:
    """Go on after a pause."""
    _step("resume", rollout_id, url, ca, token_file, by, reason)


@app.command()
def abort(
    rollout_id: _Id, url: Url, ca: Ca, token_file: TokenFile, by: By, reason: Reason = ""
) -> None:
    """End it; who has the change keeps it."""
    _step("abort", rollout_id, url, ca, token_file, by, reason)


@app.command("roll-back")
def roll_back(
    rollout_id: _Id, url: Url, ca: Ca, token_file: TokenFile, by: By, reason: Reason = ""
) -> None:
    """Give every device back what it had."""
    _step("roll_back", rollout_id, url, ca, token_file, by, reason)


def _step(  # the words of the command line
    step: str, rollout_id: str, url: str, ca: Any, token_file: Any, by: str, reason: str  # noqa: ANN401
) -> None:  # fmt: skip
    api = api_of(url, ca, token_file)
    _tell(api.post(f"{_PATH}/{rollout_id}/{step}", {"by": by, "reason": reason}))


def _plan(api: JsonApi, wanted: dict[str, Any], planned: dict[str, str]) -> None:
    """Plan it under a name, or without one only say what it would do."""
    if planned:
        _tell(api.post(_PATH, {**wanted, **planned}))
        return
    for number, one in enumerate(api.post(f"{_PATH}/plan", wanted)["waves"]):
        typer.echo(f"wave {number}: {one['size']} devices: {' '.join(one['devices'])}")
    typer.echo(f"these waves, of the same devices: --rollout-id {wanted['rollout_id']}")


def _tell(found: dict[str, Any]) -> None:
    typer.echo(f"{found['rollout_id']} {found['state']}")
    for one in found["waves"]:
        said = ", ".join(f"{one[name]} {name}" for name in ("offered", "succeeded", "failed"))
        typer.echo(f"  wave {one['wave']}: {one['size']} devices, {said}")


def _wave(word: str) -> dict[str, Any]:
    if not word.endswith("%"):
        return {"tag": word}
    share = word.removesuffix("%")
    if not share.isdecimal():
        raise CallerError("field_invalid", f"wave {word[:20]}: a tag, or a share such as 10%")
    return {"percent": int(share)}


def _minted() -> str:
    now_ms = time.time_ns() // 1_000_000
    return ids.mint(ids.ROLLOUT, time_ms=now_ms, random_bytes=os.urandom(ids.RANDOM_BYTES))
