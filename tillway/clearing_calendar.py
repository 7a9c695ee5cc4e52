"""``tillway clearing calendar``: sign the table of days off, and check it before it is loaded."""

from pathlib import Path
from typing import Annotated

import typer

from backend.clearing.calendar_file import load_calendar, sign_calendar, signature_path
from protocol.crypto import generate, seal, unseal
from protocol.errors import CallerError
from protocol.signed_note import NoteKey
from tillway.private_files import write_files

app = typer.Typer(help="Days off of years that no library knows.", no_args_is_help=True)
_File = Annotated[Path, typer.Argument(help="The calendar, TOML.")]
_Name = Annotated[str, typer.Option(help="The name that signatures bear, as calendar.example.")]
_KeyFile = Annotated[Path, typer.Option(help="The sealed private key.")]
_Passphrase = Annotated[Path, typer.Option(help="A file that holds the key's passphrase.")]


@app.command()
def key(name: _Name, key_file: _KeyFile, passphrase_file: _Passphrase) -> None:
    """Make a key and print what ``calendar_key`` must be. Never overwrites a file."""
    if key_file.exists():
        raise CallerError("config_invalid", f"{key_file} is there already")
    made = generate()
    sealed = seal(made, passphrase_file.read_bytes().strip())
    write_files(key_file.parent, {key_file.name: sealed})
    typer.echo(NoteKey(name, made.public).to_text())


@app.command()
def sign(file: _File, name: _Name, key_file: _KeyFile, passphrase_file: _Passphrase) -> None:
    """Check a calendar's form and write its signature beside it."""
    signer = unseal(key_file.read_bytes(), passphrase_file.read_bytes().strip())
    signature_path(file).write_text(sign_calendar(file, name, signer), encoding="utf-8")
    typer.echo(f"{signature_path(file)}")


@app.command()
def check(file: _File, key: Annotated[str, typer.Option(help="As the key command says.")]) -> None:
    """Say which years a calendar knows, if this key has signed it."""
    tables = load_calendar(file, NoteKey.from_text(key)).tables
    for year, table in sorted(tables.items()):
        typer.echo(f"{year}: {len(table.holidays)} days off, {len(table.workdays)} worked weekends")
