"""``tillway console``: who may sign in to the console."""

import getpass
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import qrcode
import typer

from faces.tables import list_lines
from protocol.errors import CallerError
from tillway.asking import asked
from tillway.operator_place import Ca, TokenFile, Url, api_of

app = typer.Typer(
    help="The console: who may sign in.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
user = typer.Typer(help="People with a password and a second factor.", no_args_is_help=True)
app.add_typer(user, name="user")
_USERS = "/operator/v1/console/users"


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
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    role: Annotated[RoleName, typer.Option(help="What the person may see.")],
    merchant_id: Annotated[str, typer.Option("--merchant", help="Whose data.")] = "",
    rank: _Rank = RankName.OWNER,
) -> None:
    """Let a person sign in. The password is asked for (or read from standard input); the second
    factor's secret is shown this once, to be scanned by the person's phone."""
    api = api_of(url, ca, token_file)
    wanted = {"name": name, "role": role, "rank": rank, "merchant_id": merchant_id}
    wanted["password"] = _password()
    made = api.post(_USERS, wanted)
    code = qrcode.QRCode()
    code.add_data(made["totp_uri"])
    code.print_ascii(invert=True)
    typer.echo(made["totp_uri"])
    typer.echo(f"{url}/console")


@user.command()
def close(name: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Let a person in no longer; sessions end at once."""
    api = api_of(url, ca, token_file)
    api.post(_path(name, "close"))
    typer.echo(f"{name} is closed")


@user.command()
def invite(
    name: Annotated[str, typer.Argument(help="By which the person signs in.")],
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    role: Annotated[RoleName, typer.Option(help="What the person may see.")],
    merchant_id: Annotated[str, typer.Option("--merchant", help="Whose data.")] = "",
    rank: _Rank = RankName.CLERK,
) -> None:
    """Let a person set up password and second factor themselves; the code for it is shown once."""
    api = api_of(url, ca, token_file)
    wanted = {"name": name, "role": role, "rank": rank, "merchant_id": merchant_id}
    _tell_setup(url, api.post(_USERS, wanted))


@user.command()
def reset(name: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Let a person set up anew: password, second factor and sessions of before are over."""
    api = api_of(url, ca, token_file)
    _tell_setup(url, api.post(_path(name, "reset")))


@user.command()
def password(name: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Change a person's password with what that person knows and has: the present one, a new one
    and the phone's code are asked for (or read from standard input, each a line)."""
    old = asked("Present password: ")
    wanted = {"old": old, "new": _password("New password: "), "code": asked("Code: ")}
    api_of(url, ca, token_file).post(_path(name, "password"), wanted)
    typer.echo(f"{name} has another password and is signed out everywhere")


@user.command("open")
def open_command(name: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Let a closed person in again."""
    api_of(url, ca, token_file).post(_path(name, "open"))
    typer.echo(f"{name} may sign in again")


@user.command("rank")
def rank_command(name: str, rank: RankName, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """What a person may do from now on."""
    api = api_of(url, ca, token_file)
    api.post(_path(name, "rank"), {"rank": rank})
    typer.echo(f"{name} is {rank.value}")


@user.command("sign-out")
def sign_out(name: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """End all sessions of a person."""
    api_of(url, ca, token_file).post(_path(name, "sign-out"))
    typer.echo(f"{name} is signed out everywhere")


@user.command("sessions")
def sessions_command(name: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Where a person is signed in, the last used first; each with the id that ends it."""
    for one in api_of(url, ca, token_file).get(_path(name, "sessions"))["sessions"]:
        seen = datetime.fromtimestamp(one["seen_at_ms"] // 1000, UTC).isoformat()
        typer.echo(f"{one['id']}  {seen}  {one['origin']}  {one['browser']}".rstrip())


@user.command("end-session")
def end_session(
    name: str,
    session_id: Annotated[str, typer.Argument(help="As `sessions` tells it.")],
    url: Url,
    ca: Ca,
    token_file: TokenFile,
) -> None:
    """End one session of a person."""
    api_of(url, ca, token_file).post(_path(name, f"sessions/{quote(session_id, safe='')}/end"))
    typer.echo(f"{name} has one session less")


@user.command("list")
def list_command(url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Everybody, one a line."""
    list_lines(map(_line, api_of(url, ca, token_file).get(_USERS)["users"]))


def _line(one: dict[str, Any]) -> str:
    state = "closed" if one["is_closed"] else "" if one["is_set_up"] else "invited"
    told = f"{one['name']:<20} {one['role']:<10} {one['rank']:<8} {one['merchant_id']:<20} {state}"
    return told.rstrip()


def _path(name: str, act: str) -> str:
    return f"{_USERS}/{quote(name, safe='')}/{act}"


def _tell_setup(url: str, told: dict[str, str]) -> None:
    typer.echo(f"{told['setup_secret']}\n{url}/console/setup, within 48 hours")


def _password(what: str = "Password: ") -> str:
    password = asked(what)
    if sys.stdin.isatty() and getpass.getpass("Again: ") != password:
        raise CallerError("field_invalid", "the two passwords differ")
    return password
