"""The money that ``tillway phone`` has taken along for payments without a line, between its runs.

Rule 1: a token's number is spent before the token is shown to anybody: what was shown once, even to
        a till that has not read it, is never shown for other money.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import CallerError
from tillway.private_files import write_files

PURSE_FILE = "purse.json"


@dataclass(frozen=True, slots=True)
class Purse:
    """A voucher as the backend gave it, and how many of its tokens were shown."""

    voucher: dict[str, Any]
    shown: int = 0


def keep_purse(directory: Path, purse: Purse) -> None:
    """Leave it for the next run; only the owner may read it."""
    content = {"voucher": purse.voucher, "shown": purse.shown}
    write_files(directory, {PURSE_FILE: json.dumps(content).encode()})


def next_token(directory: Path) -> tuple[dict[str, Any], int]:
    """The voucher and the number of its next token, which is spent by this."""
    path = directory / PURSE_FILE
    if not path.exists():
        raise CallerError(
            "config_invalid", "no money was taken along; run: tillway phone take-along"
        )
    kept = json.loads(path.read_text("utf-8"))
    keep_purse(directory, Purse(kept["voucher"], kept["shown"] + 1))
    return kept["voucher"], int(kept["shown"])
