"""What a person alone knows: asked for at a keyboard, or read from standard input, each a line."""

import getpass
import sys


def asked(what: str) -> str:
    """The answer; what is typed is not shown."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass(what)
