"""How a command that is refused says so: the usage, where it was called wrongly; then the code with
what is wrong, and its advice in Chinese and in English.
"""

import os
from collections.abc import Iterable
from typing import Any

import typer

from protocol.errors import CallerError, TillwayError

_CODES = {"NoSuchOption": "option_unknown", "MissingParameter": "argument_missing"}
_ONLY_HELP = "NoArgsIsHelpError"
"""Typer exports no more of its errors of usage than their root, so they are known by name."""


def told(error: TillwayError) -> str:
    """The lines that say it."""
    wire = error.to_wire()
    what = f"{wire['code']}{_behind(error.detail, ' ({})')}"
    zh = f"{wire['zh']}{_behind(error.detail_zh, '{}')}"
    return f"{what}\n  {zh}\n  {wire['en']}\n"


def told_of_usage(error: typer.TyperException) -> str:
    """The same of a command that was not called as it must be; empty where its help was shown."""
    if type(error).__name__ == _ONLY_HELP:
        return ""
    context: Any = getattr(error, "ctx", None)
    usage = f"{context.get_usage()}\n" if context is not None else ""
    return usage + told(CallerError(_code(error, context), error.format_message().rstrip(".")))


def check_text(words: Iterable[str]) -> None:
    """``argument_invalid`` for a word of the command line whose bytes are no UTF-8. Python keeps
    them, but nothing of ours stores, sends or prints such a word."""
    for word in words:
        if any("\ud800" <= character <= "\udfff" for character in word):
            raise CallerError("argument_invalid", f"{os.fsencode(word)!r} is not UTF-8")


def _code(error: typer.TyperException, context: Any) -> str:  # noqa: ANN401  # typer exports no type
    code = _CODES.get(type(error).__name__)
    if code is None and context is not None and not isinstance(error, typer.BadParameter):
        code = "command_unknown" if hasattr(context.command, "commands") else None
    return code or "argument_invalid"


def _behind(detail: str, form: str) -> str:
    """A detail behind its code or its advice; one of several lines stands below it."""
    rows = detail.splitlines()
    return form.format(detail) if len(rows) == 1 else "".join(f"\n  {row}" for row in rows)
