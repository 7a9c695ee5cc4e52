"""``tillway stamps``: what a third party says was there, and when. Reads only."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from backend.channels.timestamping import StampAuthority, read_token
from backend.db.option import Database
from backend.db.reading import Reader
from backend.stamping.limits import EXPORT_BYTES_MAX
from backend.stamping.repository import StampRepository
from protocol.errors import CallerError

app = typer.Typer(
    help="Time stamps on checkpoints and reserve tests.", add_completion=False, no_args_is_help=True
)

_Authority = Annotated[
    Path,
    typer.Option(
        "--authority",
        help="The certificate (PEM) of the authority behind the stamper.",
    ),
]
_Policy = Annotated[str, typer.Option("--policy", help="The stamps' policy.")]


@app.command("check")
def check_command(database: Database, authority: _Authority, policy: _Policy) -> None:
    """Check the newest stamps against what they are over. Exit code 1 if one does not hold."""
    trusted = StampAuthority.from_pem(_read(authority), policy)
    with Reader.opened(database) as reader:
        found = list(_stamped(StampRepository(reader)))
    is_good = True
    for name, digest, token in found:
        try:
            stamp = read_token(token, digest=digest, authority=trusted)
        except CallerError as error:
            is_good = False
            typer.echo(f"{name} does NOT hold: {error}")
            continue
        at = datetime.fromtimestamp(stamp.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        typer.echo(f"{name} was there at {at}, serial {stamp.serial}")
    if not is_good:
        raise typer.Exit(1)


@app.command("export")
def export_command(
    subject: str,
    database: Database,
    out: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Write a subject's token, and print how openssl checks it."""
    with Reader.opened(database) as reader:
        row = StampRepository(reader).stamp(subject)
    if row is None:
        raise CallerError("checkpoint_unknown", subject)
    out.write_bytes(row["token"])
    typer.echo(
        f"openssl ts -verify -token_in -in {out} -digest {row['digest'].hex()} -CAfile AUTHORITY"
    )


def _stamped(repository: StampRepository) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, digest of what it says now, and token of everything stamped, the newest first."""
    for row in repository.stamps():
        now = repository.checkpoint(row["subject"])
        yield row["subject"], row["digest"] if now is None else now.digest, row["token"]
    for subject, token in repository.reserve_tests():
        yield subject.name, subject.digest, token


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(EXPORT_BYTES_MAX)
    except OSError as error:
        raise CallerError("config_invalid", f"{error}") from None
