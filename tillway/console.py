"""``tillway console``: who may sign in to the console."""

import getpass
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import qrcode
import typer

from protocol.errors import CallerError
from tillway.json_api import JsonApi

app = typer.Typer(
    help="The console: who may sign in.", no_args_is_help=True, pretty_exceptions_enable=False
)
user = typer.Typer(help="People with a password and a second factor.", no_args_is_help=True)
app.add_typer(user, name="user")
_USERS = "/operator/v1/console/users"
_Url = Annotated[str, typer.Option(help="The backend's address, https://…")]
_Ca = Annotated[Path, typer.Option(help="The CA's certificate, which init wrote.")]
_Token = Annotated[Path, typer.Option(help="The operator's token.")]


class RoleName(StrEnum):
    """What a person may see."""

    MERCHANT = "merchant"
    OPERATOR = "operator"


class RankName(StrEnum):
    """What a person may do."""

    OWNER = "owner"
    CLERK = "clerk"
    VIEWER = "viewer"


_Rank = Annotated[RankName, typer.Option(help="What the person may do.")]


@user.command()
def add(
    name: Annotated[str, typer.Argument(help="By which the person signs in.")],
    url: _Url,
    ca: _Ca,
    token_file: _Token,
    role: Annotated[RoleName, typer.Option(help="What the person may see.")],
    merchant_id: Annotated[str, typer.Option("--merchant", help="Whose data.")] = "",
    rank: _Rank = RankName.OWNER,
) -> None:
    """Let a person sign in. The password is asked for (or read from standard input); the second
    factor's secret is shown this once, to be scanned by the person's phone."""
    api = JsonApi(url, ca, token_file.read_text("ascii").strip())
    wanted = {"name": name, "role": role, "rank": rank, "merchant_id": merchant_id}
    wanted["password"] = _password()
    made = api.post(_USERS, wanted)
    code = qrcode.QRCode()
    code.add_data(made["totp_uri"])
    code.print_ascii(invert=True)
    typer.echo(made["totp_uri"])
    typer.echo(f"{url}/console")


@user.command()
def close(name: str, url: _Url, ca: _Ca, token_file: _Token) -> None:
    """Let a person in no longer; sessions end at once."""
    api = JsonApi(url, ca, token_file.read_text("ascii").strip())
    api.post(_path(name, "close"))
    typer.echo(f"{name} is closed")


@user.command()
def invite(
    name: Annotated[str, typer.Argument(help="By which the person signs in.")],
    url: _Url,
    ca: _Ca,
    token_file: _Token,
    role: Annotated[RoleName, typer.Option(help="What the person may see.")],
    merchant_id: Annotated[str, typer.Option("--merchant", help="Whose data.")] = "",
    rank: _Rank = RankName.CLERK,
) -> None:
    """Let a person set up password and second factor themselves; the code for it is shown once."""
    api = JsonApi(url, ca, token_file.read_text("ascii").strip())
    wanted = {"name": name, "role": role, "rank": rank, "merchant_id": merchant_id}
    _tell_setup(url, api.post(_USERS, wanted))


@user.command()
def reset(name: str, url: _Url, ca: _Ca, token_file: _Token) -> None:
    """Let a person set up anew: password, second factor and sessions of before are over."""
    api = JsonApi(url, ca, token_file.read_text("ascii").strip())
    _tell_setup(url, api.post(_path(name, "reset")))


@user.command("open")
def open_command(name: str, url: _Url, ca: _Ca, token_file: _Token) -> None:
    """Let a closed person in again."""
    JsonApi(url, ca, token_file.read_text("ascii").strip()).post(_path(name, "open"))
    typer.echo(f"{name} may sign in again")


@user.command("rank")
def rank_command(name: str, rank: RankName, url: _Url, ca: _Ca, token_file: _Token) -> None:
    """What a person may do from now on."""
    api = JsonApi(url, ca, token_file.read_text("ascii").strip())
    api.post(_path(name, "rank"), {"rank": rank})
    typer.echo(f"{name} is {rank.value}")


@user.command("sign-out")
def sign_out(name: str, url: _Url, ca: _Ca, token_file: _Token) -> None:
    """End all sessions of a person."""
    JsonApi(url, ca, token_file.read_text("ascii").strip()).post(_path(name, "sign-out"))
    typer.echo(f"{name} is signed out everywhere")


@user.command("list")
def list_command(url: _Url, ca: _Ca, token_file: _Token) -> None:
    """Everybody, one a line."""
    api = JsonApi(url, ca, token_file.read_text("ascii").strip())
    for one in api.get(_USERS)["users"]:
        state = "closed" if one["is_closed"] else "" if one["is_set_up"] else "invited"
        told = (
            f"{one['name']:<20} {one['role']:<10} {one['rank']:<8} {one['merchant_id']:<20} {state}"
        )
        typer.echo(told.rstrip())


def _path(name: str, act: str) -> str:
    return f"{_USERS}/{quote(name, safe='')}/{act}"


def _tell_setup(url: str, told: dict[str, str]) -> None:
    typer.echo(f"{told['setup_secret']}\n{url}/console/setup, within 48 hours")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise CallerError("field_invalid", "the two passwords differ")
    return password
