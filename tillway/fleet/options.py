"""What the fleet's commands share: how the backend is reached, and how values are written."""

import json
from typing import Annotated, Any

import typer

from protocol.errors import CallerError

Store = Annotated[str, typer.Option(help="Only this store's.")]
Tag = Annotated[str, typer.Option(help="Only those with this tag.")]
Text = Annotated[str, typer.Option(help="Only those with this in their name.")]
By = Annotated[str, typer.Option(help="Who says it.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the history.")]
Values = Annotated[
    list[str],
    typer.Argument(help="NAME=VALUE, the value as JSON or plain text; NAME= takes it back."),
]


def values_of(words: list[str]) -> dict[str, Any]:
    """``["sound=false", "receipt_footer_en=Thank you", "language="]`` as values by name."""
    values: dict[str, Any] = {}
    for word in words:
        name, is_said, text = word.partition("=")
        if not is_said or not name:
            raise CallerError("field_invalid", f"{word[:40]}: say NAME=VALUE")
        values[name] = _value(text)
    return values


def chosen(store: str, tag: str, text: str, tids: list[str]) -> dict[str, Any]:
    """Which devices are meant."""
    said = {"store": store, "tag": tag, "text": text, "tids": tids}
    return {name: value for name, value in said.items() if value}


def _value(text: str) -> Any:  # noqa: ANN401  # a value of JSON
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
