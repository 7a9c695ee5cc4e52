"""Where the backend is, for every command of an operator: three options, or three variables of
the environment. What the command line says wins.

``tillway up`` leaves a file that sets the variables; to source it spares the options.
"""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from protocol.errors import CallerError
from tillway.json_api import JsonApi
from tillway.limits import ANSWER_TIMEOUT_S

URL_VARIABLE, CA_VARIABLE = "TILLWAY_URL", "TILLWAY_CA"
TOKEN_FILE_VARIABLE = "TILLWAY_TOKEN_FILE"  # noqa: S105  # a variable's name

Url = Annotated[str, typer.Option(envvar=URL_VARIABLE, help="The backend's address, https://…")]
Ca = Annotated[
    Path, typer.Option(envvar=CA_VARIABLE, help="The CA's certificate, which init wrote.")
]
TokenFile = Annotated[Path, typer.Option(envvar=TOKEN_FILE_VARIABLE, help="The operator's token.")]


def api_of(url: str, ca: Path, token_file: Path, *, timeout_s: int = ANSWER_TIMEOUT_S) -> JsonApi:
    """The backend, as the operator; ``config_invalid`` where the token cannot be read."""
    try:
        token = token_file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise CallerError("config_invalid", f"cannot read {token_file}") from None
    return JsonApi(url, ca, token, timeout_s=timeout_s)


def place_script(url: str, ca: Path, token_file: Path) -> str:
    """Lines for a shell to source, after which the commands need none of the three options."""
    named = {URL_VARIABLE: url, CA_VARIABLE: str(ca), TOKEN_FILE_VARIABLE: str(token_file)}
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in named.items())
