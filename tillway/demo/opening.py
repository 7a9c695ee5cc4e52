"""``tillway open``: a single-use link into the wallet or the console of a stack that is running on
this machine. The front page's buttons do the same.

Rule: whoever mints a link has shown the secret that it stands for: the wallet's own token, or the
      operator's. The link's code stands behind its ``#``, which browsers send to nobody.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from faces.words import Language
from tillway.demo.addresses import stack_in
from tillway.demo.phone_book import phone_of
from tillway.demo.stack import MERCHANT, OPERATOR_TOKEN
from tillway.json_api import JsonApi

app = typer.Typer(
    help="Print a link that opens the wallet or the console of a running stack, once.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
DIRECTORY = Path("var/up")


class Door(StrEnum):
    """What is opened: the wallet, or the console as the operators' or the shop's first owner."""

    WALLET = "wallet"
    OPERATOR = "operator"
    MERCHANT = "merchant"


@dataclass(frozen=True, slots=True)
class Doors:
    """Mints links. ``wallet`` carries the payer's token, ``operator`` the operator's."""

    wallet: JsonApi
    operator: JsonApi

    def link(self, door: Door, language: Language) -> str:
        """A link for a browser of this machine, by the name under which the wallet takes a finger;
        ``route_unknown`` where the backend was not told that this is a development stack."""
        if door is Door.WALLET:
            code = self.wallet.post("/wallet/v1/openings", {})["code"]
        else:
            of = {"merchant_id": MERCHANT if door is Door.MERCHANT else ""}
            code = self.operator.post("/operator/v1/openings", of)["code"]
        face = "wallet" if door is Door.WALLET else "console"
        port = self.operator.url.rpartition(":")[2]
        return f"https://localhost:{port}/{face}/open?lang={language}#{code}"


def doors_in(directory: Path) -> Doors:
    """The doors of the stack that runs in this directory."""
    stack = stack_in(directory)
    token = (directory / OPERATOR_TOKEN).read_text("ascii").strip()
    operator = JsonApi(stack["public_url"], Path(stack["ca"]), token)
    return Doors(phone_of(directory).api, operator)


@app.command()
def open_door(
    door: Annotated[Door, typer.Argument(help="What shall be opened.")],
    directory: Annotated[Path, typer.Option(help="Where the stack's state is.")] = DIRECTORY,
    lang: Annotated[str, typer.Option(help="zh or en.")] = "zh",
) -> None:
    """Print the link: it is good once, for two minutes, on this machine."""
    typer.echo(doors_in(directory).link(door, "en" if lang == "en" else "zh"))
