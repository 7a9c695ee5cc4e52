"""How a person says one of two persons' words at the command line: by name and phone."""

from typing import Annotated

import typer

from tillway.asking import asked

SignedBy = Annotated[str, typer.Option("--by", help="Who says it: the name at the console.")]
Code = Annotated[
    str, typer.Option(help="What that person's phone shows; asked for where it is not given.")
]


def signed(by: str, code: str, words: str) -> dict[str, str]:
    """What such a word carries."""
    return {"by": by, "code": code or asked(f"Code of {by}'s phone: "), "words": words}
