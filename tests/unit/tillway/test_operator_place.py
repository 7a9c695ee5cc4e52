"""Where an operator's commands find the backend: options, or a sourced file; options win."""

import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from protocol.errors import CallerError
from tillway.operator_place import Ca, TokenFile, Url, api_of, place_script

app = typer.Typer()


@app.command()
def say(url: Url, ca: Ca, token_file: TokenFile) -> None:
    """What a command is told."""
    typer.echo(f"{url} {ca} {api_of(url, ca, token_file).token}")


def test_a_sourced_file_spares_the_options_and_the_command_line_wins(tmp_path: Path) -> None:
    odd = tmp_path / "a $(date) 'place'"
    odd.mkdir()
    for name in ("file", "line"):
        (odd / name).write_text(f"{name}'s token\n")
    script = tmp_path / "operator.env"
    script.write_text(place_script("https://file:1", odd / "ca.crt", odd / "file"))
    listed = subprocess.run(
        ["sh", "-c", f". {script}; env -0"], check=True, capture_output=True, env={}
    )
    lines = listed.stdout.decode().rstrip("\0").split("\0")
    env = {name: value for name, _, value in (line.partition("=") for line in lines)}
    told = CliRunner().invoke(app, [], env=env)
    assert told.output == f"https://file:1 {odd}/ca.crt file's token\n"
    words = ["--url", "https://line:2", "--token-file", str(odd / "line")]
    told = CliRunner().invoke(app, words, env=env)
    assert told.output == f"https://line:2 {odd}/ca.crt line's token\n"


def test_help_names_the_variables_and_a_token_that_is_not_there_is_named(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    assert all(f"TILLWAY_{name}" in told for name in ("URL", "CA", "TOKEN_FILE"))
    with pytest.raises(CallerError, match=r"config_invalid.*gone"):
        api_of("https://b", tmp_path / "ca", tmp_path / "gone")
